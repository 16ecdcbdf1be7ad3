-- The windows of a review, whatever the user does to them and to the others.
vim.fn.writefile({ 'package a', '', '// Twice doubles.', 'func Twice(n int) int { return 2 * n }' }, T.dir .. '/a.go')
vim.fn.writefile({ 'package a', '', '', '', '', 'var four = Twice(2)' }, T.dir .. '/b.go')
vim.fn.writefile({ 'package a' }, T.dir .. '/c.go')
vim.o.number, vim.o.signcolumn, vim.o.list = true, 'yes', true
T.setup()
local c = T.open('c.go')
local b = T.open('b.go')
local a = T.open('a.go')
T.go('Twice(n')

local function tabs() return #vim.api.nvim_list_tabpages() end

local function in_review() return require('agentls.review').current() end

local function open_review()
  vim.cmd('Agent changes')
  T.wait('the review', in_review)
end

local function is_plain(what)
  T.equal(what .. ': tabs', tabs(), 1)
  for _, win in ipairs(vim.api.nvim_list_wins()) do
    T.equal(what .. ': no diff', vim.wo[win].diff, false)
    T.equal(what .. ': no title', vim.wo[win].statusline, vim.go.statusline)
  end
end

-- A session that was restored has buffers by the names that the review would take.
for i = 1, 3 do vim.fn.bufadd('agentls://review ' .. i) end
vim.cmd('Agent rename Double')
T.told('2 places to rename')
T.wait('the review', in_review)

-- One of its windows closed is all of it closed.
for _, keys in ipairs({ ':q<CR>', '<C-w>h:q<CR>', '<C-w>k<C-w>c', ':only<CR>', ':bdelete<CR>', ':tabclose<CR>' }) do
  T.keys(keys)
  T.wait(keys, function() return tabs() == 1 end)
  is_plain(keys)
  T.equal(keys .. ': the file', vim.api.nvim_get_current_buf(), a)
  open_review()
end

-- Another file in one of its windows: the review makes way.
vim.cmd('wincmd k | edit ' .. T.dir .. '/c.go')
T.wait('one window', function() return #vim.api.nvim_tabpage_list_wins(0) == 1 end)
T.equal('the looks of the list', { vim.wo.number, vim.wo.signcolumn, vim.wo.list, vim.wo.wrap, vim.wo.winfixheight },
  { true, 'yes', true, true, false })
vim.cmd('tabclose')
vim.cmd('buffer ' .. a)
open_review()
vim.cmd('edit ' .. T.dir .. '/c.go')
T.wait('one window', function() return #vim.api.nvim_tabpage_list_wins(0) == 1 end)
T.equal('the file', vim.api.nvim_get_current_buf(), c)
T.equal('its window', { vim.wo.diff, vim.wo.scrollbind, vim.wo.cursorbind, vim.wo.statusline, vim.wo.foldmethod },
  { false, false, false, vim.go.statusline, 'manual' })
T.equal('its looks', { vim.wo.number, vim.wo.signcolumn, vim.wo.list, vim.wo.wrap }, { true, 'yes', true, true })
vim.cmd('tabclose')
is_plain('after another file')

-- The tab it came from is gone, and there are others: the file is not shown in the review's window.
vim.cmd('tabnew')
vim.cmd('tabnew')
open_review()
local tab = vim.api.nvim_get_current_tabpage()
vim.cmd('tabprevious | tabclose')
vim.api.nvim_set_current_tabpage(tab)
T.keys('o')
T.equal('the file', vim.api.nvim_get_current_buf(), a)
T.equal('not in the review', vim.api.nvim_get_current_tabpage() == tab, false)
vim.api.nvim_set_current_tabpage(tab)
T.equal('the review', in_review() ~= nil, true)

-- From the list, the file is opened where its own hunk is, not where that of the file in sight is.
T.keys('<C-w>k')
vim.api.nvim_win_set_cursor(0, { 3, 0 })
T.keys('o')
T.equal('the other file', { vim.api.nvim_get_current_buf(), vim.api.nvim_win_get_cursor(0)[1] }, { b, 6 })
vim.api.nvim_set_current_tabpage(tab)
T.keys('q')
vim.cmd('tabonly')
vim.cmd('buffer ' .. a)

-- A conflict that was opened from a review: `o` goes to the file, and leaves the review whole.
vim.api.nvim_buf_set_lines(a, 3, 4, false, { 'func Thrice(n int) int { return 3 * n }' })
open_review()
T.keys('ga')
T.told('nothing was changed')
T.wait('the conflict', function() return tabs() == 3 end)
T.keys('o')
T.equal('the file', vim.api.nvim_get_current_buf(), a)
T.equal('two tabs', tabs(), 2)
vim.cmd('tabnext')
T.equal('the review', in_review() ~= nil and #vim.api.nvim_tabpage_list_wins(0), 3)
T.keys('q')
is_plain('after the conflict')
vim.api.nvim_buf_call(a, function() vim.cmd('silent undo') end)

-- A window that was added to the review's tab stays, with its text.
open_review()
vim.cmd('botright new | put =\'mine\'')
local mine = vim.api.nvim_get_current_win()
vim.cmd('wincmd p')
vim.o.hidden = false
T.keys('q')
T.equal('my window', vim.api.nvim_win_is_valid(mine), true)
vim.api.nvim_set_current_win(mine)
vim.cmd('bdelete!')
T.wait('one tab', function() return tabs() == 1 end)

-- 'nohidden' and text that is not saved: the file comes in a window of its own.
vim.cmd('buffer ' .. b)
vim.api.nvim_buf_set_lines(b, 0, 0, false, { '// typed' })
vim.o.switchbuf = 'useopen,usetab'
open_review()
T.keys('o')
T.equal('the file', vim.api.nvim_get_current_buf(), a)
T.equal('both windows', #vim.api.nvim_tabpage_list_wins(0), 2)
vim.cmd('only! | buffer! ' .. b)
vim.cmd('silent undo')
vim.o.hidden = true

-- Only in a file's own lines is a hunk "at the cursor".
vim.cmd('buffer ' .. a)
vim.api.nvim_win_set_cursor(0, { 1, 0 })
vim.cmd('Agent accept')
T.told('no hunk is proposed at the cursor')

-- The user went on to type before the answer came: the window does not take what is typed for a decision.
vim.cmd('enew | buffer ' .. a)
vim.cmd('Agent changes')
vim.cmd('split')
T.told('2 places waits: :Agent changes')
T.equal('no review', in_review(), nil)
vim.cmd('only')

-- The global status line hides those of the windows: titles and keys are above them, where there are such lines.
if vim.fn.exists('+winbar') == 1 then
  vim.o.laststatus = 3
  open_review()
  local wins = vim.api.nvim_tabpage_list_wins(0)
  T.contains('the keys', vim.wo[wins[1]].winbar, 'a accept')
  T.contains('a title', vim.wo[wins[3]].winbar, 'a.go as proposed')
  T.keys('q')
end
