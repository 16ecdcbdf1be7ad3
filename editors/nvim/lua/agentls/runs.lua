-- The runs of the agent, as the server's events tell of them.
local M = {}

---@class agentls.Item a piece of what a run showed, in order
---@field text? string
---@field step? agentls.RunStep

---@class agentls.Plan
---@field explanation? string
---@field plan agentls.PlanStep[]

---@class agentls.PlanStep
---@field step string
---@field status 'pending'|'in_progress'|'completed'|'failed'

---@class agentls.RunStep
---@field id string
---@field tool string
---@field title string
---@field state 'started'|'done'|'failed'
---@field error? string
---@field detail? string what a finished step says of itself

---@class agentls.Run
---@field id string
---@field session integer
---@field title string
---@field mode? 'ask'|'explain'|'edit'
---@field state 'running'|'done'|'failed'
---@field items agentls.Item[]
---@field waiting? string why it waits for the model's server
---@field thinking? boolean the model's reasoning comes in
---@field question? { text: string, options?: string[] } what its model asks the user
---@field plan? agentls.Plan what it means to do
---@field plan_waits? boolean the plan waits for the user's word
---@field told? table what it asks, once the user was told of it
---@field paused? string why it is not done
---@field answer? string
---@field source? string
---@field usage? table<string, integer>
---@field error? string
---@field change_set? string
---@field checks agentls.Check[] what ran on its proposal
---@field suggest string[] commands that would have checked it, where none did
---@field remote? string the address of the service that it was handed to

local kept = 20 -- runs that have ended and are remembered

---@type table<string, agentls.Run>
local runs = {}
---@type string[] ids, oldest first
local order = {}
---@type (fun(run: agentls.Run))[]
local watchers = {}

--- Has fn called after each change of a run.
---@param fn fun(run: agentls.Run)
function M.watch(fn) table.insert(watchers, fn) end

---@param run agentls.Run
local function changed(run)
  for _, fn in ipairs(watchers) do fn(run) end
end

local function forget_old()
  local ended = vim.tbl_filter(function(id) return runs[id].state ~= 'running' end, order)
  for i = 1, #ended - kept do
    runs[ended[i]] = nil
    order = vim.tbl_filter(function(id) return runs[id] ~= nil end, order)
  end
end

--- The run with an id. Its events may not have come yet.
---@param id string
---@param session integer
---@return agentls.Run
function M.run(id, session)
  if not runs[id] then
    runs[id] = { id = id, session = session, title = '', state = 'running', items = {}, checks = {}, suggest = {} }
    table.insert(order, id)
    forget_old()
  end
  return runs[id]
end

--- The runs under way, oldest first.
---@return agentls.Run[]
function M.running()
  local out = {}
  for _, id in ipairs(order) do
    if runs[id].state == 'running' then out[#out + 1] = runs[id] end
  end
  return out
end

--- What could check the newest change of a server that no command checked.
---@param session integer
---@return string[]
function M.suggested(session)
  for i = #order, 1, -1 do
    local run = runs[order[i]]
    if run.session == session and #run.suggest > 0 then return run.suggest end
  end
  return {}
end

---@param run agentls.Run
---@param text string
local function add_text(run, text)
  local last = run.items[#run.items]
  if not (last and last.text) then
    last = { text = '' }
    table.insert(run.items, last)
  end
  last.text = last.text .. text
end

--- Takes back the last bytes of text: they come again.
---@param run agentls.Run
---@param bytes integer
local function void(run, bytes)
  for i = #run.items, 1, -1 do
    local item = run.items[i]
    if item.text and bytes > 0 then
      local cut = math.min(bytes, #item.text)
      item.text, bytes = item.text:sub(1, #item.text - cut), bytes - cut
    end
  end
end

---@param run agentls.Run
---@param step agentls.RunStep
local function add_step(run, step)
  for _, item in ipairs(run.items) do
    if item.step and item.step.id == step.id then
      item.step = step
      return
    end
  end
  table.insert(run.items, { step = step })
end

---@param run agentls.Run
---@return boolean whether it has shown any text
local function has_text(run)
  for _, item in ipairs(run.items) do
    if item.text and item.text:find('%S') then return true end
  end
  return false
end

---@type table<string, fun(run: agentls.Run, event: table)>
local takes = {
  ['run.started'] = function(run, event)
    run.title, run.mode, run.remote = event.title, event.mode, event.remote
    run.state, run.error, run.paused = 'running', nil, nil -- also where it goes on
  end,
  ['run.text'] = function(run, event) add_text(run, event.text) end,
  ['run.reasoning'] = function(run) run.thinking = true end,
  ['run.step'] = function(run, event) add_step(run, event.step) end,
  ['run.waiting'] = function(run, event)
    void(run, event.void or 0)
    run.waiting = event.text
  end,
  ['run.question'] = function(run, event) run.question = { text = event.text, options = event.options } end,
  ['run.plan'] = function(run, event) run.plan, run.plan_waits = event.plan, event.waits end,
  ['run.cutoff'] = function(run, event)
    run.title, run.mode, run.state, run.error = event.title, event.mode, 'failed', 'it was cut off with its server'
    run.paused = run.error
  end,
  ['run.done'] = function(run, event)
    run.question, run.plan_waits = nil, nil
    run.state, run.title = 'done', event.title
    run.answer, run.source, run.usage, run.change_set = event.answer, event.source, event.usage, event.changeSet
    run.checks, run.suggest = event.checks or {}, event.suggest or {}
    run.paused = event.paused
    if event.paused then add_text(run, '\nIt paused: ' .. event.paused .. '.\n') end
    if not has_text(run) then add_text(run, event.answer or '') end
  end,
  ['run.failed'] = function(run, event)
    run.question, run.plan_waits = nil, nil
    run.state, run.title, run.error = 'failed', event.title, event.error
  end,
}

--- Takes an event of the server, if it is about a run.
---@param session integer
---@param event table (lsp/COMMANDS.md)
function M.take(session, event)
  local take = takes[event.kind]
  if not take then return end
  local run = M.run(event.run, session)
  run.waiting, run.thinking = nil, nil
  take(run, event)
  changed(run)
end

--- Notes that the user has answered what a run waited for.
---@param run agentls.Run
function M.answered(run)
  run.question, run.plan_waits = nil, nil
  changed(run)
end

--- Ends the runs of a server that is gone.
---@param session integer
function M.server_gone(session)
  for _, run in ipairs(M.running()) do
    if run.session == session then
      run.state, run.error = 'failed', 'the server ended'
      run.question, run.plan_waits = nil, nil
      if run.remote then run.error = run.error .. ', and the task goes on at the service: :Agent tasks' end
      changed(run)
    end
  end
end

return M
