-- Files that are open: one is renamed and changed, one is deleted. Undo brings both back, with what was typed.
T.setup()
T.open('old.go')
local gone = T.open('gone.go')
T.open('old.go')
T.go('func F')
vim.cmd('Agent change tidy')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
T.keys('d')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.contains('the list', T.windows()[1], 'D gone.go  1 hunk, +0 -3')
T.contains('the list', T.windows()[1], 'R old.go → sub/new.go')
T.keys('q')
T.equal('closed', #vim.api.nvim_list_tabpages(), 1)

vim.cmd('Agent apply')
T.told('applied: tidy (2 files)')
T.equal('on disk', { T.disk('old.go'), T.disk('gone.go'), T.disk('sub/new.go') },
  { nil, nil, 'package x\n\n// F is new.\nfunc F() {}\n' })
T.equal('the window shows the new file', vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ':.'), 'sub/new.go')
T.equal('its text', T.text(), 'package x\n\n// F is new.\nfunc F() {}')
T.equal('the deleted buffer is gone', vim.api.nvim_buf_is_loaded(gone), false)

vim.cmd('Agent undo')
T.told('undone: tidy')
T.equal('on disk', { T.disk('old.go'), T.disk('gone.go'), T.disk('sub/new.go') },
  { 'package x\n\n// F is old.\nfunc F() {}\n', 'package x\n\nfunc gone() {}\n', nil })
T.equal('the window shows the old file', vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ':.'), 'old.go')
