-- What is going on, for the status line: kept from events, so that drawing it costs nothing.
local runs = require('agentls.runs')
local say = require('agentls.say')

local M = {}

---@class agentls.State of one server
---@field indexing boolean
---@field indexed boolean the index was complete once: what the server said of it before is old
---@field proposals table<string, boolean> change sets that wait

---@type table<integer, agentls.State> by client id
local states = {}

local function redraw() vim.cmd('redrawstatus!') end

---@param session agentls.Session
---@param state agentls.State
local function begin(session, state)
  session:command('agentls.status', {}, function(status)
    if not state.indexed then state.indexing = not status.ready end
    redraw()
  end)
  session:command('agentls.changes.list', {}, function(list)
    for _, p in ipairs(list.proposals) do state.proposals[p.id] = true end
    redraw()
  end)
end

---@type table<string, fun(state: agentls.State, event: table)>
local takes = {
  ['index.started'] = function(state) state.indexing = true end,
  ['index.done'] = function(state) state.indexing, state.indexed = false, true end,
  ['changes'] = function(state, event)
    local waits = event.counts.pending + event.counts.inConflict > 0
    state.proposals[event.changeSet] = waits or nil
  end,
  ['run.started'] = function() end,
  ['run.done'] = function() end,
  ['run.failed'] = function() end,
}

--- Takes an event of a server.
---@param session agentls.Session
---@param event table
function M.take(session, event)
  if event.kind == 'gone' then
    states[session.id] = nil
    return redraw()
  end
  local state = states[session.id] or { indexing = false, indexed = false, proposals = {} }
  states[session.id] = state
  if event.kind == 'ready' then begin(session, state) end
  if takes[event.kind] then
    takes[event.kind](state, event)
    redraw()
  end
end

--- The status line's part: what runs, else what waits; '' where no server runs.
---@return string
function M.line()
  if next(states) == nil then return '' end
  local proposals, indexing = 0, false
  for _, state in pairs(states) do
    proposals = proposals + vim.tbl_count(state.proposals)
    indexing = indexing or state.indexing
  end
  local running = runs.running()
  if #running > 0 then return 'agentls: ' .. (running[#running].title:gsub('%%', '%%%%')) .. ' …' end
  if indexing then return 'agentls: indexing …' end
  if proposals > 0 then return 'agentls: ' .. say.count(proposals, 'proposal') end
  return 'agentls'
end

--- Says what the server says of itself, in a few lines.
---@param session agentls.Session
---@param done fun(lines: string[])
function M.report(session, done)
  session:command('agentls.status', {}, function(s)
    local index = say.count(s.files, 'file') .. ', ' .. say.count(s.symbols, 'symbol')
    local lines = {
      'agentls ' .. s.version,
      'model: ' .. (s.model or 'none, the index answers') .. ' (' .. s.source .. ')',
      'index: ' .. index .. (s.ready and '' or ', not complete yet'),
      'commands: ' .. (s.confinement or 'how they are confined was not found out yet'),
      'task service: ' .. (s.remote or 'none'),
      'roots: ' .. (#s.roots > 0 and table.concat(s.roots, ', ') or 'none, only open files'),
      string.format('%s under way, %s to review', say.count(#s.runs, 'run'), say.count(s.proposals, 'proposal')),
    }
    if s.error then table.insert(lines, 3, 'the model cannot be used: ' .. s.error) end
    done(lines)
  end)
end

return M
