-- The server: one for each project root, attached to its buffers.
local config = require('agentls.config')
local say = require('agentls.say')

local M = {}

---@class agentls.Session one running server
---@field id integer of Neovim's client
---@field root? string nil: files without a project
---@field version? string
---@field ready boolean it has answered initialize and is one that we can use
---@field waiting (fun(session: agentls.Session))[] until it is ready
---@field problem? string why it cannot be used
local Session = {}
Session.__index = Session

---@type table<integer, agentls.Session> by client id
local sessions = {}
---@type (fun(session: agentls.Session, event: table))[]
local listeners = {}
---@type table<string, boolean> problems that were said, so that each is said once
local told = {}

local restart = 'go to a file of the project; :Agent starts it again there'
local slow = 10000 -- ms after which a server that has not answered is mentioned

--- What the plugin asks of the server. One that lacks any of these is of another version.
M.commands = {
  'agentls.ask', 'agentls.explain', 'agentls.change', 'agentls.rename', 'agentls.graph', 'agentls.stop',
  'agentls.steer', 'agentls.reply', 'agentls.plan.accept', 'agentls.continue', 'agentls.runs.list',
  'agentls.review', 'agentls.findings.list', 'agentls.findings.fix', 'agentls.findings.dismiss',
  'agentls.editor', 'agentls.navigation',
  'agentls.status', 'agentls.tasks.list', 'agentls.tasks.follow', 'agentls.tasks.cancel',
  'agentls.changes.list', 'agentls.changes.show', 'agentls.changes.diff', 'agentls.changes.accept',
  'agentls.changes.reject', 'agentls.changes.apply', 'agentls.changes.undo', 'agentls.changes.redo',
}

--- Has fn called with each agentls/event, and with { kind = 'ready' } and { kind = 'gone' } of a server.
---@param fn fun(session: agentls.Session, event: table)
function M.listen(fn) table.insert(listeners, fn) end

---@param session agentls.Session
---@param event table
local function emit(session, event)
  for _, fn in ipairs(listeners) do fn(session, event) end
end

--- Calls a function of Neovim's client. 0.11 made them methods.
---@param client table
---@param fn string
local function invoke(client, fn, ...)
  if vim.fn.has('nvim-0.11') == 1 then return client[fn](client, ...) end
  return client[fn](...)
end

--- Why the server cannot be started, and what to do; nil if it can.
---@return string?
function M.missing()
  local command = config.options.cmd[1]
  if vim.fn.executable(command) == 1 then return nil end
  return string.format('the server %q is not there: build it with `make` in the folder of agentls and put bin/agentls '
    .. "on PATH, or name it: require('agentls').setup{ cmd = { '/path/to/agentls', 'serve' } }", command)
end

--- Why a server that answered cannot be used, and what to do; nil if it can.
---@param result table LSP InitializeResult
---@return string?
local function unfit(result)
  local server = result.serverInfo or {}
  local path = vim.fn.exepath(config.options.cmd[1])
  if server.name ~= 'agentls' then
    return string.format('%s is not agentls but %s: correct cmd in setup', path, server.name or 'something nameless')
  end
  local has = (result.capabilities.executeCommandProvider or {}).commands or {}
  local lacks = vim.tbl_filter(function(name) return not vim.tbl_contains(has, name) end, M.commands)
  if #lacks == 0 then return nil end
  return string.format('%s is agentls %s and lacks %s: build server and plugin from the same version (make, then '
    .. 'restart Neovim)', path, server.version or 'of unknown version', table.concat(lacks, ', '))
end

---@param problem string
local function say_once(problem)
  if not told[problem] then say.fail(problem) end
  told[problem] = true
end

---@param session agentls.Session
---@param result table LSP InitializeResult
local function initialized(session, result)
  session.version = (result.serverInfo or {}).version
  session.problem = unfit(result)
  if session.problem then
    say_once(session.problem)
    vim.schedule(function() session:kill() end) -- 0.7 knows the client only when this is over
    return
  end
  session.ready = true
  vim.schedule(function() -- by now the documents are open
    emit(session, { kind = 'ready' })
    local waiting = session.waiting
    session.waiting = {}
    for _, fn in ipairs(waiting) do fn(session) end
  end)
end

