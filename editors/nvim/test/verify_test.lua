-- What could check a change that no command checked is offered; once picked, it checks those that follow.
T.setup()
T.open('a.txt')
vim.cmd('Agent verify')
T.told('nothing is suggested')
vim.cmd('Agent change add b')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
T.contains('what could check it', T.float(), 'No command checked it. `make test` could: :Agent verify')

local offered
vim.ui.select = function(items, _, choose)
  offered = items
  choose(items[1], 1)
end
vim.cmd('Agent verify')
T.equal('the choices', offered, { 'make test' })
T.told('every change is checked with make test')

T.keys('q')
vim.cmd('Agent change and once more')
T.wait('the check', function() return T.float() and T.float():find('✓ make test  ', 1, true) end)
