-- The handler of workspace/applyEdit: nothing unasked, all or nothing, never over unseen text.
local edit = require('agentls.edit')
T.setup()
for name, text in pairs({ ['a.go'] = 'package a\n', ['b.go'] = 'package b\n', ['c.go'] = 'package c\n' }) do
  vim.fn.writefile({ (text:gsub('\n', '')) }, T.dir .. '/' .. name)
end
local bufs = { a = T.open('a.go'), b = T.open('b.go'), c = T.open('c.go') }
local session = T.session().id

local function uri(name) return vim.uri_from_fname(T.dir .. '/' .. name) end
local function insert(name, text, changes)
  local at = { line = 0, character = 0 }
  return vim.tbl_extend('force', {
    textDocument = { uri = uri(name), version = vim.lsp.util.buf_versions[vim.uri_to_bufnr(uri(name))] },
    edits = { { range = { start = at, ['end'] = at }, newText = text } },
  }, changes or {})
end
local function handle(...)
  return edit.handle(session, { label = 'Test', edit = { documentChanges = { ... } } }, 'utf-16')
end
local function disk() return { T.disk('a.go'), T.disk('b.go'), T.disk('c.go') } end
local function texts() return { T.text(bufs.a), T.text(bufs.b), T.text(bufs.c) } end
local untouched = { 'package a', 'package b', 'package c' }

-- Nobody asked for it: the user is asked.
local asked
vim.fn.confirm = function(question) asked = question return 1 end
T.equal('a no', handle(insert('a.go', '//\n')), { applied = false, failureReason = 'you said no' })
T.contains('the question', asked, 'Test\nChange a.go?')
T.equal('the texts', texts(), untouched)
vim.fn.confirm = function() return 2 end
T.equal('a yes', handle(insert('a.go', '//\n')), { applied = true })
T.equal('the text', T.text(bufs.a), '//\npackage a')
vim.api.nvim_buf_call(bufs.a, function() vim.cmd('silent undo') end)

-- The user asked for it, but a part wants to be confirmed.
local operation = edit.begin(session)
vim.fn.confirm = function(question) asked = question return 1 end
asked = nil
T.equal('annotated', edit.handle(session, { edit = {
  documentChanges = { insert('a.go', '//\n') },
  changeAnnotations = { x = { label = 'x', needsConfirmation = true } },
} }, 'utf-16'), { applied = false, failureReason = 'you said no' })
T.contains('the question', asked, 'Change a.go?')
asked = nil

-- One document is stale: none is changed.
local old = { textDocument = { uri = uri('b.go'), version = -1 } }
local refusal = handle(insert('a.go', '//\n'), insert('b.go', '//\n', old))
T.equal('stale', refusal, { applied = false, failureReason = 'b.go changed meanwhile: nothing was applied, try again' })
T.equal('the texts', texts(), untouched)

-- The user typed after the command was sent.
vim.api.nvim_buf_set_lines(bufs.b, 0, 0, false, { '// typed' })
refusal = handle(insert('a.go', '//\n'), { kind = 'delete', uri = uri('b.go') })
T.contains('typed', refusal.failureReason, 'b.go changed meanwhile')
T.equal('the file is there', T.disk('b.go'), 'package b\n')
vim.api.nvim_buf_call(bufs.b, function() vim.cmd('silent undo') end)
edit.finish(operation)

-- Places that do not exist, documents that are not open, kinds that are unknown, edits without versions.
operation = edit.begin(session)
local function at(line, character)
  local place = { line = line, character = character }
  return { edits = { { range = { start = place, ['end'] = place }, newText = 'x' } } }
end
refusal = handle(insert('a.go', '//\n'), insert('b.go', '', at(7, 0)))
T.equal('a place', refusal.failureReason, 'b.go has no such place as the edit names')
refusal = handle(insert('b.go', '', at(0, 10)))
T.equal('a column', refusal.failureReason, 'b.go has no such place as the edit names')
refusal = handle(insert('a.go', '//\n'), insert('d.go', 'x'))
T.equal('a document', refusal.failureReason, 'd.go is not open any more: nothing was applied, try again')
refusal = handle(insert('a.go', '//\n'), { kind = 'create', uri = uri('e.go') })
T.equal('a kind', refusal.failureReason, 'this editor takes no edit of the kind create')
refusal = edit.handle(session, { edit = { changes = { [uri('a.go')] = {} } } }, 'utf-16')
T.equal('no version', refusal.failureReason, 'this editor takes edits with document versions only')
vim.bo[bufs.b].modifiable = false
refusal = handle(insert('a.go', '//\n'), insert('b.go', '//\n'))
T.contains('not modifiable', refusal.failureReason, 'b.go cannot be modified')
vim.bo[bufs.b].modifiable = true
T.equal('the texts', texts(), untouched)

-- What fails in the middle is taken back: b.go cannot move below a file.
refusal = handle(insert('a.go', '//\n'), { kind = 'delete', uri = uri('c.go') },
  { kind = 'rename', oldUri = uri('b.go'), newUri = uri('a.go/b.go') })
T.equal('refused', refusal.applied, false)
T.equal('the texts', texts(), untouched)
T.equal('the files', disk(), { 'package a\n', 'package b\n', 'package c\n' })
T.equal('saved as before', { vim.bo[bufs.a].modified, vim.bo[bufs.b].modified }, { false, false })
edit.finish(operation)
operation = edit.begin(session)
refusal = handle(insert('a.go', '//\n'), { kind = 'rename', oldUri = uri('b.go'), newUri = uri('c.go') })
T.equal('an existing target', refusal.failureReason, 'c.go exists already')

-- What is saved in the end: what was saved before, unless the user typed since.
vim.api.nvim_buf_set_lines(bufs.c, -1, -1, false, { '// not saved' })
edit.finish(operation)
operation = edit.begin(session)
T.equal('all three', handle(insert('a.go', '//\n'), insert('b.go', '//\n'), insert('c.go', '//\n')), { applied = true })
vim.api.nvim_buf_set_lines(bufs.b, 0, 0, false, { '// typed since' })
T.equal('not saved', edit.save(operation, { uri('a.go'), uri('b.go'), uri('c.go') }), { 'b.go', 'c.go' })
T.equal('the files', disk(), { '//\npackage a\n', 'package b\n', 'package c\n' })
edit.finish(operation)
T.equal('nobody was asked', asked, nil)
