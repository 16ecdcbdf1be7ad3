-- Questions of the server (window/showMessageRequest), such as whether a command may run. Neovim's own prompt takes what
-- the user happens to type for an answer. Here an answer is a digit that comes after a pause; what was typed before it
-- goes where it was meant to. Neovim 0.7 cannot answer a server later, so this waits: other events go on meanwhile.
local say = require('agentls.say')

local M = {}

---@class agentls.Question that is shown
---@field session integer
---@field void boolean its server has ended

---@type agentls.Question[]
local shown = {}

M.pause = 500 -- ms without a key, after which one is meant as an answer

---@param params table LSP ShowMessageRequestParams
---@return string[]
local function lines_of(params)
  local lines = vim.split(params.message, '\r?\n')
  lines[#lines + 1] = ''
  for i, action in ipairs(params.actions) do lines[#lines + 1] = string.format('  %d  %s', i, say.line(action.title)) end
  lines[#lines + 1] = '  Esc  no answer'
  return vim.tbl_map(function(line) return (line:gsub('%c', ' ')) end, lines)
end

---@param lines string[]
---@return integer win
local function open_window(lines)
  local width, rows = 1, 0
  for _, line in ipairs(lines) do width = math.max(width, vim.fn.strdisplaywidth(line)) end
  width = math.max(1, math.min(width + 1, vim.o.columns - 4))
  for _, line in ipairs(lines) do rows = rows + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / width)) end
  local height = math.max(1, math.min(rows, vim.o.lines - 4))
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].bufhidden = 'wipe'
  local win = vim.api.nvim_open_win(buf, false, {
    relative = 'editor', style = 'minimal', border = 'double', focusable = false, zindex = 250, noautocmd = true,
    width = width, height = height, row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = math.floor((vim.o.columns - width) / 2),
  })
  vim.wo[win].wrap = true
  return win
end

---@class agentls.Key
---@field code string|integer as of getchar
---@field meant boolean it came after a pause

--- Waits for a key.
---@return agentls.Key
local function next_key()
  vim.cmd('redraw')
  local began = vim.loop.hrtime()
  local ok, code = pcall(vim.fn.getchar)
  if not ok then code = 27 end -- interrupted by Ctrl-C
  return { code = code, meant = not ok or vim.loop.hrtime() - began >= M.pause * 1e6 }
end

--- Types keys that were not meant for us.
---@param keys agentls.Key[]
local function give_back(keys)
  for _, key in ipairs(keys) do
    local is_char = type(key.code) == 'number'
    vim.api.nvim_feedkeys(is_char and vim.fn.nr2char(key.code) or key.code, 'mt', is_char)
  end
end

--- Waits for an answer.
---@param question agentls.Question
---@param count integer of choices
---@return integer? choice nil: none
---@return agentls.Key[] typed before the first pause
local function choose(question, count)
  local typed, listening = {}, false
  while true do
    local key = next_key()
    if question.void then return nil, typed end
    listening = listening or key.meant
    local choice = type(key.code) == 'number' and key.code - ('0'):byte() or nil
    if not listening then
      typed[#typed + 1] = key
    elseif key.meant and key.code == 27 then
      return nil, typed
    elseif key.meant and choice and choice >= 1 and choice <= count then
      return choice, typed
    end
  end
end

--- Asks the user.
---@param session integer
---@param params table LSP ShowMessageRequestParams
---@return table|userdata the action that was chosen, or vim.NIL
function M.ask(session, params)
  if #(params.actions or {}) == 0 then
    say.note(params.message)
    return vim.NIL
  end
  local question = { session = session, void = false }
  table.insert(shown, question)
  local win = open_window(lines_of(params))
  local ok, choice, typed = pcall(choose, question, #params.actions)
  shown = vim.tbl_filter(function(other) return other ~= question end, shown)
  pcall(vim.api.nvim_win_close, win, true)
  if not ok then error(choice, 0) end
  vim.cmd('redraw')
  give_back(typed)
  return params.actions[choice or 0] or vim.NIL
end

--- Ends the questions of a server that is gone.
---@param session integer
function M.server_gone(session)
  for _, question in ipairs(shown) do
    if question.session == session then
      question.void = true
      vim.api.nvim_input('<Esc>') -- wakes the one that waits
    end
  end
end

return M
