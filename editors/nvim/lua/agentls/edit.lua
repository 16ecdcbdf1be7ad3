-- The client's workspace/applyEdit. Neovim's own skips a document that changed meanwhile and reports success, and does
-- not ask where an edit wants to be confirmed. Here an edit is checked as a whole, then made as a whole, and only if
-- the user asked for it.
local document = require('agentls.document')
local places = require('agentls.places')
local say = require('agentls.say')

local M = {}

---@class agentls.Operation what the user just told a server to do
---@field session integer
---@field ticks table<integer, integer> the state of each loaded buffer when the server was told
---@field changed table<string, { buf: integer, tick: integer, clean: boolean }> what the server changed since, by URI

---@class agentls.Step one part of an edit, checked
---@field run fun(): fun() does it and returns what takes it back, or raises an error
---@field done? fun() tidies up once all steps are done

---@type agentls.Operation[] under way
local operations = {}

--- Notes that the user told a server to apply, undo or redo: its edits go through until `finish`.
---@param session integer
---@return agentls.Operation
function M.begin(session)
  local operation = { session = session, ticks = {}, changed = {} }
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) then operation.ticks[buf] = vim.api.nvim_buf_get_changedtick(buf) end
  end
  table.insert(operations, operation)
  return operation
end

---@param operation agentls.Operation
function M.finish(operation)
  operations = vim.tbl_filter(function(other) return other ~= operation end, operations)
end

--- Ends the operations of a server that is gone.
---@param session integer
function M.server_gone(session)
  operations = vim.tbl_filter(function(operation) return operation.session ~= session end, operations)
end

--- What the user told a server last, if that is under way.
---@param session integer
---@return agentls.Operation?
local function current(session)
  for i = #operations, 1, -1 do
    if operations[i].session == session then return operations[i] end
  end
end

local name = places.name

--- Raises a refusal of the whole edit.
---@param uri string
---@param why string
local function refuse(uri, why) error(name(uri) .. ' ' .. why, 0) end

--- Refuses a document that is not as the server saw it.
---@param uri string
---@param operation? agentls.Operation
---@param version? integer the server's; nil: it named none
---@return integer buf
local function unchanged(uri, operation, version)
  local buf = vim.uri_to_bufnr(uri)
  if not vim.api.nvim_buf_is_loaded(buf) then refuse(uri, 'is not open any more: nothing was applied, try again') end
  local known = (vim.lsp.util.buf_versions or {})[buf]
  local told = operation and not operation.changed[uri] and operation.ticks[buf]
  local typed = told and told ~= vim.api.nvim_buf_get_changedtick(buf)
  if typed or type(version) == 'number' and known and known ~= version then
    refuse(uri, 'changed meanwhile: nothing was applied, try again')
  end
  return buf
end

---@param change table an LSP TextDocumentEdit
---@param operation? agentls.Operation
---@param encoding string
---@return agentls.Step
local function text_step(change, operation, encoding)
  local uri = change.textDocument.uri
  local buf = unchanged(uri, operation, change.textDocument.version)
  if not vim.bo[buf].modifiable then refuse(uri, 'cannot be modified (:set modifiable)') end
  for _, edit in ipairs(change.edits) do
    if not (document.has(buf, edit.range.start, encoding) and document.has(buf, edit.range['end'], encoding)) then
      refuse(uri, 'has no such place as the edit names')
    end
  end
  return {
    run = function()
      local before, modified = vim.api.nvim_buf_get_lines(buf, 0, -1, false), vim.bo[buf].modified
      document.apply(buf, change.edits, encoding)
      return function()
        vim.api.nvim_buf_set_lines(buf, 0, -1, false, before)
        vim.bo[buf].modified = modified
      end
    end,
  }
end

---@param ok any
---@param problem? string
local function must(ok, problem)
  if not ok then error(problem, 0) end
end

--- Shows another buffer wherever this one is shown, at the same place, and closes this one.
---@param buf integer
---@param other integer
local function replace_buffer(buf, other)
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    vim.api.nvim_win_call(win, function()
      local view = vim.fn.winsaveview()
      vim.api.nvim_win_set_buf(win, other)
      vim.fn.winrestview(view)
    end)
  end
  vim.api.nvim_buf_delete(buf, { force = true })
end

---@param change table an LSP RenameFile
---@param operation? agentls.Operation
---@return agentls.Step
local function rename_step(change, operation)
  local buf = unchanged(change.oldUri, operation)
  local old, new = vim.uri_to_fname(change.oldUri), vim.uri_to_fname(change.newUri)
  if vim.loop.fs_stat(new) then refuse(change.newUri, 'exists already') end
  return {
    run = function()
      vim.fn.mkdir(vim.fn.fnamemodify(new, ':h'), 'p')
      must(vim.loop.fs_rename(old, new))
      return function() vim.loop.fs_rename(new, old) end
    end,
    done = function()
      local lines, modified = vim.api.nvim_buf_get_lines(buf, 0, -1, false), vim.bo[buf].modified
      local other = vim.fn.bufadd(new)
      vim.fn.bufload(other)
      vim.bo[other].buflisted = true
      if modified then vim.api.nvim_buf_set_lines(other, 0, -1, false, lines) end
      replace_buffer(buf, other)
    end,
  }
end

