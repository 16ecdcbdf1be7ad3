-- The window of an answer, whatever the user does to it. The index answers.
vim.fn.writefile({ 'package a', '', '// Twice doubles.', 'func Twice(n int) int { return 2 * n }' }, T.dir .. '/a.go')
T.setup()
local a = T.open('a.go')
local home = vim.api.nvim_get_current_win()
T.go('func Twice')
local client = vim.lsp.get_client_by_id(T.session().id)

local function event(kind, run, fields)
  client.handlers['agentls/event'](nil, vim.tbl_extend('force', { kind = kind, run = run }, fields))
end
local function floats()
  local function floats(win) return vim.api.nvim_win_get_config(win).relative ~= '' end
  return vim.tbl_filter(floats, vim.api.nvim_list_wins())
end
local function explain()
  local before = floats()[1]
  vim.cmd('Agent explain')
  T.wait('the answer', function()
    return floats()[1] and floats()[1] ~= before and T.float():find('from the index', 1, true)
  end)
end

-- The user asked on elsewhere while a prompt was open: one window, and q closes it.
explain()
local finish
local input = vim.ui.input
vim.ui.input = function(_, done) finish = done end
T.keys('i')
vim.api.nvim_set_current_win(home)
explain()
finish('why?')
T.wait('the first conversation', function() return T.float() and T.float():find('> why?', 1, true) end)
vim.ui.input = input
T.equal('one window', #floats(), 1)
T.keys('q')
T.equal('none', #floats(), 0)

-- In its window :Agent ask asks on, and more than twenty runs later the first ones are still what they were.
explain()
for i = 1, 22 do
  vim.cmd('Agent ask number ' .. i)
  T.wait('answer ' .. i, function()
    local text = T.float()
    return text and text:find('> number ' .. i, 1, true) and text:find('from the index', 1, true)
  end)
end
local _, titles = T.float():gsub('# Explain Twice', '')
T.equal('the first title', titles, 1)
T.equal('nothing runs', require('agentls').statusline(), 'agentls')

-- A split of it stays a split when text comes; another file in it is not written over; the last window of all.
vim.cmd('wincmd L')
event('run.text', 'x', { text = 'late' })
vim.cmd('Agent ask once more')
T.wait('the split', function()
  return T.text():find('> once more', 1, true) and T.text():find('from the index', 1, true)
end)
T.equal('no float', #floats(), 0)
vim.cmd('only')
T.keys('q')
T.equal('an empty window', { #vim.api.nvim_list_wins(), T.text() }, { 1, '' })
vim.cmd('buffer ' .. a)
explain()
vim.cmd('edit ' .. T.dir .. '/a.go')
vim.cmd('Agent explain')
T.wait('a window of its own', function() return #floats() == 2 end)
T.keys('q')
vim.api.nvim_win_close(floats()[1], true)
T.equal('the file is untouched', T.text(a):sub(1, 9), 'package a')

-- The buffer was read again, and unloaded: the question still has a place.
vim.api.nvim_set_current_win(vim.api.nvim_tabpage_list_wins(0)[1])
vim.cmd('buffer ' .. a)
T.go('func Twice')
explain()
vim.api.nvim_buf_call(a, function() vim.cmd('edit!') end)
T.wait('attached again', function() return T.session(a) end)
vim.cmd('Agent ask after :edit')
T.wait('an answer', function() return T.float():find('> after :edit', 1, true) end)
T.keys('q')

-- The user is typing, or elsewhere, when it opens: the cursor stays there.
vim.cmd('Agent explain')
vim.cmd('split')
T.wait('the window', T.float)
T.equal('the cursor', vim.api.nvim_win_get_config(0).relative, '')
vim.cmd('only!')

-- What a command says of itself, checks with their output, control characters, a service.
event('run.started', 'r', { title = 'Change\nTwice', mode = 'edit', remote = 'http://service' })
require('agentls.answer').open(T.session(a), { uri = vim.uri_from_bufnr(a), range = T.range() },
  { run = require('agentls.runs').run('r', client.id), command = 'agentls.change' }, function() return true end)
T.contains('where', T.float(), 'to be handed to http://service')
event('run.step', 'r', {
  step = { id = '1', tool = 'shell', title = 'go test\n./...', state = 'done', detail = 'exit 1 after 2.3 s' },
})
event('run.text', 'r', { text = 'Done.\r\nReally\27[0m.\n' })
event('run.waiting', 'r', { text = 'of\nthe model' })
T.contains('waiting', T.float(), '── waiting: of; the model ── s stop  q close')
event('run.done', 'r', {
  title = 'Change Twice', mode = 'edit', answer = 'Done.', source = 'm', usage = {}, changeSet = 'c',
  checks = {
    { command = 'go test ./...', passed = true, exit = 0, output = '', seconds = 2.34, confinement = 'full' },
    { command = 'go vet ./...', passed = false, exit = 1, output = '\27[31mvet: bad\27[0m\r\n10%\r100%\n', seconds = 1,
      confinement = 'full' },
    { command = 'sleep 9', passed = false, exit = 137, stopped = 'ran for 5 s', output = '', seconds = 5,
      confinement = '' },
  },
})
T.equal('the window', T.float(), table.concat({
  '# Change Twice', '', '✓ *go test; ./...*: exit 1 after 2.3 s', '', 'Done.', 'Really\27[0m.', '',
  '✓ go test ./...  2.3 s', '✗ go vet ./...  exit 1', '✗ sleep 9  stopped: ran for 5 s', '',
  '**A proposal waits for your review:** press d, or :Agent changes', '',
  '── from the m ── d review  c checks  i follow-up  q close',
}, '\n'))
T.keys('c')
T.equal('the output', T.text(), table.concat({
  '✓ go test ./...  2.3 s', '  confined: full', '', '✗ go vet ./...  exit 1', '  confined: full', 'vet: bad', '100%', '',
  '✗ sleep 9  stopped: ran for 5 s',
}, '\n'))
T.keys('q')
T.keys('q')
T.equal('closed', #floats(), 0)

-- What the server is told before each run: the files on screen, and what others report.
vim.cmd('edit ' .. T.dir .. '/b.go | edit ' .. T.dir .. '/a.go')
local b = vim.fn.bufnr('b.go')
vim.api.nvim_buf_set_lines(b, 0, -1, false, { 'package a // ä😀', 'x' })
vim.cmd('split b.go | split | help | wincmd p')
local ns = vim.api.nvim_create_namespace('other')
local problems = {}
for i = 1, 300 do problems[i] = { lnum = 0, col = 0, severity = 2, message = 'warning ' .. i, source = 'lint' } end
vim.diagnostic.set(ns, a, problems)
vim.diagnostic.set(ns, b, {
  { lnum = 0, col = 13, end_lnum = 0, end_col = 19, severity = 1, message = 'error', source = 'gopls' },
  { lnum = 1, col = 0, severity = 4, message = 'hint', source = 'gopls' },
  { lnum = 1, col = 0, severity = 1, message = 'hunk', source = 'agentls' },
})
local view = require('agentls.editor').view(T.session(a))
T.equal('on screen', view.visible, { vim.uri_from_bufnr(b), vim.uri_from_bufnr(a) })
T.equal('bounded', #view.problems, 200)
local last = T.session(a):encoding() == 'utf-8' and 19 or 16 -- the encoding of 0.12
T.equal('the most important', view.problems[1], {
  uri = vim.uri_from_bufnr(b), severity = 1, message = 'error', source = 'gopls',
  range = { start = { line = 0, character = 13 }, ['end'] = { line = 0, character = last } },
})
T.equal('the next', view.problems[2].message, 'warning 1')
vim.cmd('silent! helpclose | only!')
vim.cmd('edit! ' .. T.dir .. '/a.go')
