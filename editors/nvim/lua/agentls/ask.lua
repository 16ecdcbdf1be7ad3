-- Starts runs: at a place, with what the user says or is asked for.
local answer = require('agentls.answer')
local attach = require('agentls.attach')
local editor = require('agentls.editor')
local places = require('agentls.places')
local runs = require('agentls.runs')
local say = require('agentls.say')

local M = {}

---@class agentls.Spot where something is asked about
---@field uri string
---@field range table an LSP Range
---@field remote? boolean at the task service

-- Before 0.9 Neovim's own prompt cannot tell an empty answer from none.
local empty_counts = vim.fn.has('nvim-0.9') == 1

--- Calls done with what the user says, unless they cancel.
---@param given? string what was said already
---@param prompt string
---@param done fun(text: string)
---@param default? string
local function words(given, prompt, done, default)
  if given and given ~= '' then return done(given) end
  vim.ui.input({ prompt = prompt, default = default }, function(text)
    if text then done(text) end
  end)
end

---@param spot agentls.Spot
---@param rest table
---@return table argument of the server's command
local function argument_of(spot, rest)
  return vim.tbl_extend('force', { uri = spot.uri, range = spot.range, remote = spot.remote }, rest)
end

--- The same, with what the user attached.
---@param spot agentls.Spot
---@param rest table
---@return table
local function with_attached(spot, rest) return vim.tbl_extend('force', attach.argument(), argument_of(spot, rest)) end

--- Begins a run, and shows it.
---@param session agentls.Session
---@param command string
---@param argument table
---@param question? string for the window's first line
local function start(session, command, argument, question)
  local still_there = places.watch()
  editor.tell(session, function()
    session:command(command, argument, function(result)
      if argument.output or argument.images then attach.clear() end
      local exchange = {
        run = runs.run(result.run, session.id), command = command, argument = argument, question = question,
      }
      answer.open(session, { uri = argument.uri, range = argument.range }, exchange, still_there)
    end)
  end)
end

--- Asks about a spot. Without a question the user is asked for one; an empty one means what it does and who uses it.
---@param session agentls.Session
---@param spot agentls.Spot
---@param question? string
function M.ask(session, spot, question)
  words(question, empty_counts and 'Ask (empty: what it does, who uses it): ' or 'Ask: ', function(text)
    if vim.trim(text) == '' then text = nil end
    start(session, 'agentls.ask', with_attached(spot, { question = text }), text)
  end)
end

---@param session agentls.Session
---@param spot agentls.Spot
function M.explain(session, spot)
  start(session, 'agentls.explain', argument_of(spot, {}))
end

--- Has the code at a spot reviewed: what is found becomes diagnostics.
---@param session agentls.Session
---@param spot agentls.Spot
function M.review(session, spot)
  start(session, 'agentls.review', argument_of(spot, {}))
end

--- Has the code at a spot changed. Without an instruction the user is asked for one.
---@param session agentls.Session
---@param spot agentls.Spot
---@param instruction? string
function M.change(session, spot, instruction)
  words(instruction, 'Change: ', function(text)
    if vim.trim(text) == '' then return end
    start(session, 'agentls.change', with_attached(spot, { instruction = text }), text)
  end)
end

--- Has the code at a spot changed by a plan that the user accepts first.
---@param session agentls.Session
---@param spot agentls.Spot
---@param instruction? string
function M.plan(session, spot, instruction)
  words(instruction, 'Plan to change: ', function(text)
    if vim.trim(text) == '' then return end
    start(session, 'agentls.change', with_attached(spot, { instruction = text, plan = true }), text)
  end)
end

--- Lets the user pick a run that did not come to its end, and goes on with it.
---@param session agentls.Session
function M.continue(session)
  session:command('agentls.runs.list', {}, function(result)
    local open = vim.tbl_filter(function(run) return run.state ~= 'done' and run.state ~= 'running' end, result.runs)
    if #open == 0 then return say.note('every run came to its end') end
    local function line(run) return string.format('%s: %s', say.line(run.title), say.line(run.reason or run.state)) end
    vim.ui.select(open, { prompt = 'Go on with', format_item = line }, function(run)
      if not run then return end
      local still_there = places.watch()
      session:command('agentls.continue', { run = run.id }, function(begun)
        answer.open(session, nil, { run = runs.run(begun.run, session.id), command = 'agentls.continue' }, still_there)
      end)
    end)
  end)
end

--- Proposes to rename what is at a position. Without a name the user is asked for one.
---@param session agentls.Session
---@param uri string
---@param at table an LSP Position
---@param name? string
function M.rename(session, uri, at, name)
  words(name, 'New name: ', function(text)
    if vim.trim(text) == '' then return end
    local still_there = places.watch()
    session:command('agentls.rename', { uri = uri, position = at, newName = vim.trim(text) }, function(result)
      local text = say.count(result.renamed, 'place') .. ' to rename'
      if result.possible > 0 then
        text = text .. ', ' .. say.count(result.possible, 'place') .. ' left alone: the index is not certain'
      end
      say.note(text)
      require('agentls.review').open(session, result.changeSet, still_there)
    end)
  end, vim.fn.expand('<cword>'))
end

--- Shows who calls the function at a spot, and what it calls.
---@param session agentls.Session
---@param spot agentls.Spot
function M.graph(session, spot)
  local still_there = places.watch()
  session:command('agentls.graph', { uri = spot.uri, range = spot.range }, function(result)
    if still_there() then vim.cmd('split | edit! ' .. vim.fn.fnameescape(vim.uri_to_fname(result.uri))) end
  end)
end

return M
