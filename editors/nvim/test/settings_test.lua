-- The user's settings: the model, which buffers are attached, and what is not saved.
local url = vim.env.OPENAI_BASE_URL
vim.env.OPENAI_BASE_URL, vim.env.OPENAI_API_KEY, vim.env.AGENTLS_MODEL = nil, nil, nil
local fetched = 0
T.setup({
  model = 'from-setup', base_url = url, filetypes = { 'go' }, save_after_apply = false, root = { 'project.txt' },
  api_key = function()
    fetched = fetched + 1
    return 'sk-test-secret\n'
  end,
  keys = { accept = 'ya' },
})
vim.cmd('edit ' .. T.dir .. '/sub/notes.md')
local notes = vim.api.nvim_get_current_buf()
local buf = T.open('sub/a.go')
local session = T.session()
T.equal('the root', session.root, T.dir)
T.equal('the model', T.status(session).model, 'from-setup')
T.contains('where it is from', T.status(session).source, 'the editor')
T.equal('the key is fetched once', fetched, 1)
T.equal('only Go is attached', vim.lsp.buf_is_attached(notes, session.id), false)

T.go('func A')
vim.cmd('Agent change both')
T.wait('the proposal', function() return T.float() and T.float():find('A proposal waits', 1, true) end)
T.keys('d')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.keys('ya')
T.told('applied: both (1 file), not saved: sub/a.go')
T.equal('not saved', { vim.bo[buf].modified, T.disk('sub/a.go') }, { true, 'package a\n\nfunc A() {}\n' })

-- The file that the server was not told about is changed on disk, and Neovim reads it again.
vim.o.autoread = true
T.wait('the other file', function() return T.windows()[1]:find('▸ M sub/notes.md', 1, true) end)
T.keys('A')
T.told('applied: both (1 file)')
T.equal('on disk', T.disk('sub/notes.md'), 'New.\n')
T.wait('the buffer', function() return T.text(notes) == 'New.' end)
T.wait('the review closes', function() return #vim.api.nvim_list_tabpages() == 1 end)
vim.v.errmsg = '' -- 0.12 unmaps keys that it has not mapped, and says so only here
