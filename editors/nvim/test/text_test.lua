-- Texts of all kinds: line ends of DOS, wide characters, no line end at the end of the file, an edit at the very end.
local texts = {
  ['dos.go'] = 'package a\r\n\r\n// Dos is 😀.\r\nfunc Dos() {}\r\n\r\n// Last.\r\n',
  ['bare.go'] = 'package a\n\nconst Bare = "ä😀"',
  ['end.go'] = 'package a\n',
}
local function disk() return vim.tbl_map(T.disk, { 'dos.go', 'bare.go', 'end.go' }) end
for name, text in pairs(texts) do
  local file = assert(io.open(T.dir .. '/' .. name, 'wb'))
  file:write(text)
  file:close()
end
T.setup()
vim.o.fixendofline = false
for _, name in ipairs({ 'end.go', 'bare.go', 'dos.go' }) do T.open(name) end
T.go('func Dos')
vim.cmd('Agent change all')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
T.keys('d')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.keys('ga')
T.told('applied: all (3 files)')
T.equal('on disk', disk(), {
  'package a\r\n\r\n// Dos is 😀😀.\r\nfunc Dos() {}\r\n',
  'package a\n\nconst Bare = "😀ä"\nconst More = 1\n', -- a patch ends each line
  'package a\n\nconst End = 1\n',
})
vim.cmd('Agent undo')
T.told('undone: all')
T.equal('on disk', disk(), { texts['dos.go'], texts['bare.go'], texts['end.go'] })

-- One u takes all edits of a buffer back.
vim.cmd('Agent redo')
T.told('made again: all')
local before = T.text()
vim.cmd('silent undo')
T.contains('the first hunk', T.text(), '// Dos is 😀.')
T.contains('the last hunk', T.text(), '// Last.')
vim.cmd('silent redo')
T.equal('again', T.text(), before)
