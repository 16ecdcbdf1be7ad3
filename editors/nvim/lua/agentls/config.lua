-- What the user set. A workspace can set none of it.
local M = {}

---@class agentls.Options
---@field cmd? string[] argv of the server
---@field filetypes? string[]|'all' which buffers it is told about; with fewer than all, it reads the others from disk
---@field root? string[]|fun(path: string): string? names that mark a project's root, preferred first; or what finds it
---@field model? string the model's name
---@field base_url? string the model's endpoint
---@field api_key? string|fun(): string the endpoint's key, or what fetches it when the server starts
---@field models? table<agentls.Mode, string> the models of those actions that are not to have model
---@field effort? table<agentls.Mode, 'low'|'medium'|'high'> how much the model thinks
---@field second_pass? boolean false: a review shows what it found without a second request that confirms or drops it
---@field verify? string[] command lines that check a change before it is proposed
---@field navigation? 'auto'|'on'|'off' whether the index answers what other servers answer too
---@field remote? agentls.RemoteOptions the task service
---@field journal? agentls.JournalOptions how much can be undone
---@field save_after_apply? boolean write the buffers that apply, undo or redo changed, if they were saved before
---@field keys? agentls.Keys of the review

---@alias agentls.Mode 'ask'|'explain'|'edit'|'plan'|'review'

---@class agentls.RemoteOptions
---@field url? string
---@field token? string|fun(): string or what fetches it when the server starts
---@field environment? string the service's environment to work in

---@class agentls.JournalOptions
---@field entries? integer
---@field bytes? integer
---@field days? integer

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
---@field checks? string
---@field undo? string
---@field redo? string
---@field close? string
---@field help? string

---@type agentls.Options
local defaults = {
  cmd = { 'agentls', 'serve' },
  filetypes = 'all',
  root = { '.git', '.hg', '.jj', 'go.work', 'go.mod', 'package.json', 'pyproject.toml' },
  navigation = 'auto',
  remote = {},
  journal = {},
  save_after_apply = true,
  keys = {
    accept = 'a', accept_file = 'A', accept_all = 'ga',
    reject = 'r', reject_file = 'R', reject_all = 'gr',
    next_hunk = ']c', previous_hunk = '[c', next_file = ']f', previous_file = '[f',
    open = 'o', checks = 'c', undo = 'u', redo = '<C-r>', close = 'q', help = 'g?',
  },
}

---@type table<string, string[]> the Lua types that an option may have
local types = {
  cmd = { 'table' }, filetypes = { 'table', 'string' }, root = { 'table', 'function' },
  model = { 'string' }, base_url = { 'string' }, api_key = { 'string', 'function' },
  models = { 'table' }, effort = { 'table' }, second_pass = { 'boolean' }, verify = { 'table' }, navigation = { 'string' }, remote = { 'table' },
  journal = { 'table' }, save_after_apply = { 'boolean' }, keys = { 'table' },
}

---@type table<string, string[]> the Lua types that an option of remote may have
local remote_types = { url = { 'string' }, token = { 'string', 'function' }, environment = { 'string' } }

---@type table<string, string[]> the Lua types that an option of journal may have
local journal_types = { entries = { 'number' }, bytes = { 'number' }, days = { 'number' } }

---@type table<agentls.Mode, string[]> the Lua types that an option by mode may have
local mode_types = { ask = { 'string' }, explain = { 'string' }, edit = { 'string' }, plan = { 'string' }, review = { 'string' } }

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

---@param given table
---@param known table<string, string[]>
---@param where string
local function check_types(given, known, where)
  check_names(given, known, where)
  for name, value in pairs(given) do
    if not vim.tbl_contains(known[name], type(value)) then
      local wanted = table.concat(known[name], ' or ')
      error(string.format('agentls: %s: %s is a %s, but must be a %s', where, name, type(value), wanted), 0)
    end
  end
end

---@param given agentls.Options
local function check(given)
  check_types(given, types, 'setup')
  check_types(given.remote or {}, remote_types, 'setup: remote')
  check_types(given.models or {}, mode_types, 'setup: models')
  check_types(given.effort or {}, mode_types, 'setup: effort')
  check_types(given.journal or {}, journal_types, 'setup: journal')
  check_types(given.keys or {}, vim.tbl_map(function() return { 'string' } end, defaults.keys), 'setup: keys')
  if given.cmd and type(given.cmd[1]) ~= 'string' then
    error("agentls: setup: cmd must be a list, such as { 'agentls', 'serve' }", 0)
  end
  if given.verify and (#given.verify == 0 or vim.tbl_count(given.verify) ~= #given.verify) then
    error("agentls: setup: verify must be a list of command lines, such as { 'go test ./...' }", 0)
  end
  if given.navigation and not vim.tbl_contains({ 'auto', 'on', 'off' }, given.navigation) then
    error("agentls: setup: navigation must be 'auto', 'on' or 'off'", 0)
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

--- A secret, which may have to be fetched. Raises an error that names the option if it cannot be.
---@param secret? string|fun(): string
---@param name string of the option
---@return string?
local function fetch(secret, name)
  if type(secret) ~= 'function' then return secret end
  local ok, value = pcall(secret)
  if ok and type(value) == 'string' then return vim.trim(value) end
  error(string.format('agentls: setup: %s did not return a string: %s', name, tostring(value)), 0)
end

--- The settings as the server takes them. (lsp/COMMANDS.md) Raises an error that names the option if a secret cannot be
--- fetched.
---@return table
function M.settings()
  local o, r = M.options, M.options.remote
  local settings = { model = o.model, baseUrl = o.base_url, apiKey = fetch(o.api_key, 'api_key'), verify = o.verify }
  settings.models, settings.effort, settings.navigation = o.models, o.effort, o.navigation
  settings.secondPass = o.second_pass
  if next(r) then
    settings.remote = { url = r.url, token = fetch(r.token, 'remote.token'), environment = r.environment }
  end
  if next(o.journal) then settings.journal = o.journal end
  return settings
end

return M
