-- Two projects, each with a server of its own, and files of neither: each question goes to the server of its file.
vim.fn.mkdir(T.dir .. '/one/.git', 'p')
vim.fn.mkdir(T.dir .. '/two/.git', 'p')
vim.fn.writefile({ 'package a', '', 'func Twice(n int) int { return 2 * n }' }, T.dir .. '/one/a.go')
vim.fn.writefile({ 'package b', '', 'func Twice(n int) int { return 2 * n }' }, T.dir .. '/two/b.go')
local client, review = require('agentls.client'), require('agentls.review')

-- The file is closed before its server is ready: nothing is asked about it.
T.setup()
vim.cmd('edit ' .. T.dir .. '/one/a.go')
vim.cmd('Agent explain')
vim.cmd('bwipeout')
T.told('the file was closed before the server was ready')

local one = T.open('one/a.go')
local two = T.open('two/b.go')
T.equal('two servers', #client.sessions(), 2)
local sessions = { T.session(one), T.session(two) }
T.equal('two roots', { sessions[1].root, sessions[2].root }, { T.dir .. '/one', T.dir .. '/two' })

local function rename(buf, to)
  vim.cmd('buffer ' .. buf)
  T.go('Twice(n')
  vim.cmd('Agent rename ' .. to)
  T.told('1 place to rename')
  return T.wait('the review', review.current)
end
local first = rename(one, 'Double')
T.equal('its server', first.session, sessions[1])
T.keys('q')
local second = rename(two, 'Dual')
T.equal('its server', second.session, sessions[2])
T.contains('the status line', require('agentls').statusline(), 'agentls: 2 proposals')

-- In a review, and in a file, it is about that project; elsewhere the user has to say which.
vim.cmd('Agent apply')
T.told('applied: Rename Twice to Dual')
T.wait('the review closes', function() return not review.current() end)
vim.cmd('buffer ' .. one)
vim.cmd('Agent undo')
T.told('nothing')
T.contains('the other project', T.text(two), 'func Dual(')
vim.cmd('help')
vim.cmd('Agent undo')
T.told('several projects are open: go to a file of the one you mean')
vim.cmd('helpclose')

-- The server of one ends: the other goes on, and a window of the first does not turn to it.
vim.cmd('buffer ' .. one)
vim.cmd('Agent changes')
T.wait('the review', review.current)
sessions[1]:kill()
T.told('the server ended')
vim.cmd('Agent undo')
T.told('the server of this window has ended')
T.contains('the other project', T.text(two), 'func Dual(')
T.keys('q')
vim.cmd('buffer ' .. two)
vim.cmd('Agent undo')
T.told('undone: Rename Twice to Dual')

-- A session that is saved with a review in it, and restored.
vim.cmd('buffer ' .. one)
vim.cmd('Agent changes')
T.wait('the review', review.current)
vim.cmd('mksession ' .. vim.env.HOME .. '/session.vim')
T.keys('q')
vim.cmd('silent! source ' .. vim.env.HOME .. '/session.vim')
vim.v.errmsg = ''
vim.cmd('silent! tabonly | silent! only')
vim.cmd('buffer ' .. one)
vim.cmd('Agent changes')
T.wait('the review', review.current)
T.contains('the review', T.windows()[3], 'func Double(')
