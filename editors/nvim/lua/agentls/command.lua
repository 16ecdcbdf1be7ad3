-- :Agent
local answer = require('agentls.answer')
local ask = require('agentls.ask')
local changes = require('agentls.changes')
local client = require('agentls.client')
local position = require('agentls.position')
local review = require('agentls.review')
local say = require('agentls.say')

local M = {}

---@class agentls.Call
---@field session agentls.Session
---@field text? string what follows the subcommand
---@field buf integer where it was called
---@field cursor { [1]: integer, [2]: integer } line from 1, byte from 0
---@field lines? { [1]: integer, [2]: integer } the range, if one was given

---@param call agentls.Call
---@return agentls.Spot
local function spot(call)
  local encoding, range = call.session:encoding(), nil
  if call.lines then
    range = position.lines(call.buf, call.lines[1], call.lines[2], encoding)
  else
    range = position.cursor(call.buf, call.cursor, encoding)
  end
  return { uri = vim.uri_from_bufnr(call.buf), range = range }
end

--- Decides about a hunk, a file or all.
---@param call agentls.Call
---@param about fun(session: agentls.Session, argument: table)
local function decide(call, about)
  local seen, what = review.current(), call.text or 'hunk'
  if what == 'all' then return about(call.session, { changeSet = seen and seen.id or '' }) end
  if what ~= 'hunk' and what ~= 'file' then return say.fail(string.format('%q is none of hunk, file and all', what)) end
  if seen then return seen['decide_' .. what](seen, about) end
  changes.find(call.session, vim.uri_from_bufnr(call.buf), call.cursor[1], function(argument)
    if what == 'file' then argument.hunk = nil end
    about(call.session, argument)
  end)
end

--- What may run at the task service.
---@type table<string, fun(session: agentls.Session, spot: agentls.Spot, text?: string)>
local remotes = { ask = ask.ask, explain = ask.explain, change = ask.change }

--- Runs a subcommand at the task service.
---@param call agentls.Call
local function remote(call)
  local name, text = (call.text or ''):match('^(%S*)%s*(.*)$')
  if not remotes[name] then return say.fail(':Agent remote: say one of ask, change, explain') end
  local at = spot(call)
  at.remote = true
  remotes[name](call.session, at, text ~= '' and text or nil)
end

---@type table<string, fun(call: agentls.Call)>
local commands = {
  ask = function(call)
    if answer.is_shown_in(call.buf) then return answer.ask_on(call.text) end
    ask.ask(call.session, spot(call), call.text)
  end,
  explain = function(call) ask.explain(call.session, spot(call)) end,
  change = function(call) ask.change(call.session, spot(call), call.text) end,
  plan = function(call) ask.plan(call.session, spot(call), call.text) end,
  review = function(call) ask.review(call.session, spot(call)) end,
  findings = function(call) require('agentls.findings').pick(call.session) end,
  rename = function(call)
    local at = spot(call)
    ask.rename(call.session, at.uri, at.range.start, call.text)
  end,
  graph = function(call) ask.graph(call.session, spot(call)) end,
  remote = function(call) remote(call) end,
  tasks = function(call) require('agentls.tasks').open(call.session) end,
  answer = function() answer.show() end,
  changes = function(call) changes.pick(call.session) end,
  accept = function(call) decide(call, changes.accept) end,
  reject = function(call) decide(call, changes.reject) end,
  apply = function(call)
    local seen = review.current()
    changes.apply(call.session, { changeSet = seen and seen.id })
  end,
  undo = function(call) changes.undo(call.session, { entry = call.text }) end,
  redo = function(call) changes.redo(call.session, { entry = call.text }) end,
  history = function(call) changes.history(call.session) end,
  reply = function(call) require('agentls.reply').answer_next(call.session, call.text) end,
  verify = function(call) require('agentls.checks').verify(call.session, call.text) end,
  continue = function(call) ask.continue(call.session) end,
  stop = function(call)
    call.session:command('agentls.stop', {}, function(result)
      say.note(#result.stopped == 0 and 'nothing runs' or 'stopped ' .. say.count(#result.stopped, 'run'))
    end)
  end,
  status = function(call)
    require('agentls.status').report(call.session, function(lines)
      vim.api.nvim_echo({ { table.concat(lines, '\n') } }, true, {})
    end)
  end,
}

--- What is about the code at the cursor.
local about_code = { ask = true, explain = true, change = true, plan = true, review = true, rename = true, graph = true, remote = true }

local hunks = { 'hunk', 'file', 'all' }
local scopes = { accept = hunks, reject = hunks, remote = { 'ask', 'change', 'explain' } }

---@param words string[]
---@param start string
---@return string[]
local function beginning(words, start)
  return vim.tbl_filter(function(word) return word:sub(1, #start) == start end, words)
end

---@return string[]
local function names()
  local out = vim.tbl_keys(commands)
  table.insert(out, 'attach')
  table.sort(out)
  return out
end

--- Completes a command line.
---@param line string
---@return string[]
function M.complete(line)
  local first, rest = line:match('Agent!?%s+(%S+)%s+(.*)$')
  if first == 'attach' then return vim.fn.getcompletion(rest, 'file') end
  if first then return beginning(scopes[first] or {}, rest) end
  return beginning(names(), line:match('(%S*)$'))
end

--- Runs :Agent with the options of nvim_create_user_command.
---@param opts table
function M.run(opts)
  local name, text = opts.args:match('^(%S*)%s*(.-)%s*$')
  local command = commands[name]
  if not command and name ~= 'attach' then
    local problem = name == '' and ':Agent needs a word' or ':Agent ' .. name .. ': there is no such'
    return say.fail(problem .. ': it is one of ' .. table.concat(names(), ', '))
  end
  require('agentls').ensure_setup()
  local call = {
    text = text ~= '' and text or nil, buf = vim.api.nvim_get_current_buf(), cursor = vim.api.nvim_win_get_cursor(0),
    lines = opts.range > 0 and { opts.line1, opts.line2 } or nil,
  }
  if name == 'attach' then return require('agentls.attach').attach(call.buf, call.lines, call.text) end
  client.with(call.buf, function(session)
    if not vim.api.nvim_buf_is_loaded(call.buf) then
      return say.warn('the file was closed before the server was ready')
    end
    local goes_on = name == 'ask' and answer.is_shown_in(call.buf)
    if about_code[name] and not goes_on and not client.shows_file(call.buf) then
      return say.warn('this window shows no file: go to the code that you mean')
    end
    call.session = session
    command(call)
  end)
end

return M
