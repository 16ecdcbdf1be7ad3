-- Conflicts: what is there now beside what the change set wants. Nothing was changed.
local pair = require('agentls.pair')
local places = require('agentls.places')
local proposal = require('agentls.proposal')

local M = {}

---@class agentls.Conflict as agentls.changes.accept answers it
---@field uri string
---@field hunk? integer
---@field reason string
---@field ours string what the change set wants
---@field theirs string what is there

local name = places.name

---@param conflicts agentls.Conflict[]
---@param current integer
---@return string[]
local function list(conflicts, current)
  local out = { 'Nothing was changed: here your text and the change set differ' }
  for i, c in ipairs(conflicts) do
    local place = name(c.uri) .. (c.hunk and ', hunk ' .. c.hunk or '')
    out[#out + 1] = string.format('%s %s: %s', i == current and '▸' or ' ', place, c.reason)
  end
  return out
end

local keys = ']c [c next and previous conflict  o open the file  q close: then edit your text, or reject the hunk'

--- Shows conflicts in a tab of their own.
---@param session agentls.Session
---@param conflicts agentls.Conflict[]
function M.open(session, conflicts)
  local view, current = pair.open(session, 'conflict'), 1
  local function show(i)
    if not conflicts[i] then return end
    current = i
    local c = conflicts[i]
    local path = vim.uri_to_fname(c.uri)
    view:show(list(conflicts, i), keys,
      { lines = proposal.lines(c.theirs), path = path, title = name(c.uri) .. ': what is there now' },
      { lines = proposal.lines(c.ours), path = path, title = name(c.uri) .. ': what the change set wants' })
    view:highlight(1, 'WarningMsg')
    view:highlight(i + 1, 'CursorLine')
  end
  view:map(']c', 'next conflict', function() show(current + 1) end)
  view:map('[c', 'previous conflict', function() show(current - 1) end)
  view:map('q', 'close', function() view:close() end)
  view:map('o', 'open the file', function()
    local path = vim.uri_to_fname(conflicts[current].uri)
    view:close()
    view:show_file(path)
  end)
  show(1)
end

return M
