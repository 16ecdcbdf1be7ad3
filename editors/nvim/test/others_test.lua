-- Another server answers hovers of Go: the index leaves those to it, until it goes.
vim.fn.writefile({ 'package a', '', 'func Twice(n int) int { return 2 * n }' }, T.dir .. '/a.go')
T.setup()
local buf = T.open('a.go')
local session = T.session()

-- Whether the index answers a hover.
local function index_answers()
  local answer
  local at = { textDocument = { uri = vim.uri_from_bufnr(buf) }, position = { line = 2, character = 6 } }
  session:client().request('textDocument/hover', at, function(_, result) answer = { result = result } end, buf)
  return type(T.wait('the answer', function() return answer end).result) == 'table'
end
T.wait('the index', function() return T.status(session).ready end)
T.equal('the index answers alone', index_answers(), true)

local other = vim.lsp.start_client({ name = 'other', cmd = { T.server, 'serve' }, root_dir = T.dir })
vim.lsp.buf_attach_client(buf, other)
T.wait('the index to step back', function()
  vim.cmd('doautocmd <nomodeline> BufEnter')
  return not index_answers()
end)
local go = vim.tbl_filter(function(l) return l.language == 'go' end, require('agentls.others').served())[1]
T.equal('what the other answers', vim.tbl_contains(go.methods, 'textDocument/hover'), true)

vim.lsp.stop_client(other, true)
T.wait('the index to answer again', function()
  vim.cmd('doautocmd <nomodeline> BufEnter')
  return index_answers()
end)
vim.v.errmsg = ''
