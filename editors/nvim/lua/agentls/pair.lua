-- A tab with a list above and two texts side by side, as a diff: what the review and the conflicts are shown in.
local places = require('agentls.places')
local say = require('agentls.say')
local scratch = require('agentls.scratch')

local M = {}

---@class agentls.Pane
---@field buf integer
---@field win integer

---@class agentls.Pair
---@field tab integer
---@field origin integer the tab it was opened from
---@field list agentls.Pane
---@field left agentls.Pane
---@field right agentls.Pane
local Pair = {}
Pair.__index = Pair

---@class agentls.Text one side
---@field lines string[]
---@field path string names the language
---@field title string

local namespace = vim.api.nvim_create_namespace('agentls.pair')
local group = vim.api.nvim_create_augroup('agentls.pair', {})

---@type table<integer, agentls.Pair> that are open, by tab
local open = {}

---@param command string a modifier and split
---@param buf integer
---@return agentls.Pane
local function pane(command, buf)
  return { buf = buf, win = scratch.split(command, buf) }
end

--- Closes what is left of a pair of which the user closed a window, or put another buffer there.
---@param self agentls.Pair
local function watch(self)
  for _, p in ipairs(self:panes()) do
    vim.api.nvim_create_autocmd('BufWipeout', {
      group = group, buffer = p.buf, once = true, nested = true,
      callback = vim.schedule_wrap(function() self:close() end),
    })
  end
end

--- Opens the tab.
---@param session agentls.Session
---@param name string what it is
---@return agentls.Pair
function M.open(session, name)
  local self = setmetatable({ origin = vim.api.nvim_get_current_tabpage() }, Pair)
  if vim.api.nvim_get_mode().mode:find('^[iR]') then vim.cmd('stopinsert') end
  self.list = pane('tab split', scratch.new(session, name .. ' list'))
  self.tab = vim.api.nvim_get_current_tabpage()
  self.left = pane('belowright split', scratch.new(session, name .. ' left'))
  self.right = pane('belowright vertical split', scratch.new(session, name))
  open[self.tab] = self
  scratch.set_option(self.list.win, 'winfixheight', true)
  scratch.set_option(self.list.win, 'wrap', false)
  for _, side in ipairs({ self.left, self.right }) do
    scratch.set_option(side.win, 'number', true)
    vim.api.nvim_win_call(side.win, function() vim.cmd('diffthis') end)
  end
  watch(self)
  return self
end

--- The three panes.
---@return agentls.Pane[]
function Pair:panes() return { self.list, self.left, self.right } end

---@param p agentls.Pane
---@return boolean
local function is_shown(p) return vim.api.nvim_win_is_valid(p.win) and vim.api.nvim_win_get_buf(p.win) == p.buf end

--- Whether it is open, and whole.
---@return boolean
function Pair:is_open()
  return open[self.tab] == self and is_shown(self.list) and is_shown(self.left) and is_shown(self.right)
end

---@param buf integer
---@param lines string[]
local function fill(buf, lines)
  scratch.set(buf, 0, lines)
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
end

---@type table<string, string> by file name's end
local languages = {}

--- The syntax of a file, by its name, without the events that would bring other plugins in.
---@param path string
---@return string
local function language(path)
  local known = places.buffer(path)
  if known and vim.bo[known].filetype ~= '' then return vim.bo[known].filetype end
  local key = vim.fn.fnamemodify(path, ':e') ~= '' and vim.fn.fnamemodify(path, ':e') or path
  if languages[key] then return languages[key] end
  local buf, ignored = vim.api.nvim_create_buf(false, true), vim.o.eventignore
  vim.opt.eventignore:append({ 'FileType', 'Syntax' })
  pcall(vim.api.nvim_buf_call, buf, function()
    vim.cmd('doautocmd <nomodeline> filetypedetect BufRead ' .. vim.fn.fnameescape(path))
  end)
  vim.o.eventignore = ignored
  languages[key] = vim.bo[buf].filetype
  vim.api.nvim_buf_delete(buf, { force = true })
  return languages[key]
end

--- Writes below a window, or above it where there is one status line for all.
---@param win integer
---@param text string
local function label(win, text)
  text = ' ' .. text:gsub('%%', '%%%%')
  scratch.set_option(win, 'statusline', text)
  if vim.fn.exists('+winbar') == 0 then return end
  scratch.set_option(win, 'winbar', vim.o.laststatus == 3 and text or '')
