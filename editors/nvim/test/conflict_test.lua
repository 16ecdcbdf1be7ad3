-- A conflict: the user changes the line that the proposal changes. Both texts are shown, and nothing is lost.
T.setup()
local buf = T.open('sum.go')
T.go('func Sum')
vim.cmd('Agent change better comments')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
T.keys('q')

T.go('// Sum')
vim.api.nvim_set_current_line('// Sum is mine.')
local mine = T.text(buf)
vim.cmd('Agent changes')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.contains('the list', T.windows()[1], 'M sum.go  2 hunks, +2 -2, 1 conflict')
T.contains('the left side is what is there now', T.windows()[2], '// Sum is mine.')

-- Marks say which hunk is in conflict, and why.
local marks = vim.api.nvim_create_namespace('agentls.pair')
local function notes()
  local out = {}
  for _, win in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    local b = vim.api.nvim_win_get_buf(win)
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(b, marks, 0, -1, { details = true })) do
      if mark[4].virt_text then out[#out + 1] = mark[4].virt_text[1][1] end
    end
  end
  table.sort(out)
  return table.concat(out, '\n')
end
T.contains('the marks', notes(), 'hunk 1: conflict: ')
T.contains('the marks', notes(), 'hunk 2')

T.keys('a')
T.told('nothing was changed: 1 conflict, both texts are shown')
T.wait('the conflict', function() return #vim.api.nvim_list_tabpages() == 3 end)
local list, now, wanted = unpack(T.windows())
T.contains('the list', list, 'Nothing was changed')
T.contains('the list', list, 'sum.go, hunk 1: ')
T.contains('what is there now', now, '// Sum is mine.')
T.contains('what the change set wants', wanted, '// Sum adds what it is given.')
T.equal('the buffer', T.text(buf), mine)
T.contains('the disk', T.disk('sum.go'), '// Sum adds numbers.')

T.keys('q')
T.wait('back in the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.contains('back in the review', T.windows()[1], '1 conflict')

-- All or nothing: the other hunk is not applied either.
T.keys('ga')
T.told('nothing was changed: 1 conflict')
T.wait('the conflict', function() return #vim.api.nvim_list_tabpages() == 3 end)
T.equal('the buffer', T.text(buf), mine)
T.keys('q')

-- Without the conflict the rest goes through.
T.wait('back in the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.keys('r')
T.told('rejected, 1 hunk left')
T.wait('the list', function() return T.windows()[1]:find('1 hunk, +1 -1', 1, true) end)
T.keys('a')
T.told('applied: better comments (1 file), not saved: sum.go')
T.wait('the review closes', function() return #vim.api.nvim_list_tabpages() == 1 end)
T.equal('the buffer', T.text(buf), (mine:gsub('// Zero', '// Naught')))
T.contains('an unsaved buffer stays unsaved', T.disk('sum.go'), '// Zero is none.')

-- An undo that meets the user's text is a conflict too.
T.go('// Naught')
vim.api.nvim_set_current_line('// Nothing is none.')
vim.cmd('Agent undo')
T.told('nothing was changed: 1 conflict')
T.wait('the conflict', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.contains('what is there now', T.windows()[2], '// Nothing is none.')
T.contains('what the undo wants', T.windows()[3], '// Zero is none.')
T.keys('o')
T.equal('the file is opened', vim.api.nvim_get_current_buf(), buf)
