-- A tab with a list above and two texts side by side, as a diff: what the review and the conflicts are shown in.
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
local number = 0

---@param session agentls.Session
---@param name string
---@return integer buf
local function scratch(session, name)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, string.format('agentls://%s %d', name, number))
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].modifiable = false
  vim.b[buf].agentls_session = session.id
  return buf
end

---@param command string a modifier and sbuffer
---@param buf integer
---@return agentls.Pane
local function pane(command, buf)
  vim.cmd(command .. ' ' .. buf)
  local win = vim.api.nvim_get_current_win()
  for _, option in ipairs({ 'number', 'relativenumber', 'spell', 'list' }) do vim.wo[win][option] = false end
  vim.wo[win].signcolumn = 'no'
  return { buf = buf, win = win }
end

--- Opens the tab.
---@param session agentls.Session
---@param name string what it is
---@return agentls.Pair
function M.open(session, name)
  number = number + 1
  local self = setmetatable({ origin = vim.api.nvim_get_current_tabpage() }, Pair)
  self.list = pane('tab sbuffer', scratch(session, name .. ' list'))
  self.tab = vim.api.nvim_get_current_tabpage()
  self.left = pane('belowright sbuffer', scratch(session, name .. ' left'))
  self.right = pane('belowright vertical sbuffer', scratch(session, name))
  vim.wo[self.list.win].winfixheight = true
  vim.wo[self.list.win].wrap = false
  for _, side in ipairs({ self.left, self.right }) do
    vim.wo[side.win].number = true
    vim.api.nvim_win_call(side.win, function() vim.cmd('diffthis') end)
  end
  return self
end

--- The three panes.
---@return agentls.Pane[]
function Pair:panes() return { self.list, self.left, self.right } end

---@return boolean
function Pair:is_open() return vim.api.nvim_tabpage_is_valid(self.tab) and vim.api.nvim_buf_is_valid(self.list.buf) end

---@param buf integer
---@param lines string[]
local function fill(buf, lines)
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].modifiable = false
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
end

---@type table<string, string> by file name's end
local languages = {}

--- The syntax of a file, by its name, without the events that would bring other plugins in.
---@param path string
---@return string
local function language(path)
  local loaded = vim.fn.bufnr('^' .. vim.fn.escape(path, '\\*?[]{}^$,') .. '$')
  if loaded > 0 and vim.bo[loaded].filetype ~= '' then return vim.bo[loaded].filetype end
  local key = vim.fn.fnamemodify(path, ':e') ~= '' and vim.fn.fnamemodify(path, ':e') or path
  if languages[key] then return languages[key] end
  local buf, ignored = vim.api.nvim_create_buf(false, true), vim.o.eventignore
  vim.o.eventignore = 'FileType,Syntax'
  pcall(vim.api.nvim_buf_call, buf, function()
    vim.cmd('doautocmd <nomodeline> filetypedetect BufRead ' .. vim.fn.fnameescape(path))
  end)
  vim.o.eventignore = ignored
  languages[key] = vim.bo[buf].filetype
  vim.api.nvim_buf_delete(buf, { force = true })
  return languages[key]
end

---@param pane_shown agentls.Pane
---@param text agentls.Text
local function show_text(pane_shown, text)
  fill(pane_shown.buf, text.lines)
  vim.bo[pane_shown.buf].syntax = language(text.path)
  vim.wo[pane_shown.win].statusline = ' ' .. text.title:gsub('%%', '%%%%')
end

--- Shows a list and two texts.
---@param list string[]
---@param keys string a line below the list
---@param left agentls.Text
---@param right agentls.Text
function Pair:show(list, keys, left, right)
  fill(self.list.buf, list)
  vim.wo[self.list.win].statusline = ' ' .. keys
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

--- Goes to the tab it was opened from.
function Pair:leave()
  if vim.api.nvim_tabpage_is_valid(self.origin) then
    vim.api.nvim_set_current_tabpage(self.origin)
  elseif #vim.api.nvim_list_tabpages() == 1 then
    vim.cmd('tabnew')
  end
end

--- Shows a file in the tab it was opened from.
---@param path string
function Pair:show_file(path)
  self:leave()
  local buf = vim.fn.bufadd(path)
  vim.bo[buf].buflisted = true
  if not pcall(vim.api.nvim_set_current_buf, buf) then vim.cmd('sbuffer ' .. buf) end -- 'nohidden', and unsaved text
end

--- Closes the tab, and goes where it was opened from if it was in sight.
function Pair:close()
  if not self:is_open() then return end
  if vim.api.nvim_get_current_tabpage() == self.tab then self:leave() end
  if vim.api.nvim_get_current_tabpage() == self.tab then vim.cmd('tabnew') end
  vim.cmd('tabclose ' .. vim.api.nvim_tabpage_get_number(self.tab))
end

return M
