-- Checks: verify commands that ran on a proposal. (lsp/COMMANDS.md)
local runs = require('agentls.runs')
local say = require('agentls.say')
local scratch = require('agentls.scratch')

local M = {}

---@class agentls.Check
---@field command string
---@field passed boolean
---@field exit integer -1: it could not be run
---@field stopped? string the limit that ended it
---@field output string its end
---@field seconds number
---@field confinement string

--- How a check went, as one line.
---@param check agentls.Check
---@return string
function M.line(check)
  local command = say.line(check.command)
  if check.passed then return string.format('✓ %s  %.1f s', command, check.seconds) end
  if check.stopped then return string.format('✗ %s  stopped: %s', command, say.line(check.stopped)) end
  if check.exit < 0 then return string.format('✗ %s  could not be run', command) end
  return string.format('✗ %s  exit %d', command, check.exit)
end

--- A program's output as lines, without what colours it or moves the cursor.
---@param output string
---@return string[]
local function plain(output)
  local text = output:gsub('\27%][^\7\27]*[\7\27]\\?', ''):gsub('\27%[[%d;:?]*%a', ''):gsub('\r\n', '\n')
  return vim.tbl_map(function(line)
    return (line:gsub('^.*\r', ''):gsub('%c', function(c) return c == '\t' and c or '' end))
  end, vim.split(vim.trim(text), '\n', { plain = true }))
end

---@param all agentls.Check[]
---@return string[]
local function report(all)
  local lines = {}
  for i, check in ipairs(all) do
    if i > 1 then lines[#lines + 1] = '' end
    lines[#lines + 1] = M.line(check)
    if check.confinement ~= '' then lines[#lines + 1] = '  confined: ' .. say.line(check.confinement) end
    if check.output:find('%S') then vim.list_extend(lines, plain(check.output)) end
  end
  return lines
end

--- Shows the output of checks in a window of its own.
---@param session agentls.Session
---@param all agentls.Check[]
function M.show(session, all)
  if #all == 0 then return say.note('no check ran on this proposal') end
  local lines, buf = report(all), scratch.new(session)
  scratch.set(buf, 0, lines)
  local width, height = math.min(100, vim.o.columns - 4), math.max(1, math.min(#lines, vim.o.lines - 6))
  local win = vim.api.nvim_open_win(buf, true, {
    relative = 'editor', style = 'minimal', border = 'rounded', width = width, height = height,
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1), col = math.floor((vim.o.columns - width) / 2),
  })
  vim.wo[win].wrap = true
  local close = { 'close', function() vim.api.nvim_win_close(win, true) end }
  scratch.map(buf, { q = close, ['<Esc>'] = close })
end

--- Has commands check every change of the workspace from now on.
---@param session agentls.Session
---@param commands string[]
local function keep(session, commands)
  session:command('agentls.verify', { commands = commands }, function(result)
    say.note('every change is checked with ' .. say.line(table.concat(result.commands, ', ')))
  end)
end

--- The same with a command, or with those that the user picks of what was suggested.
---@param session agentls.Session
---@param command? string
function M.verify(session, command)
  if command then return keep(session, { command }) end
  local suggest = runs.suggested(session.id)
  if #suggest == 0 then return say.note('nothing is suggested: name a command, :Agent verify make test') end
  local choices = vim.list_extend({}, suggest)
  if #suggest > 1 then table.insert(choices, 1, 'all of them') end
  vim.ui.select(choices, { prompt = 'Check every change here with' }, function(choice, index)
    if choice then keep(session, #suggest > 1 and index == 1 and suggest or { choice }) end
  end)
end

return M
