-- What picture.sh takes pictures of: an answer, the review of a proposal with its checks, a conflict, the tasks at a
-- service.
vim.o.termguicolors = true
vim.o.number = true
vim.o.laststatus = 2
vim.o.ruler = false
vim.o.shortmess = vim.o.shortmess .. 'F'
vim.o.statusline = " %t %m%= %{%v:lua.require'agentls'.statusline()%}  %l "

-- Lets the picture be taken.
local function shot(name)
  vim.cmd('redraw!')
  local drawn, ready = false, vim.env.HOME .. '/' .. name .. '.ready'
  vim.defer_fn(function() drawn = true end, 300)
  T.wait('the screen', function() return drawn end)
  vim.fn.writefile({}, ready)
  T.wait('the picture', function() return vim.fn.filereadable(ready) == 0 end)
end

T.patience = 30000
T.commit()
local url, stop = T.serve('127.0.0.1:0')
T.setup({
  verify = { 'gofmt -l .', 'go mod verify' }, remote = { url = url, token = 'token-of-ann' },
})
vim.diagnostic.config({ virtual_text = false })
T.open('mux.go')
vim.cmd('syntax on')
T.go('func (m *Mux) Route')
vim.cmd('normal! zt')

vim.cmd('Agent ask what happens without a handler?')
T.wait('the answer', function() return T.float() and T.float():find('requests,', 1, true) end)
shot('nvim-ask')
T.keys('q')

vim.cmd('Agent change return an error instead of panicking')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
T.keys('d')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.keys(']c')
shot('nvim-review')

T.keys('q')
T.go('panic(')
vim.api.nvim_set_current_line('\t\tpanic("mux: nobody routes " + path)')
vim.cmd('Agent apply')
T.wait('the conflict', function() return #vim.api.nvim_list_tabpages() == 2 end)
shot('nvim-conflict')
T.keys('q')
vim.cmd('silent undo')

T.go('func parent')
vim.cmd('Agent remote change let parent work on Windows, too')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
T.keys('q')
vim.cmd('Agent remote ask who needs the fallback?')
T.wait('the answer', function() return T.float() and T.float():find('The tests', 1, true) end)
T.keys('q')
vim.cmd('Agent tasks')
T.wait('the list', function() return vim.fn.bufnr('agentls://tasks') > 0 end)
vim.api.nvim_win_set_cursor(0, { 3, 0 })
T.keys('<CR>')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
shot('nvim-tasks')
stop()
