-- Defines :Agent. Nothing else is loaded before it is used, or before require('agentls').setup().
if vim.g.loaded_agentls then return end
vim.g.loaded_agentls = true

if vim.fn.has('nvim-0.7.2') == 0 then
  vim.notify('agentls: this plugin needs Neovim 0.7.2 or later', vim.log.levels.ERROR)
  return
end

vim.api.nvim_create_user_command('Agent', function(opts) require('agentls.command').run(opts) end, {
  nargs = '*',
  range = true,
  desc = 'agentls: ask, change, review, apply, undo',
  complete = function(_, line) return require('agentls.command').complete(line) end,
})
