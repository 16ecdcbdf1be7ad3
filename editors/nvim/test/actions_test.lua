-- Without a model: code actions ask for what they lack, the index answers and renames, and the plugin says what it can
-- and cannot do.
vim.fn.writefile({ 'package a', '', '// Twice doubles.', 'func Twice(n int) int { return 2 * n }' }, T.dir .. '/a.go')
vim.fn.writefile({ 'package a', '', 'var four = Twice(2)' }, T.dir .. '/b.go')
T.setup()
T.open('b.go')
local buf = T.open('a.go')
T.go('Twice(n')

local function choose(title)
  vim.ui.select = function(items, opts, done)
    for i, item in ipairs(items) do
      if opts.format_item(item) == title then return done(item, i) end
    end
    error('there is no ' .. title .. ' in ' .. vim.inspect(vim.tbl_map(opts.format_item, items)))
  end
  vim.lsp.buf.code_action()
end

-- Ask: the user may say what, or take the default.
T.answers = { '' }
choose('Ask about `Twice`')
T.wait('the answer', function() return T.float() and T.float():find('from the index', 1, true) end)
T.contains('the prompt', T.asked, 'Ask')
T.contains('the answer', T.float(), 'Twice doubles.')
T.keys('q')

-- The call graph: a page, which is read again where it is open.
for _ = 1, 2 do
  choose('Show call graph of `Twice`')
  T.wait('the page', function() return vim.api.nvim_buf_get_name(0):find('calls.md', 1, true) end)
  T.contains('the page', table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n'), '# Calls of `Twice`')
  vim.cmd('close')
  T.equal('back in the file', vim.api.nvim_get_current_buf(), buf)
end

-- Rename: the user is asked for the name, and sees the proposal at once.
T.answers = { 'Double' }
choose('Rename `Twice` (index)')
T.told('2 places to rename')
T.equal('the prompt', T.asked, 'New name: ')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.contains('the list', T.windows()[1], 'Rename Twice to Double')
T.contains('as proposed', T.windows()[3], 'func Double(n int)')
T.keys('o')
T.equal('the file is opened', vim.api.nvim_get_current_buf(), buf)

-- In the file itself: accept the hunk at the cursor, then the other file.
T.go('func Twice')
vim.cmd('Agent accept')
T.told('applied: Rename Twice to Double')
T.contains('on disk', T.disk('a.go'), 'func Double(n int) int')
T.contains('not yet', T.disk('b.go'), 'Twice(2)')
T.open('b.go')
T.go('Twice')
choose('Accept hunk: Rename Twice to Double (index): 2 places: replaces 1 line by 1')
T.told('applied: Rename Twice to Double')
T.contains('on disk', T.disk('b.go'), 'Double(2)')
T.wait('the review closes', function() return #vim.api.nvim_list_tabpages() == 1 end)

-- A refused name, a cancelled prompt.
vim.cmd('Agent rename 1x')
T.told('"1x" is not a name')
T.answers = {}
vim.cmd('Agent rename')
T.equal('nothing is said', T.messages(), '')

-- A selection; the status; the health; the help.
vim.cmd('1,3Agent explain')
T.wait('the answer', function() return T.float() and T.float():find('from the index', 1, true) end)
T.keys('q')
local lines
require('agentls.status').report(T.session(), function(report) lines = table.concat(report, '\n') end)
T.wait('the status', function() return lines end)
T.contains('the status', lines, 'model: none, the index answers')
T.contains('the status', lines, 'index: 2 files')
T.contains('the status', lines, 'roots: ' .. T.dir)

vim.cmd('checkhealth agentls')
local health = T.text()
T.contains('the health', health, 'Neovim 0.')
T.contains('the health', health, T.server .. ': agentls ')
T.contains('the health', health, '2 files and ')
T.contains('the health', health, 'no model: the index answers')
vim.cmd('bwipeout')

vim.fn.mkdir(T.dir .. '/help/doc', 'p')
vim.fn.writefile(vim.fn.readfile(vim.env.AGENTLS_PLUGIN .. '/doc/agentls.txt'), T.dir .. '/help/doc/agentls.txt')
vim.cmd('helptags ' .. T.dir .. '/help/doc')
vim.opt.runtimepath:prepend(T.dir .. '/help')
for _, topic in ipairs({
  'agentls', ':Agent', 'agentls.setup()', 'agentls-review', ':Agent-history', ':Agent-tasks', 'agentls-remote', 'agentls-told',
}) do
  vim.cmd('help ' .. topic)
  T.equal('the help on ' .. topic, vim.fn.expand('%:t'), 'agentls.txt')
end
vim.cmd('helpclose')
