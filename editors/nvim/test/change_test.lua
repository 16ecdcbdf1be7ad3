-- The whole way: change, preview, reject a hunk, apply, verify, undo, redo. Buffers that were saved are saved again,
-- and those that were not are left to the user.
T.setup()
T.open('sum.go')
T.open('use.go')
local use = vim.api.nvim_get_current_buf()
vim.api.nvim_buf_set_lines(use, 0, 0, false, { '// typed and not saved' })
local sum = T.open('sum.go')
T.go('func Sum')
local original = T.text(sum)

vim.cmd('Agent change add Mean')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits for your review', 1, true) end)
T.contains('the window', T.float(), 'Sum now takes floats')
T.contains('the status line', require('agentls').statusline(), 'agentls: 1 proposal')
T.equal('nothing has changed', { T.text(sum), T.disk('mean.go') }, { original, nil })

T.keys('d')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
local list, left, right = unpack(T.windows())
T.contains('the list', list, 'add Mean: 4 hunks in 3 files')
T.contains('the list', list, '▸ A mean.go  1 hunk, +6 -0')
T.contains('the list', list, '  M sum.go  2 hunks, +2 -2')
T.contains('the list', list, '  M use.go  1 hunk, +1 -1')
T.equal('the first file, as it is', left, '')
T.contains('the first file, as proposed', right, 'func Mean(')
T.equal('a diff', vim.wo.diff, true)

-- To the second file; its first hunk is rejected.
T.keys(']c')
T.contains('the second file', T.windows()[1], '▸ M sum.go')
T.equal('the cursor is on its first hunk', vim.api.nvim_get_current_line(), '// Sum adds what it is given.')
T.contains('the left side', T.windows()[2], '// Sum adds numbers.')
T.keys('r')
T.told('rejected, 3 hunks left')
T.wait('the list without it', function() return T.windows()[1]:find('M sum.go  1 hunk, +1 -1', 1, true) end)
T.contains('the right side', T.windows()[3], '// Sum adds numbers.')
T.equal('the cursor is on the next hunk', vim.api.nvim_get_current_line(), '\ttotal := 0.0')

-- Apply what is left.
vim.cmd('Agent apply')
T.contains('the message', T.told('applied: add Mean (3 files)'), 'not saved: use.go')
T.wait('the review closes', function() return #vim.api.nvim_list_tabpages() == 1 end)
local applied = original:gsub('total := 0', 'total := 0.0')
T.equal('the buffer', T.text(sum), applied)
T.equal('on disk', T.disk('sum.go'), applied .. '\n')
T.equal('saved', { vim.bo[sum].modified, vim.bo[use].modified }, { false, true })
T.equal('what was typed is kept', T.text(use),
  '// typed and not saved\npackage sum\n\nfunc use() float64 { return Sum(nil) }')
T.equal('and not saved', T.disk('use.go'), 'package sum\n\nfunc use() int { return Sum(nil) }\n')
T.contains('the new file', T.disk('mean.go'), 'func Mean(')

-- All of it back, and again; then by Neovim's own undo, a buffer.
vim.cmd('Agent undo')
T.told('undone: add Mean')
T.equal('undone', { T.text(sum), T.disk('sum.go'), T.disk('mean.go') }, { original, original .. '\n', nil })
T.contains('what was typed is kept', T.text(use), '// typed and not saved\npackage sum\n\nfunc use() int')
vim.cmd('Agent redo')
T.told('made again: add Mean')
T.equal('made again', { T.text(sum), T.disk('sum.go') }, { applied, applied .. '\n' })
T.contains('the new file', T.disk('mean.go'), 'func Mean(')
vim.cmd('silent undo')
T.equal('one u takes one buffer back', T.text(sum), original)
vim.cmd('silent redo')

vim.cmd('Agent undo')
T.told('undone: add Mean')

-- The history offers to make it again.
vim.ui.select = function(items, opts, done)
  T.contains('the history', opts.format_item(items[1]), 'add Mean')
  T.equal('the first offer', opts.format_item(items[1]):sub(1, 4), 'redo')
  done(items[1])
end
vim.cmd('Agent history')
T.told('made again: add Mean')
vim.cmd('Agent changes')
T.told('no proposal waits for you')
vim.cmd('silent! wall')
