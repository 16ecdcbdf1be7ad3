-- The review of a proposal: its files, and for one of them the text as it is beside the text as proposed.
local changes = require('agentls.changes')
local checks = require('agentls.checks')
local config = require('agentls.config')
local pair = require('agentls.pair')
local places = require('agentls.places')
local proposal = require('agentls.proposal')
local say = require('agentls.say')

local M = {}

---@class agentls.Review
---@field session agentls.Session
---@field id string of the change set
---@field title string
---@field files agentls.File[]
---@field checks agentls.Check[] what ran on it
---@field current integer the file that is shown
---@field placed agentls.PlacedHunk[] of that file
---@field pair agentls.Pair
---@field asked integer how often the server was asked for the state, so that a late answer is known as such
local Review = {}
Review.__index = Review

---@type table<string, agentls.Review> by change set
local reviews = {}

local name = places.name
local letters = { modify = 'M', create = 'A', delete = 'D', rename = 'R' }

---@return agentls.File
function Review:file() return self.files[self.current] end

---@param file agentls.File
---@return string
function Review:describe(file)
  local removed, added = proposal.weight(self:placed_in(file))
  local conflicts = #vim.tbl_filter(function(h) return h.state == 'conflict' end, file.hunks)
  local text = string.format('%s %s%s  %s, +%d -%d', letters[file.op], name(file.uri),
    file.to and ' → ' .. name(file.to) or '', say.count(#file.hunks, 'hunk'), added, removed)
  return conflicts > 0 and text .. ', ' .. say.count(conflicts, 'conflict') or text
end

---@return string[]
function Review:list()
  local hunks = 0
  for _, file in ipairs(self.files) do hunks = hunks + #file.hunks end
  local out = { string.format('%s: %s in %s', self.title, say.count(hunks, 'hunk'), say.count(#self.files, 'file')) }
  for i, file in ipairs(self.files) do
    out[#out + 1] = (i == self.current and '▸ ' or '  ') .. self:describe(file)
  end
  for _, check in ipairs(self.checks) do out[#out + 1] = checks.line(check) end
  return out
end

---@return string
function Review:key_line()
  local k = config.options.keys
  local form = '%s accept  %s reject  (%s %s file, %s %s all)  %s %s hunk  %s %s file  %s undo  %s close  %s keys'
  local line = form:format(k.accept, k.reject, k.accept_file, k.reject_file, k.accept_all, k.reject_all, k.next_hunk,
    k.previous_hunk, k.next_file, k.previous_file, k.undo, k.close, k.help)
  return #self.checks > 0 and line .. '  ' .. k.checks .. ' checks' or line
end

--- Marks each hunk with its number and state.
function Review:mark()
  for _, p in ipairs(self.placed) do
    local conflict = p.hunk.state == 'conflict'
    local text = string.format('  hunk %d%s', p.hunk.hunk, conflict and ': conflict: ' .. (p.hunk.conflict or '') or '')
    local side, place = self.pair.right, p.after
    if place.last < place.first then side, place = self.pair.left, p.before end
    self.pair:note(side, place.first, conflict and 'WarningMsg' or 'Comment', text)
  end
end

function Review:draw()
  local file = self:file()
  local after, placed = proposal.proposed(file, self.session:encoding())
  self.placed = placed
  local later = file.to or file.uri
  self.pair:show(self:list(), self:key_line(), {
    lines = proposal.lines(file.before), path = vim.uri_to_fname(file.uri),
    title = file.op == 'create' and 'there is no ' .. name(file.uri) or name(file.uri) .. ' as it is',
  }, {
    lines = proposal.lines(after), path = vim.uri_to_fname(later),
    title = file.op == 'delete' and name(file.uri) .. ' is deleted' or name(later) .. ' as proposed',
  })
  self.pair:highlight(1, 'Title')
  self.pair:highlight(self.current + 1, 'CursorLine')
  for i, check in ipairs(self.checks) do
    if not check.passed then self.pair:highlight(1 + #self.files + i, 'WarningMsg') end
  end
  self:mark()
end

---@param file agentls.File
---@return agentls.PlacedHunk[]
function Review:placed_in(file)
  local _, placed = proposal.proposed(file, self.session:encoding())
  return placed
end

--- Puts the cursor on a hunk, on the side that shows it.
---@param p? agentls.PlacedHunk
function Review:go(p)
  if not p then return end
  if p.after.last < p.after.first then
    self.pair:go(self.pair.left, p.before.first)
  end
  self.pair:go(self.pair.right, p.after.first)
end

---@return 'before'|'after' side
---@return integer line
function Review:cursor()
  local left = vim.api.nvim_get_current_win() == self.pair.left.win
  local win = left and self.pair.left.win or self.pair.right.win
  return left and 'before' or 'after', vim.api.nvim_win_get_cursor(win)[1]
end

---@return agentls.PlacedHunk?
function Review:at_cursor()
  local side, line = self:cursor()
  return #self.placed == 1 and self.placed[1] or proposal.at(self.placed, side, line)
end

--- Shows another file, and there the first hunk, or the last.
---@param i integer
---@param last? boolean
function Review:show_file(i, last)
  if not self.files[i] then return say.note('no further file') end
  self.current = i
  self:draw()
  self:go(self.placed[last and #self.placed or 1])
end

---@param direction 1|-1
function Review:move(direction)
  local side, line = self:cursor()
  local p = proposal.beside(self.placed, side, line, direction)
  if p then return self:go(p) end
  self:show_file(self.current + direction, direction < 0)
end

--- The file that the list's cursor is on, else the one that is shown.
---@return integer
function Review:selected()
  if vim.api.nvim_get_current_win() ~= self.pair.list.win then return self.current end
  local i = vim.api.nvim_win_get_cursor(0)[1] - 1
  return self.files[i] and i or self.current
end

--- Decides about the hunk at the cursor.
---@param decide fun(session: agentls.Session, argument: table)
function Review:decide_hunk(decide)
  if vim.api.nvim_get_current_win() == self.pair.list.win then return self:decide_file(decide) end
  local p = self:at_cursor()
  if not p then return say.warn('there is no hunk at the cursor') end
  decide(self.session, { changeSet = self.id, uri = self:file().uri, hunk = p.hunk.hunk })
end

---@param decide fun(session: agentls.Session, argument: table)
function Review:decide_file(decide)
  decide(self.session, { changeSet = self.id, uri = self.files[self:selected()].uri })
end

--- Opens the file itself, where the hunk is.
function Review:open_file()
  local file = self.files[self:selected()]
  local p = file == self:file() and self:at_cursor() or self:placed_in(file)[1]
  if file.op == 'create' then return say.warn(name(file.uri) .. ' does not exist yet') end
  self.pair:show_file(vim.uri_to_fname(file.uri))
  local line = p and math.min(p.before.first, vim.api.nvim_buf_line_count(0)) or 1
  vim.api.nvim_win_set_cursor(0, { math.max(line, 1), 0 })
end

function Review:close()
  reviews[self.id] = nil
  self.pair:close()
end

function Review:help()
  local lines = {}
  for _, entry in ipairs(self:keys()) do
    if config.options.keys[entry[1]] then
      lines[#lines + 1] = string.format('%-6s %s', config.options.keys[entry[1]], entry[2])
    end
  end
  vim.lsp.util.open_floating_preview(lines, '', { border = 'rounded', focusable = false })
end

--- The keys, in the order of the help: option, meaning, what it does.
---@return { [1]: string, [2]: string, [3]: fun() }[]
function Review:keys()
  local all = { changeSet = self.id }
  return {
    { 'accept', 'accept the hunk (in the list: the file)', function() self:decide_hunk(changes.accept) end },
    { 'reject', 'reject it', function() self:decide_hunk(changes.reject) end },
    { 'accept_file', 'accept the file', function() self:decide_file(changes.accept) end },
    { 'reject_file', 'reject the file', function() self:decide_file(changes.reject) end },
    { 'accept_all', 'apply all that is pending', function() changes.apply(self.session, all) end },
    { 'reject_all', 'reject all', function() changes.reject(self.session, all) end },
    { 'next_hunk', 'next hunk', function() self:move(1) end },
    { 'previous_hunk', 'previous hunk', function() self:move(-1) end },
    { 'next_file', 'next file', function() self:show_file(self.current + 1) end },
    { 'previous_file', 'previous file', function() self:show_file(self.current - 1) end },
    { 'open', 'open the file', function() self:open_file() end },
    { 'checks', 'output of the checks', function() checks.show(self.session, self.checks) end },
    { 'undo', 'undo what was applied last', function() changes.undo(self.session, {}) end },
    { 'redo', 'redo', function() changes.redo(self.session, {}) end },
    { 'close', 'close', function() self:close() end },
    { 'help', 'these keys', function() self:help() end },
  }
end

--- Shows what the list's cursor is on.
function Review:show_selected()
  local in_list = vim.api.nvim_get_current_win() == self.pair.list.win
  if in_list and vim.api.nvim_win_get_cursor(0)[1] - 1 > #self.files then
    return checks.show(self.session, self.checks)
  end
  self:show_file(self:selected())
end

function Review:set_keys()
  for _, entry in ipairs(self:keys()) do
    self.pair:map(config.options.keys[entry[1]], entry[2], entry[3])
  end
  self.pair:map('<CR>', 'show the file, or the checks', function() self:show_selected() end)
end

--- Takes the server's state, and keeps the file and the line.
---@param shown table as agentls.changes.show answers it
function Review:update(shown)
  local uri = self:file() and self:file().uri
  self.files, self.title, self.checks = shown.files, shown.title, shown.checks or {}
  if #self.files == 0 then return self:close() end
  self.current = math.min(self.current, #self.files)
  for i, file in ipairs(self.files) do
    if file.uri == uri then self.current = i end
  end
  local same = self:file().uri == uri
  local side, line = self:cursor()
  self:draw()
  if not same then return self:go(self.placed[1]) end
  local here = proposal.at(self.placed, side, line) or proposal.beside(self.placed, side, line, 1)
  self:go(here or self.placed[#self.placed])
end

--- Asks the server for the state.
function Review:refresh()
  self.asked = self.asked + 1
  local asked = self.asked
  self.session:command('agentls.changes.show', { changeSet = self.id }, function(shown)
    if asked == self.asked and self.pair:is_open() then self:update(shown) end
  end)
end

---@param session agentls.Session
---@param shown table as agentls.changes.show answers it
local function build(session, shown)
  local self = setmetatable({
    session = session, id = shown.id, title = shown.title, files = shown.files, checks = shown.checks or {},
    current = 1, placed = {}, asked = 0, pair = pair.open(session, 'review'),
  }, Review)
  reviews[self.id] = self
  self:set_keys()
  self:show_file(1)
  vim.api.nvim_set_current_win(self.pair.right.win)
end

--- Opens the review of a proposal; without an id that of the newest. A user who went on to something else meanwhile is
--- only told: what is typed there must not become a decision here.
---@param session agentls.Session
---@param id? string
---@param still_there? fun(): boolean as of places.watch, of when the user asked for it
function M.open(session, id, still_there)
  still_there = still_there or places.watch()
  session:command('agentls.changes.show', { changeSet = id }, function(shown)
    if #shown.files == 0 then return say.note('nothing is left to decide in: ' .. shown.title) end
    if not still_there() then return say.note(shown.title .. ' waits: :Agent changes') end
    local open = reviews[shown.id]
    if open and open.session ~= session then open:close() end -- its server has ended
    if not (open and open.pair:is_open()) then return build(session, shown) end
    vim.api.nvim_set_current_tabpage(open.pair.tab)
    open:update(shown)
  end)
end

--- The review that is in sight.
---@return agentls.Review?
function M.current()
  for _, review in pairs(reviews) do
    if review.pair:is_open() and vim.api.nvim_get_current_tabpage() == review.pair.tab then return review end
  end
end

--- Brings a review in step with the server.
---@param id string of the change set
function M.moved(id)
  local review = reviews[id]
  if review and review.pair:is_open() then review:refresh() end
end

vim.api.nvim_create_autocmd('TabEnter', {
  group = vim.api.nvim_create_augroup('agentls.review', {}),
  callback = function()
    local review = M.current()
    if review and review.session:client() then review:refresh() end -- the user may have typed in the files
  end,
})

return M