---@param session agentls.Session
---@param code integer
---@param signal integer
local function exited(session, code, signal)
  sessions[session.id] = nil
  emit(session, { kind = 'gone' })
  if session.problem or vim.v.exiting ~= vim.NIL then return end
  say_once(string.format('the server ended with code %d, signal %d; its last words are in %s; the next :Agent command '
    .. 'starts it again', code, signal, vim.lsp.get_log_path()))
end

---@return table LSP ClientCapabilities
local function capabilities()
  local c = vim.lsp.protocol.make_client_capabilities()
  c.workspace.workspaceEdit = {
    documentChanges = true, resourceOperations = { 'rename', 'delete' }, failureHandling = 'undo',
  }
  c.experimental = { agentls = { events = true, prompts = true, questions = true } }
  return c
end

---@param session agentls.Session
---@return table for vim.lsp.start
local function client_config(session)
  local root, settings = session.root, config.settings()
  return {
    name = 'agentls',
    cmd = config.options.cmd,
    root_dir = root,
    workspace_folders = root and { { uri = vim.uri_from_fname(root), name = vim.fn.fnamemodify(root, ':t') } } or nil,
    init_options = settings,
    settings = { agentls = settings },
    capabilities = capabilities(),
    commands = require('agentls.actions').commands,
    handlers = {
      ['agentls/event'] = function(_, event) emit(session, event) end,
      ['workspace/applyEdit'] = function(_, params)
        return require('agentls.edit').handle(session.id, params, session:encoding())
      end,
      ['window/showMessageRequest'] = function(_, params) return require('agentls.question').ask(session.id, params) end,
    },
    on_init = function(_, result) initialized(session, result) end,
    on_exit = vim.schedule_wrap(function(code, signal) exited(session, code, signal) end),
  }
end

---@param session agentls.Session
local function mention_slowness(session)
  vim.defer_fn(function()
    if not session.ready and sessions[session.id] and not session.problem then
      say.warn(table.concat(config.options.cmd, ' ') .. ' has not answered for 10 s: is it a language server?')
    end
  end, slow)
end

---@param settings table as of client_config
---@param buf integer
---@return integer? id of Neovim's client
local function launch(settings, buf)
  if vim.lsp.start then
    return vim.lsp.start(settings, { bufnr = buf, reuse_client = function() return false end })
  end
  local id = vim.lsp.start_client(settings) -- 0.7
  if id then vim.lsp.buf_attach_client(buf, id) end
  return id
end

--- Starts a server for a root, with a first buffer.
---@param root? string
---@param buf integer
---@return agentls.Session?
local function start(root, buf)
  local problem = M.missing()
  if problem then
    say_once(problem)
    return nil
  end
  local path = vim.fn.exepath(config.options.cmd[1])
  local session = setmetatable({ root = root, ready = false, waiting = {} }, Session)
  local fetched, settings = pcall(client_config, session)
  if not fetched then
    say_once((settings:gsub('^agentls: ', '')))
    return nil
  end
  local ok, id = pcall(launch, settings, buf) -- later versions raise an error, others say one
  if not (ok and id) then
    say_once(string.format('%s does not start: try it in a shell; :Agent tries again', path))
    return nil
  end
  session.id = id
  sessions[id] = session
  mention_slowness(session)
  return session
end

--- The project's root above a file, or nil.
---@param path string
---@return string?
function M.root(path)
  local how = config.options.root
  if type(how) == 'function' then return how(path) end
  for _, marker in ipairs(how) do
    local dir = vim.fn.fnamemodify(path, ':h')
    while true do
      if vim.loop.fs_stat(dir .. '/' .. marker) then return dir end
      local parent = vim.fn.fnamemodify(dir, ':h')
      if parent == dir then break end
      dir = parent
    end
  end
end

--- Whether a buffer shows a file.
---@param buf integer
---@return boolean
function M.shows_file(buf)
  if not vim.api.nvim_buf_is_loaded(buf) or vim.bo[buf].buftype ~= '' then return false end
  local name = vim.api.nvim_buf_get_name(buf)
  return name ~= '' and not name:match('^[%a%d+.-]+://') and vim.fn.isdirectory(name) == 0
end

---@param buf integer
---@return agentls.Session?
local function attached(buf)
  for id, session in pairs(sessions) do
    if vim.lsp.buf_is_attached(buf, id) then return session end
  end
end

