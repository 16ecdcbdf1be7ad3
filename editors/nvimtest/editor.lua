-- The half of nvimtest that runs inside Neovim, 0.7.2 and later. Go calls one function of M at a time; what happens by
-- itself (answers, notifications, the server's end) goes back to Go as the notification "nvimtest" with a kind and JSON.
-- Lines and columns count from 0, columns are bytes.
local M = {}

local channel, config
local client_id -- the one language server, once a document is open
local exited = false -- the server has ended
local answer -- the title to pick at the next question; nil dismisses it
local asking -- is a code action being chosen?

local function send(kind, value)
  vim.rpcnotify(channel, 'nvimtest', kind, vim.json.encode(value))
end

-- Says why the server cannot be used any more. (Neovim calls this where most of its functions may not be used.)
local function fail(problem)
  vim.schedule(function() send('broken', { problem = problem }) end)
end

local function client()
  return client_id and vim.lsp.get_client_by_id(client_id)
end

-- 0.11 made the client's functions methods.
local function invoke(name, ...)
  local c = assert(client(), 'the language server is not running')
  if vim.fn.has('nvim-0.11') == 1 then return c[name](c, ...) end
  return c[name](...)
end

local function loaded(path)
  local buf = vim.uri_to_bufnr(vim.uri_from_fname(path))
  if not vim.api.nvim_buf_is_loaded(buf) then error(path .. ' is not open in the editor', 0) end
  return buf
end

-- Reports what the server said, then lets Neovim's own handler do its work, if it has one.
local function reporting(method)
  local default = vim.lsp.handlers[method]
  return function(err, params, ...)
    send('notification', { method = method, params = params == nil and vim.NIL or params })
    if default then return default(err, params, ...) end
  end
end

-- Neovim's own handler waits for a key, which never comes without a user.
local function message_request(_, params)
  send('notification', { method = 'window/showMessageRequest', params = params })
  local title = answer
  answer = nil
  for _, action in ipairs(params.actions or {}) do
    if action.title == title then return action end
  end
  return vim.NIL
end

local function capabilities()
  local c = vim.lsp.protocol.make_client_capabilities()
  c.experimental = { agentls = { events = true } }
  return c
end

local function take_choice()
  local was = asking
  asking = nil
  return was
end

-- Stands in for the user's menu: picks the answer.
local function select(items, opts, on_choice)
  local choosing, wanted, titles = take_choice(), answer, {}
  answer = nil
  for i, item in ipairs(items) do
    local title = (opts.format_item or tostring)(item)
    if title == wanted then
      if choosing then send('chosen', vim.empty_dict()) end
      return on_choice(item, i)
    end
    titles[i] = title
  end
  if choosing then send('chosen', { problem = 'no such code action; there are: ' .. table.concat(titles, ', ') }) end
  on_choice(nil)
end

function M.setup(options)
  channel = options.channel
  config = {
    name = 'agentls',
    cmd = options.server,
    root_dir = options.dir,
    workspace_folders = { { uri = vim.uri_from_fname(options.dir), name = vim.fn.fnamemodify(options.dir, ':t') } },
    settings = options.settings,
    init_options = options.init,
    capabilities = capabilities(),
    handlers = {
      ['agentls/event'] = reporting('agentls/event'),
      ['window/showMessage'] = reporting('window/showMessage'),
      ['$/progress'] = reporting('$/progress'),
      ['window/showMessageRequest'] = message_request,
    },
    on_init = function() send('ready', vim.empty_dict()) end,
    on_error = function(code, err) fail(string.format('language server: error %s: %s', code, vim.inspect(err))) end,
    on_exit = function(code, signal)
      exited = true
      fail(string.format('the language server ended with code %d, signal %d', code, signal))
    end,
  }
  vim.ui.select = select
  local notify = vim.notify
  vim.notify = function(text, ...)
    if take_choice() then send('chosen', { problem = text }) end
    return notify(text, ...)
  end
  local v = vim.version()
  return string.format('%d.%d.%d', v.major, v.minor, v.patch)
end

-- A refused initialize shows only as an error message: Neovim asserts that there was none.
local function watch_initialize()
  vim.v.errmsg = ''
  local timer = vim.loop.new_timer()
  timer:start(20, 20, vim.schedule_wrap(function()
    if timer:is_closing() then return end
    local c = client()
    local refused = vim.v.errmsg ~= ''
    if refused then fail('initialize: ' .. vim.v.errmsg) end
    if refused or exited or (c and c.initialized) then timer:close() end
  end))
end

-- The first document starts the server, all others join it. (vim.lsp.start alone may start another; 0.7.2 has none.)
local function attach(buf)
  if not client() then
    watch_initialize()
    client_id = (vim.lsp.start or vim.lsp.start_client)(config)
    if not client_id then error('cannot start ' .. table.concat(config.cmd, ' '), 0) end
  end
  vim.lsp.buf_attach_client(buf, client_id)
end

function M.open(path)
  vim.cmd('edit ' .. vim.fn.fnameescape(path))
  attach(vim.api.nvim_get_current_buf())
end

-- Sends a request; its answer goes to Go with this number. Returns the id to cancel it by.
function M.request(number, method, params)
  if params == vim.NIL then params = nil end
  local sent, id = invoke('request', method, params, function(err, result)
    if err then
      err = { code = err.code, message = err.message or tostring(err), data = err.data }
    end
    send('response', { number = number, error = err, result = result == nil and vim.NIL or result })
  end, vim.api.nvim_get_current_buf())
  if not sent then error('the language server has ended', 0) end
  return id
end

function M.cancel(id)
  invoke('cancel_request', id)
end

function M.lines(path)
  return vim.api.nvim_buf_get_lines(loaded(path), 0, -1, false)
end

function M.set_lines(path, lines)
  vim.api.nvim_buf_set_lines(loaded(path), 0, -1, false, lines)
end

function M.type(path, line, col, text)
  vim.api.nvim_buf_set_text(loaded(path), line, col, line, col, vim.split(text, '\n', { plain = true }))
end

local function run_in(path, command)
  vim.api.nvim_buf_call(loaded(path), function() vim.cmd(command) end)
end

function M.undo(path) run_in(path, 'silent undo') end

function M.save(path) run_in(path, 'silent write') end

function M.modified(path)
  return vim.api.nvim_buf_get_option(loaded(path), 'modified')
end

function M.diagnostics(path)
  return vim.tbl_map(function(d)
    return {
      line = d.lnum, col = d.col, end_line = d.end_lnum or d.lnum, end_col = d.end_col or d.col,
      severity = d.severity, message = d.message, source = d.source, code = d.code and tostring(d.code),
    }
  end, vim.diagnostic.get(vim.uri_to_bufnr(vim.uri_from_fname(path))))
end

-- The parameters of textDocument/codeAction as Neovim sends them from a cursor.
function M.code_action_params(path, line, col)
  local buf = loaded(path)
  local text = assert(vim.api.nvim_buf_get_lines(buf, line, line + 1, false)[1], 'no such line')
  local _, utf16 = vim.str_utfindex(text, math.min(col, #text))
  local position = { line = line, character = utf16 }
  return {
    textDocument = { uri = vim.uri_from_bufnr(buf) },
    range = { start = position, ['end'] = position },
    context = { diagnostics = vim.lsp.diagnostic.get_line_diagnostics(buf, line) },
  }
end

function M.answer(title) answer = title end

-- The user's way: the cursor, the menu, the entry. Says "chosen" when the menu was shown or there is none.
function M.choose(path, line, col, title)
  vim.api.nvim_set_current_buf(loaded(path))
  vim.api.nvim_win_set_cursor(0, { line + 1, col })
  asking, answer = true, title
  vim.lsp.buf.code_action()
end

function M.messages()
  return vim.api.nvim_exec('messages', true)
end

-- Ends the server: asked, then told, then killed. Only processes that this Neovim started are killed.
function M.stop()
  if not client_id or exited then return end
  local children = vim.api.nvim_get_proc_children(vim.fn.getpid())
  local ended = function() return exited end
  if client() then invoke('stop') end
  if vim.wait(700, ended, 5) then return end
  if client() then invoke('stop', true) end
  if vim.wait(300, ended, 5) then return end
  for _, pid in ipairs(children) do vim.loop.kill(pid, 'sigkill') end
  vim.wait(200, ended, 5)
end

return M
