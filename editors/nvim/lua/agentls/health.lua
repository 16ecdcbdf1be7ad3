-- :checkhealth agentls
local client = require('agentls.client')
local config = require('agentls.config')
local say = require('agentls.say')

local M = {}

-- 0.7 to 0.9 call these report_….
local health = vim.health or require('health')
local start, ok = health.start or health.report_start, health.ok or health.report_ok
local warn, fail = health.warn or health.report_warn, health.error or health.report_error
local info = health.info or health.report_info

local function check_neovim()
  local v = vim.version()
  local version = string.format('Neovim %d.%d.%d', v.major, v.minor, v.patch)
  if vim.fn.has('nvim-0.7.2') == 1 then ok(version) else fail(version .. ' is too old: 0.7.2 or later is needed') end
end

--- Whether the server is there, and what it says of itself.
local function check_server()
  local problem = client.missing()
  if problem then return fail(problem) end
  local cmd = config.options.cmd
  local path = vim.fn.exepath(cmd[1])
  local version = vim.trim(vim.fn.system({ path, 'version' }))
  if vim.v.shell_error == 0 and version:match('^agentls ') then
    ok(path .. ': ' .. version:gsub('\n.*', ''))
  else
    warn(path .. ' does not answer "version" as agentls does', { 'If it is no wrapper, correct cmd in setup.' })
  end
end

--- Asks the server, and waits for the answer.
---@param session agentls.Session
---@param command string
---@return table? result
---@return string problem where there is none
local function ask(session, command)
  local result, problem
  session:command(command, {}, function(r) result = r end, function(message) problem = message end)
  vim.wait(2000, function() return result ~= nil or problem ~= nil end, 10)
  return result, problem or 'nothing for 2 s'
end

--- Whether the task service takes our word. None is no problem.
---@param session agentls.Session
---@param url? string
local function check_service(session, url)
  local list, problem = ask(session, 'agentls.tasks.list')
  if list then
    ok('task service: ' .. list.url)
  elseif url then
    fail('the task service cannot be used: ' .. problem)
  else
    info('no task service: ' .. problem)
  end
end

---@param session agentls.Session
local function check_session(session)
  local where = session.root or 'files without a project'
  if not session.ready then
    return warn(where .. ': the server is not ready: ' .. (session.problem or 'it has not answered yet'))
  end
  local lines, silence = ask(session, 'agentls.status')
  if not lines then return fail(where .. ': the server does not answer: ' .. silence) end
  ok(string.format('%s: agentls %s, %s and %s indexed', where, lines.version, say.count(lines.files, 'file'),
    say.count(lines.symbols, 'symbol')))
  if lines.error then
    fail('the model cannot be used: ' .. lines.error)
  elseif lines.model then
    ok('model: ' .. lines.model .. ' (' .. lines.source .. ')')
  else
    warn('no model: the index answers, and changes cannot be made (' .. lines.source .. ')', {
      'Set OPENAI_API_KEY, or OPENAI_BASE_URL and AGENTLS_MODEL, or model and base_url in setup.',
    })
  end
  local confined = lines.confinement or 'how they are confined is found out with the first one'
  local tell = confined:match('^none') and warn or ok
  tell('commands of the agent: ' .. confined)
  check_service(session, lines.remote)
end

function M.check()
  start('agentls')
  check_neovim()
  check_server()
  local sessions = client.sessions()
  if #sessions == 0 then warn('no server is running', { 'Open a file of a project, after setup or with :Agent.' }) end
  for _, session in ipairs(sessions) do check_session(session) end
end

return M