--- Attaches a buffer that shows a file to the server of its project, which is started if need be.
---@param buf integer
---@return agentls.Session?
local function attach(buf)
  local session = attached(buf)
  if session then return session end
  local root = M.root(vim.api.nvim_buf_get_name(buf))
  for id, other in pairs(sessions) do
    if other.root == root and not other.problem then
      vim.lsp.buf_attach_client(buf, id)
      return other
    end
  end
  return start(root, buf)
end

--- Attaches a buffer of a project, by itself. Files outside of one are left alone until the user asks, and so are all
--- after a problem.
---@param buf integer
function M.attach(buf)
  if next(told) then return end
  if M.shows_file(buf) and M.root(vim.api.nvim_buf_get_name(buf)) then attach(buf) end
end

--- Attaches all buffers that are loaded and wanted.
---@param wanted fun(buf: integer): boolean
function M.attach_all(wanted)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and wanted(buf) then M.attach(buf) end
  end
end

---@param buf integer
---@return string
local function text_of(buf)
  local ending = vim.bo[buf].fileformat == 'dos' and '\r\n' or '\n'
  local text = table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), ending)
  return vim.bo[buf].endofline and text .. ending or text
end

--- Tells the server of a buffer that it has another name now. Neovim 0.7 goes on to tell of changes, in a document that
--- the server never heard of; later ones close the old document and open the new when that is written.
---@param buf integer
---@param old_uri string
function M.rename(buf, old_uri)
  local session = attached(buf)
  local client = session and session:client()
  if not client or vim.fn.has('nvim-0.8') == 1 then return end
  invoke(client, 'notify', 'textDocument/didClose', { textDocument = { uri = old_uri } })
  invoke(client, 'notify', 'textDocument/didOpen', { textDocument = {
    uri = vim.uri_from_bufnr(buf), languageId = vim.bo[buf].filetype, text = text_of(buf),
    version = vim.api.nvim_buf_get_changedtick(buf),
  } })
end

--- The server of a buffer: its file's, that of our own window, or the only one. Starts none. A window of ours whose
--- server has ended has none: that of another project must not take its place.
---@param buf integer
---@return agentls.Session?
function M.of(buf)
  local owner = vim.b[buf].agentls_session
  if owner then return sessions[owner] end
  if M.shows_file(buf) then return attached(buf) end
  local _, only = next(sessions)
  return next(sessions, _) == nil and only or nil
end

--- Why a buffer that shows no file has no server.
---@param buf integer
---@return string
local function why_none(buf)
  if vim.b[buf].agentls_session then return 'the server of this window has ended: ' .. restart end
  if next(sessions) then return 'several projects are open: go to a file of the one you mean' end
  return 'no server is running: open a file of the project first'
end

--- Calls fn with the server of a buffer, once that is ready; starts it if need be. Says why if there is none.
---@param buf integer
---@param fn fun(session: agentls.Session)
function M.with(buf, fn)
  local session = M.of(buf)
  if not session and M.shows_file(buf) then
    told = {}
    session = attach(buf)
  elseif not session then
    say.fail(why_none(buf))
  end
  if not session then return end
  if session.problem then return say.fail(session.problem) end
  if session.ready then return fn(session) end
  table.insert(session.waiting, fn)
end

--- All running servers.
---@return agentls.Session[]
function M.sessions() return vim.tbl_values(sessions) end

---@return table? Neovim's client
function Session:client() return vim.lsp.get_client_by_id(self.id) end

--- In which columns are counted.
---@return string
function Session:encoding()
  local client = self:client()
  return client and client.offset_encoding or 'utf-16'
end

--- Ends a server that cannot be used: it may not know how to end when asked.
function Session:kill()
  local client = self:client()
  if client then invoke(client, 'stop', true) end
end

--- Runs a command of the server. Pending changes of all buffers go first. An error is said, and given to failed.
---@param command string
---@param argument table
---@param done? fun(result: table)
---@param failed? fun(message: string)
function Session:command(command, argument, done, failed)
  failed = failed or say.fail
  local client = self:client()
  if next(argument) == nil then argument = vim.empty_dict() end
  local sent = client and invoke(client, 'request', 'workspace/executeCommand', {
    command = command, arguments = { argument },
  }, function(err, result)
    if err then return failed(err.message or tostring(err)) end
    if done then done(result) end
  end)
  if not sent then failed('the server has ended: ' .. restart) end
end

return M
