-- Where files are shown.
local M = {}

--- The buffer of a file, if there is one. None is made, and no pattern is matched.
---@param path string
---@return integer?
function M.buffer(path)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(buf) == path then return buf end
  end
end

--- A file's name for people: from the home folder or the working directory.
---@param uri string
---@return string
function M.name(uri) return vim.fn.fnamemodify(vim.uri_to_fname(uri), ':~:.') end

--- Whether the user stays where they are: in this window, and not typing.
---@return fun(): boolean
function M.watch()
  local win = vim.api.nvim_get_current_win()
  return function() return vim.api.nvim_get_current_win() == win and vim.api.nvim_get_mode().mode:sub(1, 1) == 'n' end
end

---@param win integer
---@return boolean whether it is one for files
local function takes_files(win)
  return vim.api.nvim_win_get_config(win).relative == '' and vim.bo[vim.api.nvim_win_get_buf(win)].buftype == ''
end

--- Goes to a window of this tab that shows files, or makes one.
local function enter_window()
  if takes_files(vim.api.nvim_get_current_win()) then return end
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if takes_files(win) then return vim.api.nvim_set_current_win(win) end
  end
  vim.cmd('topleft split')
end

--- Shows a file in this tab.
---@param path string
function M.show(path)
  local buf = vim.fn.bufadd(path)
  vim.bo[buf].buflisted = true
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.api.nvim_win_get_buf(win) == buf then return vim.api.nvim_set_current_win(win) end
  end
  enter_window()
  if pcall(vim.api.nvim_win_set_buf, 0, buf) then return end
  vim.cmd('split') -- 'nohidden', and text that is not saved
  vim.api.nvim_win_set_buf(0, buf)
end

return M
