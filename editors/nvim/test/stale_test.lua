-- The user types in the very moment of an apply: nothing is applied, neither in the buffer nor on disk, and nothing
-- that was typed is lost. The next apply takes it along.
T.setup()
local buf = T.open('open.go')
T.go('func Open')
vim.cmd('Agent change both')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
T.keys('q')

local edit = require('agentls.edit')
local handle = edit.handle
edit.handle = function(...)
  edit.handle = handle
  vim.api.nvim_buf_set_lines(buf, -1, -1, false, { '// typed' })
  return handle(...)
end
vim.cmd('Agent apply')
T.told('open.go changed meanwhile: nothing was applied, try again')
T.equal('the buffer', T.text(buf), 'package a\n\n// Open is open.\nfunc Open() {}\n// typed')
T.contains('the closed file', T.disk('closed.go'), '// Closed is closed.')

vim.cmd('Agent apply')
T.told('applied: both (2 files), not saved: open.go')
T.equal('the buffer', T.text(buf), 'package a\n\n// Open is shown.\nfunc Open() {}\n// typed')
T.contains('the closed file', T.disk('closed.go'), '// Closed is not shown.')
