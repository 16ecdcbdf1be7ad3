-- Commands of the agent: it asks before one uses the network, says how each ended, and checks its change before it
-- proposes that. The checks are shown with the proposal, and in its review.
require('agentls.question').pause = 100
T.setup({ verify = { 'test -f b.txt', 'echo broken since 1970; exit 3' } })
T.open('a.txt')
vim.cmd('Agent change add b')
local function question()
  for _, win in ipairs(vim.api.nvim_list_wins()) do
    local text = T.text(vim.api.nvim_win_get_buf(win))
    if text:find('Allow once', 1, true) then return text end
  end
end
T.contains('the question', T.wait('the question, for which make stage must have been run', question), 'echo hello')
T.contains('the question', question(), 'it fetches a list')
local over = false
vim.defer_fn(function() over = true end, 250)
T.wait('a pause', function() return over end)
vim.api.nvim_input('1')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
T.contains('how the command ended', T.float(), 'echo hello*: exit code 0 after ')
T.contains('a check', T.float(), '✓ test -f b.txt  0.')
T.contains('a check', T.float(), '✗ echo broken since 1970; exit 3  exit 3')
T.keys('c')
T.contains('the output', T.text(), '\nbroken since 1970')
T.contains('where it ran', T.text(), '\n  confined: ')
T.keys('q')
T.keys('d')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.contains('the list', T.windows()[1], '▸ A b.txt  1 hunk, +1 -0\n✓ test -f b.txt  0.')
T.keys('c')
T.contains('the output', T.text(), '\nbroken since 1970')
T.keys('q')
T.keys('<C-w>k')
vim.api.nvim_win_set_cursor(0, { 4, 0 })
T.keys('<CR>')
T.contains('the output', T.text(), '\nbroken since 1970')
T.keys('<Esc>')
T.keys('ga')
T.told('applied: ')
T.equal('on disk', T.disk('b.txt'), 'two\n')

local lines
require('agentls.status').report(T.session(vim.fn.bufnr('a.txt')), function(report)
  lines = table.concat(report, '\n')
end)
T.wait('the status', function() return lines end)
T.equal('how commands are confined', lines:find('was not found out yet', 1, true), nil)
vim.cmd('checkhealth agentls')
T.contains('the health', T.text(), 'commands of the agent: ')
