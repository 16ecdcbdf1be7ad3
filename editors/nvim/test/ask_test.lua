-- A question: the answer streams into a window, a follow-up knows what came before, and the window can be closed and
-- shown again.
T.setup()
T.open('sum.go')
T.go('func Sum')
vim.diagnostic.set(vim.api.nvim_create_namespace('other'), 0, {
  { lnum = 4, col = 0, severity = 1, message = 'what other servers report', source = 'lint' },
})

vim.cmd('Agent ask is it safe for nil?')
T.wait('the beginning of the answer', function()
  local text = T.float()
  return text and text:find('I look', 1, true) and text:find('running', 1, true) and not text:find('zero', 1, true)
end)
T.wait('the end of the answer', function() return T.float():find('scripted, 2 requests', 1, true) end)
local text = T.float()
T.contains('the window', text, '# Ask about Sum')
T.contains('the window', text, '> is it safe for nil?')
T.contains('the window', text, 'I look at who uses it.')
T.contains('the window', text, '✓ *')
T.contains('the window', text, 'A nil slice has no elements: the sum is zero.')
T.equal('the cursor is in the window', vim.api.nvim_win_get_config(0).relative, 'editor')

T.answers = { 'and for large ones?' }
T.keys('i')
T.equal('the prompt', T.asked, 'Follow-up: ')
T.wait('the second answer', function() return T.float():find('scripted, 1 request,', 1, true) end)
T.contains('the second answer', T.float(), 'It overflows.')
T.contains('both questions', T.float(), '> and for large ones?')
T.contains('both questions', T.float(), '> is it safe for nil?')

T.keys('q')
T.equal('closed', T.float(), nil)
vim.cmd('Agent answer')
T.contains('shown again', T.float(), 'It overflows.')
T.keys('<Esc>')

-- A run whose window is closed tells when it ends; one that is stopped says so.
vim.cmd('Agent explain')
T.wait('its window', T.float)
T.keys('q')
T.told('Explain Sum: answered: :Agent answer')

vim.cmd('Agent ask how long is it?')
T.wait('the slow answer', function() return T.float() and T.float():find('Very', 1, true) end)
T.contains('the status line', require('agentls').statusline(), 'agentls: Ask about Sum …')
T.keys('s')
T.wait('the stop', function() return T.float():find('It failed:** stopped by the user', 1, true) end)
vim.cmd('Agent stop')
T.told('nothing runs')
