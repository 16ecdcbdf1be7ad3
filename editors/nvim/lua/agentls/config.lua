-- What the user set. A workspace can set none of it.
local M = {}

---@class agentls.Options
---@field cmd? string[] argv of the server
---@field filetypes? string[]|'all' which buffers it is told about; with fewer than all, it reads the others from disk
---@field root? string[]|fun(path: string): string? names that mark a project's root, preferred first; or what finds it
---@field model? string the model's name
---@field base_url? string the model's endpoint
---@field api_key? string|fun(): string the endpoint's key, or what fetches it when the server starts
---@field save_after_apply? boolean write the buffers that apply, undo or redo changed, if they were saved before
---@field keys? agentls.Keys of the review

---@class agentls.Keys
---@field accept? string
---@field accept_file? string
---@field accept_all? string
---@field reject? string
---@field reject_file? string
---@field reject_all? string
---@field next_hunk? string
---@field previous_hunk? string
---@field next_file? string
---@field previous_file? string
---@field open? string
---@field undo? string
---@field redo? string
---@field close? string
---@field help? string

---@type agentls.Options
local defaults = {
  cmd = { 'agentls', 'serve' },
  filetypes = 'all',
  root = { '.git', '.hg', '.jj', 'go.work', 'go.mod', 'package.json', 'pyproject.toml' },
  save_after_apply = true,
  keys = {
    accept = 'a', accept_file = 'A', accept_all = 'ga',
    reject = 'r', reject_file = 'R', reject_all = 'gr',
    next_hunk = ']c', previous_hunk = '[c', next_file = ']f', previous_file = '[f',
    open = 'o', undo = 'u', redo = '<C-r>', close = 'q', help = 'g?',
  },
}

---@type table<string, string[]> the Lua types that an option may have
local types = {
  cmd = { 'table' }, filetypes = { 'table', 'string' }, root = { 'table', 'function' },
  model = { 'string' }, base_url = { 'string' }, api_key = { 'string', 'function' },
  save_after_apply = { 'boolean' }, keys = { 'table' },
}

---@type agentls.Options what counts
M.options = defaults

---@param given table
---@param known table<string, any>
---@param where string
local function check_names(given, known, where)
  for name in pairs(given) do
    if known[name] == nil then
      local names = vim.tbl_keys(known)
      table.sort(names)
      local list = table.concat(names, ', ')
      error(string.format('agentls: %s: unknown option %q (known: %s)', where, tostring(name), list), 0)
    end
  end
end

---@param given agentls.Options
local function check(given)
  check_names(given, types, 'setup')
  for name, value in pairs(given) do
    if not vim.tbl_contains(types[name], type(value)) then
      local wanted = table.concat(types[name], ' or ')
      error(string.format('agentls: setup: %s is a %s, but must be a %s', name, type(value), wanted), 0)
    end
  end
  check_names(given.keys or {}, defaults.keys, 'setup: keys')
  if given.cmd and type(given.cmd[1]) ~= 'string' then
    error("agentls: setup: cmd must be a list, such as { 'agentls', 'serve' }", 0)
  end
  if type(given.filetypes) == 'string' and given.filetypes ~= 'all' then
    error("agentls: setup: filetypes must be 'all' or a list", 0)
  end
end

--- Takes the user's options. Raises an error that names the option if one is wrong.
---@param given? agentls.Options
function M.set(given)
  check(given or {})
  local options = vim.tbl_extend('force', defaults, given or {})
  options.keys = vim.tbl_extend('force', defaults.keys, options.keys)
  M.options = options
end

--- The settings as the server takes them. (lsp/COMMANDS.md)
---@return table
function M.settings()
  local o, key = M.options, M.options.api_key
  if type(key) == 'function' then key = vim.trim(key()) end
  local settings = { model = o.model, baseUrl = o.base_url, apiKey = key }
  return next(settings) == nil and vim.empty_dict() or settings
end

return M
