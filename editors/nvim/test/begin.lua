-- Runs the test file named by AGENTLS_TEST once Neovim has started, and ends Neovim: with code 1 if it failed.
local plugin = vim.env.AGENTLS_PLUGIN
local T = { dir = vim.env.AGENTLS_DIR, server = vim.env.AGENTLS_SERVER, said = {}, patience = 8000 } -- ms
_G.T = T

vim.notify = function(text, level) table.insert(T.said, { text = text, level = level }) end
T.answers = {} -- what the user says to the next questions
vim.ui.input = function(opts, done)
  T.asked = opts.prompt
  done(table.remove(T.answers, 1))
end

-- Waits until fn returns something true, and returns it. Neovim works on meanwhile: the test is a coroutine.
function T.wait(what, fn)
  local started, test = vim.loop.hrtime(), coroutine.running()
  while true do
    local result = fn()
    if result then return result end
    if vim.loop.hrtime() - started > T.patience * 1e6 then error('did not happen: ' .. what, 2) end
    vim.defer_fn(function() coroutine.resume(test) end, 5)
    coroutine.yield()
  end
end

function T.equal(what, got, want)
  if not vim.deep_equal(got, want) then
    error(string.format('%s is\n%s\nbut should be\n%s', what, vim.inspect(got), vim.inspect(want)), 2)
  end
end

function T.contains(what, text, part)
  if not text:find(part, 1, true) then error(string.format('%s lacks %q:\n%s', what, part, text), 2) end
end

-- Waits for a message that holds a text, and returns it.
function T.told(part)
  return T.wait('a message with ' .. part .. '; there are ' .. vim.inspect(T.said), function()
    for i, message in ipairs(T.said) do
      if message.text:find(part, 1, true) then return table.remove(T.said, i).text end
    end
  end)
end

-- All messages so far.
function T.messages()
  return table.concat(vim.tbl_map(function(m) return m.text end, T.said), '\n')
end

function T.setup(options)
  require('agentls').setup(vim.tbl_extend('force', { cmd = { T.server, 'serve' } }, options or {}))
end

-- Makes the project a repository with one commit, as a task service needs it.
function T.commit()
  vim.fn.delete(T.dir .. '/.git', 'rf')
  for _, args in ipairs({ { 'init', '-q' }, { 'add', '-A' }, { 'commit', '-qm', 'one' } }) do
    local git = { 'git', '-C', T.dir, '-c', 'user.name=Ann', '-c', 'user.email=a@example.org' }
    local out = vim.fn.system(vim.list_extend(git, args))
    T.equal('git ' .. args[1] .. ': ' .. out, vim.v.shell_error, 0)
  end
end

-- Starts a task service, which asks for the token token-of-ann. Returns its address and what ends it.
function T.serve(address)
  local tokens, said = vim.env.HOME .. '/tokens', ''
  vim.fn.writefile({ 'token-of-ann' }, tokens)
  vim.fn.setfperm(tokens, 'rw-------')
  local function hear(_, data) said = said .. table.concat(data, '\n') end
  local job = vim.fn.jobstart({
    T.server, 'remote', 'serve', '--listen', address, '--data', vim.env.HOME .. '/service', '--token-file', tokens,
  }, { on_stdout = hear, on_stderr = hear })
  local url = T.wait('the address of the service', function() return said:match('http://127%.0%.0%.1:%d+') end)
  return url, function()
    vim.fn.jobstop(job)
    T.wait('the end of the service', function() return vim.fn.jobwait({ job }, 0)[1] ~= -1 end)
  end
end

-- The server of a buffer that is attached and ready.
function T.session(buf)
  local session = require('agentls.client').of(buf or vim.api.nvim_get_current_buf())
  return session and session.ready and vim.lsp.buf_is_attached(buf or 0, session.id) and session or nil
end

-- What the server says of itself.
function T.status(session)
  local status
  session:command('agentls.status', {}, function(result) status = result end)
  return T.wait('the status', function() return status end)
end

-- Opens a file of the project and waits until the server has it and has indexed the project.
function T.open(name)
  vim.cmd('edit ' .. vim.fn.fnameescape(T.dir .. '/' .. name))
  local buf = vim.api.nvim_get_current_buf()
  local session = T.wait('the server for ' .. name, function() return T.session(buf) end)
  T.wait('the index', function() return T.status(session).ready end)
  T.wait('the status line', function() return not require('agentls').statusline():find('indexing', 1, true) end)
  return buf
end

-- Puts the cursor on the first occurrence of a text.
function T.go(text)
  for i, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local col = line:find(text, 1, true)
    if col then return vim.api.nvim_win_set_cursor(0, { i, col - 1 }) end
  end
  error('there is no ' .. text, 2)
end

-- Presses keys as a user does.
function T.keys(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'xm', false)
end

function T.text(buf) return table.concat(vim.api.nvim_buf_get_lines(buf or 0, 0, -1, false), '\n') end

-- The cursor, as an LSP Range.
function T.range() return require('agentls.position').cursor(0, vim.api.nvim_win_get_cursor(0), 'utf-16') end

-- The file on disk, or nil.
function T.disk(name)
  local file = io.open(T.dir .. '/' .. name, 'rb')
  if not file then return nil end
  local text = file:read('*a')
  file:close()
  return text
end

-- The floating window's text, or nil.
function T.float()
  for _, win in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(win).relative ~= '' then return T.text(vim.api.nvim_win_get_buf(win)) end
  end
end

-- The texts of the windows of this tab, in order.
function T.windows()
  return vim.tbl_map(function(win) return T.text(vim.api.nvim_win_get_buf(win)) end, vim.api.nvim_tabpage_list_wins(0))
end

-- Runs the test, and says in a few lines what went wrong.
local function run()
  local ok, problem = xpcall(assert(loadfile(plugin .. '/test/' .. vim.env.AGENTLS_TEST)), debug.traceback)
  if ok and vim.v.errmsg ~= '' then ok, problem = false, 'Neovim said: ' .. vim.v.errmsg end
  if ok then return vim.cmd('qall!') end
  local out = vim.env.AGENTLS_PROBLEM and assert(io.open(vim.env.AGENTLS_PROBLEM, 'w')) or io.stderr
  local windows, messages = table.concat(T.windows(), '\n-- next window\n'), vim.api.nvim_exec('messages', true)
  out:write(problem, '\nwindows:\n', windows, '\nmessages:\n', T.messages(), '\n', messages, '\n')
  out:flush()
  vim.cmd('cquit 1')
end

vim.api.nvim_create_autocmd('VimEnter', { callback = vim.schedule_wrap(function() coroutine.wrap(run)() end) })
