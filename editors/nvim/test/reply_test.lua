-- What a run asks: a question is shown, can be dismissed and still be answered, by a choice or in other words; a plan is
-- shown, edited and accepted.
T.setup()
T.open('sum.go')
T.go('func Sum')
vim.cmd('Agent plan a better name')
T.wait('the question', function() return T.float() and T.float():find('It asks:** Which name?', 1, true) end)
T.contains('the choices', T.float(), '- Add\n- Plus')
T.contains('the state', T.float(), 'waiting for you')

-- Dismissed, it still waits.
local offered
vim.ui.select = function(items, _, choose)
  offered = items
  choose(nil, nil)
end
T.keys('a')
T.equal('the choices', offered, { 'Add', 'Plus', 'Another answer…' })
T.contains('it waits', T.float(), 'a answer')

-- Another answer.
vim.ui.select = function(items, _, choose) choose(items[3], 3) end
T.answers = { 'Total' }
vim.cmd('Agent reply')
T.equal('the prompt', T.asked, 'Which name? ')

-- The plan, edited.
T.wait('the plan', function() return T.float():find('The plan waits for your word', 1, true) end)
T.contains('its steps', T.float(), '- [ ] rename Sum\n- [ ] run tests')
vim.ui.select = function(items, _, choose) choose(items[2], 2) end
T.keys('a')
T.equal('the document', T.text(), '- [ ] rename Sum\n- [ ] run tests')
vim.api.nvim_buf_set_lines(0, 0, -1, false, { '- rename it everywhere' })
vim.cmd('write')
T.wait('the end', function() return T.float():find('I stop here', 1, true) end)
vim.cmd('Agent reply')
T.told('no run asks anything')
