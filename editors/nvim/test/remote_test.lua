-- Runs at a task service, a real one: the list of its tasks, a proposal that comes of one, cancelling, and what is said
-- when the service is down or does not take our word.
T.commit()
local url, stop = T.serve('127.0.0.1:0')
local function floats(text)
  return T.wait(text, function() return T.float() and T.float():find(text, 1, true) end)
end
local function list() return T.text(vim.fn.bufnr('agentls://tasks')) end

-- A wrong token.
T.setup({ remote = { url = url, token = 'wrong' } })
T.open('sum.go')
vim.cmd('Agent tasks')
T.contains('a wrong token', T.told('token'), url)
vim.cmd('checkhealth agentls')
T.contains('the health', T.text(), 'the task service cannot be used: ')
vim.cmd('bwipeout')
for _, session in ipairs(require('agentls.client').sessions()) do session:kill() end
T.told('the server ended')

-- A token that cannot be fetched.
T.setup({ remote = { url = url, token = function() error('the safe is closed') end } })
vim.cmd('Agent status')
T.contains('no token', T.told('setup: remote.token did not return a string'), 'the safe is closed')

-- The right one. There are no tasks yet.
T.setup({ remote = { url = url, token = function() return 'token-of-ann\n' end } })
vim.cmd('Agent tasks')
T.wait('the list', function() return vim.fn.bufnr('agentls://tasks') > 0 and list():find('There are none', 1, true) end)
T.keys('q')
T.go('func Sum')
T.open('sum.go')

-- A change that is made there is reviewed as any other.
vim.cmd('Agent remote change add up better')
floats('A proposal waits for your review')
T.contains('where', T.float(), ' on ' .. url)
T.contains('the answer', T.float(), 'Done at the service.')
T.equal('nothing has changed', vim.bo[vim.fn.bufnr('sum.go')].modified, false)
T.keys('d')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.keys('ga')
T.told('applied: ')
T.contains('on disk', T.disk('sum.go'), '// Sum adds what it is given.')
vim.cmd('Agent undo')
T.told('undone: ')

-- A code action has a twin that runs there.
T.keys('gg')
T.go('Sum(')
vim.ui.select = function(items, opts, done)
  for _, item in ipairs(items) do
    if opts.format_item(item):find('^Explain.* remotely$') then return done(item) end
  end
  error('no such code action in ' .. vim.inspect(vim.tbl_map(opts.format_item, items)))
end
vim.lsp.buf.code_action()
floats('It adds, says the service.')
T.keys('q')

-- It is in the list; followed, it is a run whose proposal is there again.
vim.cmd('Agent tasks')
T.wait('the list', function() return vim.fn.bufnr('agentls://tasks') > 0 and list():find('✓ done', 1, true) end)
T.contains('the list', list(), 'Tasks at ' .. url)
T.contains('the size', list(), '1 file, +1 -1')
vim.api.nvim_win_set_cursor(0, { 3, 0 })
T.keys('<CR>')
floats('A proposal waits for your review')
T.keys('i')
T.told('this task was not begun here')
T.keys('q')

-- Another buffer in its window has none of its looks.
vim.cmd('buffer sum.go')
T.wait('the window', function()
  return not vim.wo.cursorline and vim.wo.statusline == vim.go.statusline and not vim.wo.winfixheight
end)
vim.cmd('only')
vim.cmd('Agent tasks')
T.wait('the list', function() return vim.fn.bufnr('agentls://tasks') > 0 end)
vim.cmd('wincmd p')

-- One that goes on is cancelled from the list, after a question.
vim.cmd('Agent remote ask is it slow?')
floats('It is')
T.keys('q')
vim.api.nvim_set_current_win(vim.fn.bufwinid('agentls://tasks'))
T.keys('r')
T.wait('the task', function() return list():find('… running', 1, true) end)
vim.api.nvim_win_set_cursor(0, { 2, 0 })
local question
vim.fn.confirm = function(text) question = text return 1 end
T.keys('x')
T.contains('the question', question, 'Cancel ')
vim.fn.confirm = function() return 2 end
T.keys('x')
T.told(': cancelled')
T.told('(:Agent answer shows it)') -- the run ended
T.wait('the list', function() return list():find('– cancelled', 1, true) end)
T.keys('x')
T.told('it has ended: cancelled')

-- The status, and the health.
local lines
require('agentls.status').report(T.session(vim.fn.bufnr('sum.go')), function(report)
  lines = table.concat(report, '\n')
end)
T.wait('the status', function() return lines end)
T.contains('the status', lines, 'task service: ' .. url)
vim.cmd('checkhealth agentls')
T.contains('the health', T.text(), 'task service: ' .. url)
vim.cmd('bwipeout')

-- The service is down: it is said, the list stays, and once it is back all goes on.
stop()
vim.api.nvim_set_current_win(vim.fn.bufwinid('agentls://tasks'))
T.keys('r')
T.told('the task service cannot be reached: ' .. url)
T.contains('the list', list(), '✓ done')
_, stop = T.serve(url:match('//(.*)'))
T.keys('r')
T.wait('the list', function() return list():find('– cancelled', 1, true) end)
T.keys('q')
stop()
