-- Buffers of our own: never saved, gone with their window.
local M = {}

--- Names a buffer. A session that was restored may have buffers by our names.
---@param buf integer
---@param name string
local function set_name(buf, name)
  local number = 1
  while vim.fn.bufexists(string.format('agentls://%s %d', name, number)) == 1 do number = number + 1 end
  vim.api.nvim_buf_set_name(buf, string.format('agentls://%s %d', name, number))
end

--- Makes a buffer, which :Agent takes for one of a server.
---@param session agentls.Session
---@param name? string what it is
---@return integer buf
function M.new(session, name)
  local buf = vim.api.nvim_create_buf(false, true)
  if name then set_name(buf, name) end
  vim.bo[buf].bufhidden = 'wipe'
  vim.bo[buf].undolevels = -1
  vim.bo[buf].modifiable = false
  vim.b[buf].agentls_session = session.id
  return buf
end

--- Replaces the lines from one on.
---@param buf integer
---@param from integer from 0
---@param lines string[]
function M.set(buf, from, lines)
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, from, -1, false, lines)
  vim.bo[buf].modifiable = false
end

--- The options of our windows.
local options = { number = false, relativenumber = false, spell = false, list = false, signcolumn = 'no' }

--- Sets an option of a window as long as this buffer is in it. (vim.wo sets it for the buffers to come, too.)
---@param win integer
---@param name string
---@param value any
function M.set_option(win, name, value)
  vim.api.nvim_win_call(win, function() vim.api.nvim_set_option_value(name, value, { scope = 'local' }) end)
end

--- Shows a buffer of ours in a new window, and goes there.
---@param command string a modifier and split
---@param buf integer
---@return integer win
function M.split(command, buf)
  vim.cmd(command)
  local win = vim.api.nvim_get_current_win()
  vim.api.nvim_win_set_buf(win, buf)
  for option, value in pairs(options) do M.set_option(win, option, value) end
  return win
end

--- Gives a window back to the user, who has another buffer in it now.
---@param win integer
function M.release(win)
  vim.api.nvim_win_call(win, function()
    vim.cmd('diffoff')
    for option in pairs(options) do vim.cmd(string.format('setlocal %s<', option)) end
    vim.cmd('setlocal statusline< winfixheight< wrap< cursorline<')
    if vim.fn.exists('+winbar') == 1 then vim.cmd('setlocal winbar<') end
  end)
end

--- Maps keys in normal mode.
---@param buf integer
---@param keys table<string, { [1]: string, [2]: fun() }> what each means, and does
function M.map(buf, keys)
  for key, entry in pairs(keys) do
    vim.keymap.set('n', key, entry[2], { buffer = buf, nowait = true, desc = 'agentls: ' .. entry[1] })
  end
end

return M