---@param change table an LSP DeleteFile
---@param operation? agentls.Operation
---@return agentls.Step
local function delete_step(change, operation)
  local buf = unchanged(change.uri, operation)
  local path = vim.uri_to_fname(change.uri)
  return {
    run = function()
      local stat = vim.loop.fs_stat(path)
      must(stat, path .. ' is not there')
      local lines = vim.fn.readfile(path, 'b')
      must(vim.loop.fs_unlink(path))
      return function()
        vim.fn.writefile(lines, path, 'b')
        vim.loop.fs_chmod(path, stat.mode % 4096)
      end
    end,
    done = function() replace_buffer(buf, vim.api.nvim_create_buf(true, false)) end,
  }
end

--- Checks an edit and returns what makes it.
---@param edit table an LSP WorkspaceEdit
---@param operation? agentls.Operation
---@param encoding string
---@return agentls.Step[]
local function plan(edit, operation, encoding)
  local steps, makers = {}, { text = text_step, rename = rename_step, delete = delete_step }
  for _, change in ipairs(edit.documentChanges or {}) do
    local make = makers[change.kind or 'text']
    if not make then error('this editor takes no edit of the kind ' .. tostring(change.kind), 0) end
    steps[#steps + 1] = make(change, operation, encoding)
  end
  return steps
end

--- Makes all steps, or none.
---@param steps agentls.Step[]
local function perform(steps)
  local back = {}
  for _, step in ipairs(steps) do
    local ok, result = pcall(step.run)
    if not ok then
      for i = #back, 1, -1 do back[i]() end
      error(result, 0)
    end
    table.insert(back, result)
  end
  for _, step in ipairs(steps) do
    local ok, problem = pcall(step.done or function() end)
    if not ok then say.warn('done, but what is open does not show it: ' .. tostring(problem)) end
  end
end

---@param edit table an LSP WorkspaceEdit
---@return string[] URIs of what it touches, as it will be
local function touched(edit)
  return vim.tbl_map(function(change)
    return change.newUri or change.uri or change.textDocument.uri
  end, edit.documentChanges or {})
end

--- Whether the edit says that the user must confirm a part of it.
---@param edit table an LSP WorkspaceEdit
---@return boolean
local function wants_confirmation(edit)
  for _, annotation in pairs(edit.changeAnnotations or {}) do
    if annotation.needsConfirmation then return true end
  end
  return false
end

---@param params table LSP ApplyWorkspaceEditParams
---@param operation? agentls.Operation
---@return boolean
local function allowed(params, operation)
  if operation and not wants_confirmation(params.edit) then return true end
  local names = vim.tbl_map(name, touched(params.edit))
  local question = string.format('agentls: %s\nChange %s?', params.label or 'an edit', table.concat(names, ', '))
  return vim.fn.confirm(question, '&No\n&Yes', 1) == 2
end

--- Which of the documents of an edit are saved, by the URI they will have.
---@param edit table an LSP WorkspaceEdit
---@param operation agentls.Operation
---@return table<string, boolean>
local function saved_documents(edit, operation)
  local saved = {}
  for _, change in ipairs(edit.documentChanges or {}) do
    local uri = change.oldUri or change.uri or change.textDocument.uri
    local before = operation.changed[uri] or { clean = not vim.bo[vim.uri_to_bufnr(uri)].modified }
    saved[change.newUri or uri] = before.clean
  end
  return saved
end

--- Remembers what an operation changed, so that it can be saved in the end.
---@param operation agentls.Operation
---@param saved table<string, boolean>
local function remember(operation, saved)
  for uri, clean in pairs(saved) do
    local buf = vim.uri_to_bufnr(uri)
    if vim.api.nvim_buf_is_loaded(buf) then
      operation.changed[uri] = { buf = buf, tick = vim.api.nvim_buf_get_changedtick(buf), clean = clean }
    end
  end
end

--- Handles workspace/applyEdit of a server.
---@param session integer
---@param params table LSP ApplyWorkspaceEditParams
---@param encoding string
---@return table an LSP ApplyWorkspaceEditResult
function M.handle(session, params, encoding)
  local operation = current(session)
  if params.edit.changes then
    return { applied = false, failureReason = 'this editor takes edits with document versions only' }
  end
  if not allowed(params, operation) then return { applied = false, failureReason = 'you said no' } end
  local saved = operation and saved_documents(params.edit, operation) or {}
  local ok, problem = pcall(function() perform(plan(params.edit, operation, encoding)) end)
  if not ok then return { applied = false, failureReason = tostring(problem) } end
  if operation then remember(operation, saved) end
  return { applied = true }
end

--- Names of documents.
---@param _ agentls.Operation
---@param uris string[]
---@return string[]
function M.unsaved(_, uris) return vim.tbl_map(name, uris) end

--- Writes the buffers that an operation changed and that were saved before, unless the user typed in them since.
---@param operation agentls.Operation
---@param uris string[] what the server says is not written
---@return string[] names of those that remain unwritten
function M.save(operation, uris)
  local remaining = {}
  for _, uri in ipairs(uris) do
    local c = operation.changed[uri]
    local ours = c and c.clean and vim.api.nvim_buf_is_loaded(c.buf)
      and vim.api.nvim_buf_get_changedtick(c.buf) == c.tick
    if ours then pcall(vim.api.nvim_buf_call, c.buf, function() vim.cmd('silent write') end) end
    if not ours or vim.bo[c.buf].modified then -- asked, the user may say no: the file changed on disk
      remaining[#remaining + 1] = name(uri)
    end
  end
  return remaining
end

return M
