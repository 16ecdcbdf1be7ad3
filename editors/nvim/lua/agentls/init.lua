-- agentls for Neovim 0.7.2 and later. Start at `setup`; lsp/COMMANDS.md says what is asked of the server.
local client = require('agentls.client')
local config = require('agentls.config')

local M = {}

local is_set_up = false

---@param buf integer
---@return boolean whether the user wants this buffer attached
local function wanted(buf)
  local types = config.options.filetypes
  return types == 'all' or vim.tbl_contains(types, vim.bo[buf].filetype)
end

---@param session agentls.Session
---@param event table agentls/event, or ready or gone
local function take(session, event)
  require('agentls.runs').take(session.id, event)
  require('agentls.status').take(session, event)
  require('agentls.tasks').take(session, event)
  if event.kind == 'ready' then
    client.attach_all(wanted)
    require('agentls.others').tell(session)
  elseif event.kind == 'gone' then
    require('agentls.runs').server_gone(session.id)
    require('agentls.edit').server_gone(session.id)
    require('agentls.question').server_gone(session.id)
    require('agentls.others').server_gone(session.id)
  elseif event.kind == 'changes' then
    require('agentls.review').moved(event.changeSet)
  end
end

--- Has the servers told of buffers that get another name.
---@param group integer
local function watch_names(group)
  local old -- of the buffer between the two events
  vim.api.nvim_create_autocmd('BufFilePre', {
    group = group, desc = 'agentls: the name before',
    callback = function(args) old = vim.uri_from_bufnr(args.buf) end,
  })
  vim.api.nvim_create_autocmd('BufFilePost', {
    group = group, desc = 'agentls: the name after',
    callback = function(args) client.rename(args.buf, old) end,
  })
end

local function watch_buffers()
  local group = vim.api.nvim_create_augroup('agentls', {})
  watch_names(group)
  require('agentls.others').watch(group, client.sessions)
  vim.api.nvim_create_autocmd({ 'FileType', 'BufReadPost', 'BufNewFile', 'BufFilePost', 'BufWritePost' }, {
    group = group,
    desc = 'attach agentls',
    callback = function(args)
      if vim.api.nvim_buf_is_loaded(args.buf) and wanted(args.buf) then client.attach(args.buf) end
    end,
  })
end

--- Starts agentls for the files of projects, those that are open and those that will be. Raises an error that names the
--- option if one is wrong.
---@param options? agentls.Options
function M.setup(options)
  config.set(options)
  if not is_set_up then client.listen(take) end
  is_set_up = true
  watch_buffers()
  client.attach_all(wanted)
end

--- Sets up with the defaults, unless the user did.
function M.ensure_setup()
  if not is_set_up then M.setup() end
end

--- A part for the status line, such as "agentls: 1 proposal". It costs nothing.
---@return string
function M.statusline() return require('agentls.status').line() end

return M
