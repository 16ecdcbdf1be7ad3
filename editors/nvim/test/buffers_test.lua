-- Buffers of all kinds: names with blanks and signs, links, marks of byte order, line ends, buffers that are unlisted,
-- unloaded or renamed, folds and views.
T.dir = T.dir .. '/a b'
vim.fn.mkdir(T.dir)
vim.fn.mkdir(T.dir .. '/.git')
vim.cmd('cd ' .. vim.fn.fnameescape(T.dir))
local function put(name, text)
  local file = assert(io.open(T.dir .. '/' .. name, 'wb'))
  file:write(text)
  file:close()
end
local files = {
  ['decl.go'] = 'package a\n\n// Twice doubles.\nfunc Twice(n int) int { return 2 * n }\n',
  ['100%#.go'] = 'package a\n\nvar b = Twice(1)\n',
  ['bom.go'] = '\239\187\191package a\n\nvar bom = Twice(2)\n',
  ['dos.go'] = 'package a\r\n\r\nvar dos = Twice(3)\r\n',
  ['bare.go'] = 'package a\n\nvar bare = Twice(4)',
  ['long.go'] = 'package a\n\nvar long = Twice(5) // ' .. ('äx'):rep(40) .. '\n',
  ['unlisted.go'] = 'package a\n\nvar unlisted = Twice(6)\n',
  ['unloaded.go'] = 'package a\n\nvar unloaded = Twice(7)\n',
  ['never.go'] = 'package a\n\nvar never = Twice(8)\n',
}
for name, text in pairs(files) do put(name, text) end
vim.loop.fs_symlink(T.dir .. '/decl.go', T.dir .. '/link.go')

local function disk()
  local out = {}
  for name in pairs(files) do out[name] = T.disk(name) end
  return out
end
local function renamed(from, to)
  return vim.tbl_map(function(text) return (text:gsub(from, to)) end, files)
end

T.setup()
for name in pairs(files) do
  if name ~= 'never.go' then T.open(name) end
end
vim.bo[vim.fn.bufnr('unlisted.go')].buflisted = false
vim.cmd('bunload unloaded.go')
T.open('100%#.go')
T.open('decl.go')
local function open_files()
  return vim.tbl_map(vim.api.nvim_buf_get_name, vim.tbl_filter(function(buf)
    return vim.api.nvim_buf_is_loaded(buf) or vim.bo[buf].buflisted
  end, vim.api.nvim_list_bufs()))
end
local before = open_files()
T.go('Twice(n')
vim.cmd('Agent rename Double')
T.told('9 places to rename')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.contains('the list', T.windows()[1], 'M 100%#.go')
for _ = 1, 8 do T.keys(']f') end
T.keys('q')

vim.cmd('Agent apply')
T.told('applied: Rename Twice to Double')
local doubled = renamed('Twice%(', 'Double(')
doubled['bare.go'] = doubled['bare.go'] .. '\n' -- 'fixendofline'
local now = disk()
T.equal('on disk', now, doubled)
T.equal('no further files are open', open_files(), before)
T.equal('not loaded', vim.api.nvim_buf_is_loaded(vim.fn.bufnr('unloaded.go')), false)
vim.cmd('Agent undo')
T.told('undone: Rename Twice to Double')
now = disk()
now['bare.go'] = now['bare.go']:gsub('\n$', '')
T.equal('on disk', now, files)

-- What was typed in another buffer a moment ago goes along: the server knows of it before it is asked to apply.
vim.cmd('Agent rename Double')
T.told('9 places to rename')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.keys('q')
local bom = vim.fn.bufnr('bom.go')
vim.api.nvim_buf_set_lines(bom, 0, 0, false, { '// typed' })
vim.cmd('Agent apply')
T.told('applied: Rename Twice to Double')
T.equal('with what was typed', T.text(bom), '// typed\npackage a\n\nvar bom = Double(2)')
vim.cmd('Agent undo')
T.told('undone: Rename Twice to Double')
T.equal('and without', T.text(bom), '// typed\npackage a\n\nvar bom = Twice(2)')
vim.cmd('silent wall')

-- A file by a link to it.
vim.cmd('bwipeout decl.go')
local link = T.open('link.go')
T.go('Twice(n')
vim.cmd('Agent rename Double')
T.told('9 places to rename')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.keys('q')
vim.cmd('Agent apply')
T.told('applied: Rename Twice to Double')
T.contains('the buffer', T.text(link), 'func Double(')
T.contains('on disk', T.disk('decl.go'), 'func Double(')
T.equal('still a link', vim.loop.fs_lstat(T.dir .. '/link.go').type, 'link')
vim.cmd('Agent undo')
T.told('undone: Rename Twice to Double')
T.contains('the buffer', T.text(link), 'func Twice(')

-- A buffer that is saved by another name is that file from then on, for the server too.
vim.cmd('saveas other.go')
vim.api.nvim_buf_set_lines(0, 3, 4, false, { 'func Other(n int) int { return 2 * n }' })
T.go('Other(n')
vim.cmd('Agent rename Another')
T.told('1 place to rename')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.contains('the review', T.windows()[1], '▸ M other.go')
T.keys('q')

-- A folder is no file.
vim.cmd('edit .')
T.equal('a folder', vim.lsp.buf_is_attached(0, T.session(link).id), false)
vim.v.errmsg = '' -- netrw leaves one
