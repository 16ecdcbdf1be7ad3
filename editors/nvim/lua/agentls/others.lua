-- Which languages other servers answer for, so that the index leaves those to them.
local M = {}

--- What the server can leave to others. (lsp/COMMANDS.md, agentls.navigation)
local methods = {
  'textDocument/declaration', 'textDocument/definition', 'textDocument/typeDefinition', 'textDocument/implementation',
  'textDocument/references', 'textDocument/documentHighlight', 'textDocument/hover', 'textDocument/documentSymbol',
  'textDocument/rename', 'textDocument/documentLink', 'textDocument/foldingRange', 'textDocument/selectionRange',
  'textDocument/prepareCallHierarchy', 'textDocument/prepareTypeHierarchy',
}

---@type table<integer, table> by client id: what a server was told last
local told = {}

---@return table[] Neovim's clients
local function clients() return (vim.lsp.get_clients or vim.lsp.get_active_clients)() end

---@param client table
---@return integer[] the buffers it is attached to
local function buffers(client)
  if client.attached_buffers then return vim.tbl_keys(client.attached_buffers) end
  return vim.lsp.get_buffers_by_client_id(client.id) -- before 0.8
end

---@param client table
---@param method string
---@return boolean
local function supports(client, method)
  if vim.fn.has('nvim-0.11') == 1 then return client:supports_method(method) end
  return client.supports_method(method)
end

---@return table[] what others answer, by language: the argument of agentls.navigation
function M.served()
  local languages = {}
  for _, client in ipairs(clients()) do
    for _, buf in ipairs(client.name == 'agentls' and {} or buffers(client)) do
      local language = vim.api.nvim_buf_is_valid(buf) and vim.bo[buf].filetype or ''
      for _, method in ipairs(language == '' and {} or methods) do
        if supports(client, method) then
          languages[language] = languages[language] or {}
          languages[language][method] = true
        end
      end
    end
  end
  local out = {}
  for language, of in pairs(languages) do
    local list = vim.tbl_keys(of)
    table.sort(list)
    out[#out + 1] = { language = language, methods = list }
  end
  table.sort(out, function(a, b) return a.language < b.language end)
  return out
end

--- Tells a server what others answer, if that is news to it.
---@param session agentls.Session
function M.tell(session)
  local served = M.served()
  if not session.ready or vim.deep_equal(told[session.id] or {}, served) then return end
  told[session.id] = served
  local function nothing() end -- the index then answers too, which is no harm
  session:command('agentls.navigation', { served = served }, nothing, nothing)
end

--- Tells all servers from now on, whenever a server comes to a buffer or leaves one.
---@param group integer of autocommands
---@param sessions fun(): agentls.Session[]
function M.watch(group, sessions)
  local events = vim.fn.exists('##LspAttach') == 1 and { 'LspAttach', 'LspDetach' } or { 'CursorHold', 'BufEnter' }
  vim.api.nvim_create_autocmd(events, {
    group = group, desc = 'agentls: what other servers answer',
    callback = function()
      vim.schedule(function() -- a client that detaches is still there
        for _, session in ipairs(sessions()) do M.tell(session) end
      end)
    end,
  })
end

--- A server is gone.
---@param id integer
function M.server_gone(id) told[id] = nil end

return M