end

---@param p agentls.Pane
---@param text agentls.Text
local function show_text(p, text)
  fill(p.buf, text.lines)
  vim.bo[p.buf].syntax = language(text.path)
  label(p.win, text.title)
end

--- Shows a list and two texts.
---@param list string[]
---@param keys string a line below the list
---@param left agentls.Text
---@param right agentls.Text
function Pair:show(list, keys, left, right)
  fill(self.list.buf, vim.tbl_map(say.line, list))
  label(self.list.win, keys)
  vim.api.nvim_win_set_height(self.list.win, math.min(#list, math.max(3, math.floor(vim.o.lines / 4))))
  show_text(self.left, left)
  show_text(self.right, right)
  vim.api.nvim_win_call(self.right.win, function() vim.cmd('diffupdate') end)
end

--- Writes a note behind a line of a pane.
---@param p agentls.Pane
---@param line integer from 1
---@param group string highlights the note
---@param note string
function Pair:note(p, line, group, note)
  line = math.max(1, math.min(line, vim.api.nvim_buf_line_count(p.buf)))
  vim.api.nvim_buf_set_extmark(p.buf, namespace, line - 1, 0, { virt_text = { { note, group } } })
end

--- Highlights a whole line of the list.
---@param line integer from 1
---@param group string
function Pair:highlight(line, group)
  vim.api.nvim_buf_add_highlight(self.list.buf, namespace, group, line - 1, 0, -1)
end

--- Maps a key in all three panes.
---@param key string
---@param desc string
---@param fn fun()
function Pair:map(key, desc, fn)
  for _, p in ipairs(self:panes()) do
    vim.keymap.set('n', key, fn, { buffer = p.buf, nowait = true, desc = 'agentls: ' .. desc })
  end
end

--- Puts the cursor on a line of a pane.
---@param p agentls.Pane
---@param line integer from 1
function Pair:go(p, line)
  vim.api.nvim_win_set_cursor(p.win, { math.max(1, math.min(line, vim.api.nvim_buf_line_count(p.buf))), 0 })
  vim.api.nvim_win_call(p.win, function() vim.cmd('silent! normal! zvzz') end)
end

--- Goes to the tab it was opened from, or to another that is not ours.
function Pair:leave()
  local home = open[self.origin] and open[self.origin].origin or self.origin
  if vim.api.nvim_tabpage_is_valid(home) then return vim.api.nvim_set_current_tabpage(home) end
  for _, tab in ipairs(vim.api.nvim_list_tabpages()) do
    if not open[tab] then return vim.api.nvim_set_current_tabpage(tab) end
  end
  vim.cmd('tabnew')
end

--- Shows a file in the tab it was opened from.
---@param path string
function Pair:show_file(path)
  self:leave()
  places.show(path)
end

---@param p agentls.Pane
local function close_pane(p)
  if not vim.api.nvim_win_is_valid(p.win) then return end
  if vim.api.nvim_win_get_buf(p.win) ~= p.buf then return scratch.release(p.win) end
  if not pcall(vim.api.nvim_win_close, p.win, true) then
    vim.api.nvim_win_call(p.win, function() vim.cmd('enew') end) -- the last window of all
    scratch.release(p.win)
  end
end

--- Whether the cursor is in one of its windows.
---@return boolean
function Pair:is_in_front()
  local win = vim.api.nvim_get_current_win()
  for _, p in ipairs(self:panes()) do
    if p.win == win and is_shown(p) then return true end
  end
  return false
end

--- Goes to the tab it was opened from, ours or not.
function Pair:back()
  if vim.api.nvim_tabpage_is_valid(self.origin) then
    vim.api.nvim_set_current_tabpage(self.origin)
  elseif #vim.api.nvim_list_tabpages() == 1 then
    vim.cmd('tabnew')
  end
end

--- Closes it, and goes where it was opened from if it was in sight. What the user put beside it stays.
function Pair:close()
  if open[self.tab] ~= self then return end
  open[self.tab] = nil
  if self:is_in_front() then self:back() end
  for _, p in ipairs(self:panes()) do close_pane(p) end
end

return M
