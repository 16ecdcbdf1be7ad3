-- The server's code actions: each is a command, which is run here, so that the user is asked for what its argument
-- lacks and sees what comes of it.
local M = {}

--- What is done here in place of sending the command.
---@type table<string, fun(session: agentls.Session, argument: table)>
local own = {
  ['agentls.ask'] = function(session, a) require('agentls.ask').ask(session, a, a.question) end,
  ['agentls.explain'] = function(session, a) require('agentls.ask').explain(session, a) end,
  ['agentls.change'] = function(session, a) require('agentls.ask').change(session, a, a.instruction) end,
  ['agentls.review'] = function(session, a) require('agentls.ask').review(session, a) end,
  ['agentls.findings.fix'] = function(session, a) require('agentls.findings').fix(session, a) end,
  ['agentls.findings.dismiss'] = function(session, a) require('agentls.findings').dismiss(session, a) end,
  ['agentls.rename'] = function(session, a) require('agentls.ask').rename(session, a.uri, a.position, a.newName) end,
  ['agentls.graph'] = function(session, a) require('agentls.ask').graph(session, a) end,
  ['agentls.changes.accept'] = function(session, a) require('agentls.changes').accept(session, a) end,
  ['agentls.changes.reject'] = function(session, a) require('agentls.changes').reject(session, a) end,
  ['agentls.changes.apply'] = function(session, a) require('agentls.changes').apply(session, a) end,
  ['agentls.changes.undo'] = function(session, a) require('agentls.changes').undo(session, a) end,
  ['agentls.changes.redo'] = function(session, a) require('agentls.changes').redo(session, a) end,
  ['agentls.changes.diff'] = function(session, a) require('agentls.review').open(session, a.changeSet) end,
}

--- For the configuration of Neovim's client.
---@type table<string, fun(command: table, ctx: table)>
M.commands = {}
for name, run in pairs(own) do
  M.commands[name] = function(command, ctx)
    require('agentls.client').with(ctx.bufnr, function(session)
      run(session, (command.arguments or {})[1] or {})
    end)
  end
end

return M
