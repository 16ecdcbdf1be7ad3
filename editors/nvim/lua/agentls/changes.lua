-- What the user decides about proposals: apply, undo, redo, reject.
local config = require('agentls.config')
local edit = require('agentls.edit')
local places = require('agentls.places')
local proposal = require('agentls.proposal')
local say = require('agentls.say')

local M = {}

--- Shows why nothing was changed.
---@param session agentls.Session
---@param conflicts table[] as agentls.changes.accept answers them
local function show_conflicts(session, conflicts)
  say.warn(string.format('nothing was changed: %s, both texts are shown', say.count(#conflicts, 'conflict')))
  require('agentls.conflict').open(session, conflicts)
end

---@param did string
---@param result table as agentls.changes.accept answers it
---@param unsaved string[]
local function report(did, result, unsaved)
  local text = string.format('%s: %s (%s)', did, result.title or 'the change', say.count(#result.files, 'file'))
  if #unsaved > 0 then text = text .. ', not saved: ' .. table.concat(unsaved, ', ') end
  say.note(text)
end

--- Has Neovim look again at files that were changed on disk beside a buffer: those that the server is not told about.
---@param session agentls.Session
---@param uris string[]
local function look_again(session, uris)
  for _, uri in ipairs(uris) do
    local buf = places.buffer(vim.uri_to_fname(uri))
    if buf and vim.api.nvim_buf_is_loaded(buf) and not vim.lsp.buf_is_attached(buf, session.id) then
      vim.cmd('checktime ' .. buf)
    end
  end
end

--- Runs a command that changes files, lets its edits through, and saves what was saved before.
---@param session agentls.Session
---@param command string
---@param argument table
---@param did string what to say then
local function perform(session, command, argument, did)
  local operation = edit.begin(session.id)
  session:command(command, argument, function(result)
    edit.finish(operation)
    if #result.conflicts > 0 then return show_conflicts(session, result.conflicts) end
    local save = config.options.save_after_apply and edit.save or edit.unsaved
    report(did, result, save(operation, result.unsaved))
    look_again(session, result.files)
  end, function(message)
    edit.finish(operation)
    say.fail(message)
  end)
end

--- Applies hunks of a proposal.
---@param session agentls.Session
---@param argument table of agentls.changes.accept
function M.accept(session, argument) perform(session, 'agentls.changes.accept', argument, 'applied') end

--- Applies all that is pending in a proposal.
---@param session agentls.Session
---@param argument table of agentls.changes.apply
function M.apply(session, argument) perform(session, 'agentls.changes.apply', argument, 'applied') end

---@param session agentls.Session
---@param argument table of agentls.changes.undo
function M.undo(session, argument) perform(session, 'agentls.changes.undo', argument, 'undone') end

---@param session agentls.Session
---@param argument table of agentls.changes.redo
function M.redo(session, argument) perform(session, 'agentls.changes.redo', argument, 'made again') end

--- Takes hunks out of a proposal.
---@param session agentls.Session
---@param argument table of agentls.changes.reject
function M.reject(session, argument)
  session:command('agentls.changes.reject', argument, function(result)
    local left = result.counts.pending + result.counts.inConflict
    say.note('rejected, ' .. (left == 0 and 'nothing is left to decide' or say.count(left, 'hunk') .. ' left'))
  end)
end

---@param shown table as agentls.changes.show answers it
---@param uri string
---@param line integer from 1
---@param encoding string
---@return table? argument for accept and reject
local function hunk_at(shown, uri, line, encoding)
  for _, file in ipairs(shown.files) do
    if file.uri == uri then
      local _, placed = proposal.proposed(file, encoding)
      local hit = proposal.at(placed, 'before', line)
      if hit then return { changeSet = shown.id, uri = uri, hunk = hit.hunk.hunk } end
    end
  end
end

--- Finds the hunk at a line of a file, in the newest proposal that has one there.
---@param session agentls.Session
---@param uri string
---@param line integer from 1
---@param done fun(argument: table) with the argument for accept and reject
function M.find(session, uri, line, done)
  session:command('agentls.changes.list', {}, function(list)
    local function look(i)
      local one = list.proposals[i]
      if not one then return say.warn('no hunk is proposed at the cursor; :Agent changes shows them all') end
      session:command('agentls.changes.show', { changeSet = one.id }, function(shown)
        local hit = hunk_at(shown, uri, line, session:encoding())
        if hit then done(hit) else look(i - 1) end
      end)
    end
    look(#list.proposals)
  end)
end

--- Lets the user pick a proposal to review; without a choice to make, the only one.
---@param session agentls.Session
function M.pick(session)
  local still_there = places.watch()
  session:command('agentls.changes.list', {}, function(list)
    local review = require('agentls.review')
    if #list.proposals == 0 then return say.note('no proposal waits for you') end
    if #list.proposals == 1 then return review.open(session, list.proposals[1].id, still_there) end
    vim.ui.select(list.proposals, {
      prompt = 'Review',
      format_item = function(p)
        local hunks = say.count(p.counts.pending + p.counts.inConflict, 'hunk')
        return string.format('%s (%s in %s)', p.title, hunks, say.count(p.files, 'file'))
      end,
    }, function(p)
      if p then review.open(session, p.id) end
    end)
  end)
end

--- Lets the user pick an entry of the journal, to undo it or to make it again.
---@param session agentls.Session
function M.history(session)
  session:command('agentls.changes.list', {}, function(list)
    if #list.entries == 0 then return say.note('nothing was applied yet') end
    vim.ui.select(list.entries, {
      prompt = 'Undo or redo',
      format_item = function(e)
        local verb, time = e.state == 'undone' and 'redo' or 'undo', e.time:sub(1, 16):gsub('T', ' ')
        return string.format('%s %s: %s', verb, time, e.title)
      end,
    }, function(e)
      if e then (e.state == 'undone' and M.redo or M.undo)(session, { entry = e.id }) end
    end)
  end)
end

return M
