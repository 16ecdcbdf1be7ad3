-- What breaks on the way: the server dies in the middle of a run, and with a proposal in review; the key is wrong; the
-- model cannot be reached. What was asked is still there, and one key away from being asked again.
T.setup()
local buf = T.open('a.go')
T.go('func A')
local function kill_server()
  for _, pid in ipairs(vim.api.nvim_get_proc_children(vim.fn.getpid())) do vim.loop.kill(pid, 'sigkill') end
  T.contains('the message', T.told('the server ended with code'), 'the next :Agent command starts it again')
end
local function floats(text)
  T.wait(text, function() return T.float() and T.float():find(text, 1, true) end)
end

-- In the middle of a run.
vim.cmd('Agent ask is it slow?')
floats('So slow')
kill_server()
floats('It failed:** the server ended')
T.contains('what was said is still there', T.float(), 'So slow')
T.contains('what to do', T.float(), 'r try again')
T.equal('the status line', require('agentls').statusline(), '')
T.keys('i')
T.told('the server that answered has ended: go to the code, and :Agent ask anew')
T.keys('s')
T.told('the server has ended: go to a file of the project; :Agent starts it again there')
T.keys('r')
floats('Not at all.')
T.contains('the question', T.float(), '> is it slow?')
T.keys('q')

-- A wrong key. The same run once more is the same question.
vim.cmd('Agent ask is the key right?')
floats('It failed:**')
T.contains('why', T.float(), 'Incorrect API key provided')
T.keys('r')
floats('Now it is.')
T.keys('q')

-- With a proposal in review. It is kept: the next server has it.
vim.cmd('Agent change better')
floats('A proposal waits')
T.keys('d')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
kill_server()
T.contains('the review is still there', T.windows()[3], '// A is better.')
T.keys('a')
T.told('the server has ended: go to a file of the project; :Agent starts it again there')
vim.cmd('Agent undo')
T.told('the server of this window has ended: go to a file of the project; :Agent starts it again there')
T.said = {}
T.keys('gt')
T.keys('gt')
T.equal('nothing more is said', T.messages(), '')
T.keys('o')
T.equal('the file', vim.api.nvim_get_current_buf(), buf)
vim.cmd('Agent changes')
T.wait('the new review', function()
  local review = require('agentls.review').current()
  return review and review.session:client()
end)
T.equal('one review', #vim.api.nvim_list_tabpages(), 2)
T.keys('ga')
T.told('applied: better')
T.contains('on disk', T.disk('a.go'), '// A is better.')
vim.cmd('Agent undo')
T.told('undone: better')

-- The server dies while it applies: what it changed until then is not saved, and nothing goes through any more.
local edit = require('agentls.edit')
local session = T.session(buf)
local operation = edit.begin(session.id)
kill_server()
T.equal('no operation', edit.handle(session.id, { edit = { changes = {} } }, 'utf-16').applied, false)
edit.finish(operation)

-- Neovim ends in the middle of a run, with all windows open, and is not held up.
T.go('A()')
vim.cmd('Agent ask and now?')
floats('So slow')
T.keys('<C-w>p')
vim.cmd('Agent rename B')
T.wait('the review', function() return require('agentls.review').current() end)
vim.cmd('qall')
