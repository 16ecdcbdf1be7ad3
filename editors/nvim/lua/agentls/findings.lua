-- What reviews found, beside its diagnostics: a list to pick from, and what can be done about each.
local say = require('agentls.say')

local M = {}

--- Makes the fix of a finding a proposal, and shows it.
---@param session agentls.Session
---@param argument { finding: string }
function M.fix(session, argument)
  session:command('agentls.findings.fix', argument, function(result)
    require('agentls.review').open(session, result.changeSet)
  end)
end

--- Closes a finding for good.
---@param session agentls.Session
---@param argument { finding: string }
function M.dismiss(session, argument)
  session:command('agentls.findings.dismiss', argument, function(result) say.note('dismissed: ' .. result.dismissed) end)
end

---@param session agentls.Session
---@param finding table (lsp/COMMANDS.md)
local function go_to(session, finding)
  vim.lsp.util.jump_to_location({ uri = finding.uri, range = finding.range }, session:encoding())
end

---@param session agentls.Session
---@param finding table
local function act(session, finding)
  local this = { finding = finding.finding }
  local choices = { { 'Go to it', function() go_to(session, finding) end } }
  if finding.fixable then choices[2] = { 'Show its fix', function() M.fix(session, this) end } end
  choices[#choices + 1] = { 'Dismiss for good', function() M.dismiss(session, this) end }
  local titles = vim.tbl_map(function(choice) return choice[1] end, choices)
  vim.ui.select(titles, { prompt = say.line(finding.title) }, function(_, index)
    if index then choices[index][2]() end
  end)
end

--- Lets the user pick one of the findings that are open.
---@param session agentls.Session
function M.pick(session)
  session:command('agentls.findings.list', {}, function(result)
    if #result.findings == 0 then return say.note('no finding is open') end
    local function line(finding)
      local path = vim.fn.fnamemodify(vim.uri_to_fname(finding.uri), ':.')
      local sure = finding.verdict and string.format(' (%s)', finding.verdict) or ''
      return string.format('P%d %s:%d: %s%s', finding.priority, path, finding.range.start.line + 1, say.line(finding.title), sure)
    end
    vim.ui.select(result.findings, { prompt = 'Findings', format_item = line }, function(finding)
      if finding then act(session, finding) end
    end)
  end)
end

return M
