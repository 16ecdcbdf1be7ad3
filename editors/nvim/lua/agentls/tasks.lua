-- The list of the tasks at the service.
local places = require('agentls.places')
local runs = require('agentls.runs')
local say = require('agentls.say')
local scratch = require('agentls.scratch')

local M = {}

---@class agentls.Task as agentls.tasks.list answers it
---@field id string
---@field title string
---@field state 'pending'|'running'|'done'|'failed'|'cancelled'
---@field created string
---@field updated string
---@field attempts integer
---@field files? integer
---@field added? integer
---@field removed? integer

---@class agentls.TaskList
---@field session agentls.Session
---@field url string
---@field tasks agentls.Task[]
---@field cursor? string where the list goes on
---@field buf integer
---@field asked integer how often the server was asked, so that a late answer is known as such
local TaskList = {}
TaskList.__index = TaskList

---@type agentls.TaskList? the last one
local current

local namespace = vim.api.nvim_create_namespace('agentls.tasks')
local marks = { pending = '·', running = '…', done = '✓', failed = '✗', cancelled = '–' }

--- Seconds since 1970 of a time of RFC 3339.
---@param text string
---@return integer?
function M.seconds(text)
  local year, month, day, hour, minute, second, zone = text:match('^(%d+)-(%d+)-(%d+)[Tt](%d+):(%d+):(%d+)%.?%d*(.*)$')
  if not year then return nil end
  year, month = tonumber(year), tonumber(month)
  if month <= 2 then year, month = year - 1, month + 12 end -- a year begins with March, so that it ends with the leap day
  local days = 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + tonumber(day) - 1 - 719468
  local sign, zone_hours, zone_minutes = zone:match('^([+-])(%d+):(%d+)$')
  local offset = sign and (sign == '+' and 1 or -1) * (zone_hours * 60 + zone_minutes) or 0
  return days * 86400 + hour * 3600 + (minute - offset) * 60 + second
end

--- How long ago a time was: "now", "5 min", "3 h", "12 d".
---@param text string a time of RFC 3339
---@param now integer seconds since 1970
---@return string
function M.age(text, now)
  local seconds = now - (M.seconds(text) or now)
  if seconds < 60 then return 'now' end
  if seconds < 3600 then return math.floor(seconds / 60) .. ' min' end
  if seconds < 86400 then return math.floor(seconds / 3600) .. ' h' end
  return math.floor(seconds / 86400) .. ' d'
end

---@param task agentls.Task
---@return string
local function size(task)
  if not task.files then return '' end
  return string.format('%s, +%d -%d', say.count(task.files, 'file'), task.added or 0, task.removed or 0)
end

--- A text cut or filled to a width.
---@param text string
---@param width integer
---@return string
local function fit(text, width)
  while vim.fn.strdisplaywidth(text) > width do
    text = vim.fn.strcharpart(text, 0, vim.fn.strchars(text) - 2) .. '…'
  end
  return text .. (' '):rep(width - vim.fn.strdisplaywidth(text))
end

--- A task as one line.
---@param task agentls.Task
---@param width integer of the title
---@return string
function M.line(task, width)
  local line = string.format('%s %-9s  %s  %6s  %-20s', marks[task.state] or '?', task.state,
    fit(say.line(task.title), width), M.age(task.created, os.time()), size(task))
  if task.attempts > 1 then line = line .. '  ' .. say.count(task.attempts, 'attempt') end
  return (line:gsub('%s+$', ''))
end

function TaskList:draw()
  local longest = 10
  for _, task in ipairs(self.tasks) do
    longest = math.max(longest, vim.fn.strdisplaywidth(say.line(task.title)))
  end
  local width = math.max(10, math.min(longest, vim.o.columns - 50))
  local lines = { 'Tasks at ' .. say.line(self.url) }
  for _, task in ipairs(self.tasks) do lines[#lines + 1] = M.line(task, width) end
  if #self.tasks == 0 then lines[#lines + 1] = 'There are none: :Agent remote change hands one over.' end
  if self.cursor then lines[#lines + 1] = 'm shows those before' end
  scratch.set(self.buf, 0, lines)
  vim.api.nvim_buf_clear_namespace(self.buf, namespace, 0, -1)
  vim.api.nvim_buf_add_highlight(self.buf, namespace, 'Title', 0, 0, -1)
end

---@return boolean
function TaskList:is_open() return vim.api.nvim_buf_is_valid(self.buf) end

--- Calls fn with the task at the cursor.
---@param fn fun(task: agentls.Task)
function TaskList:at_cursor(fn)
  local task = self.tasks[vim.api.nvim_win_get_cursor(0)[1] - 1]
  if not task then return say.warn('there is no task at the cursor') end
  fn(task)
end

--- Takes the service's answer, and keeps the cursor on its task.
---@param result table as agentls.tasks.list answers it
function TaskList:update(result)
  local win = vim.fn.bufwinid(self.buf)
  local row = win > 0 and vim.api.nvim_win_get_cursor(win)[1] or 2
  local before = self.tasks[row - 1]
  self.url, self.tasks, self.cursor = result.url, result.tasks, result.cursor
  self:draw()
  for i, task in ipairs(self.tasks) do
    if before and task.id == before.id then row = i + 1 end
  end
  if win > 0 then
    vim.api.nvim_win_set_cursor(win, { math.min(row, vim.api.nvim_buf_line_count(self.buf)), 0 })
  end
end

--- Asks the service for the newest tasks.
function TaskList:refresh()
  self.asked = self.asked + 1
  local asked = self.asked
  self.session:command('agentls.tasks.list', {}, function(result)
    if asked == self.asked and self:is_open() then self:update(result) end
  end)
end

--- Shows older tasks, too.
function TaskList:more()
  if not self.cursor then return say.note('these are all') end
  local asked, shown = self.asked, self.tasks
  self.session:command('agentls.tasks.list', { cursor = self.cursor }, function(result)
    if asked ~= self.asked or shown ~= self.tasks or not self:is_open() then return end
    result.tasks = vim.list_extend(vim.list_extend({}, shown), result.tasks)
    self:update(result)
  end)
end

---@param task agentls.Task
function TaskList:follow(task)
  local still_there = places.watch()
  self.session:command('agentls.tasks.follow', { task = task.id }, function(result)
    local run = runs.run(result.run, self.session.id)
    require('agentls.answer').open(self.session, nil, { run = run }, still_there)
  end)
end

---@param task agentls.Task
function TaskList:cancel(task)
  if task.state ~= 'running' and task.state ~= 'pending' then return say.note('it has ended: ' .. task.state) end
  if vim.fn.confirm('Cancel ' .. say.line(task.title) .. '?', '&No\n&Yes', 1) ~= 2 then return end
  self.session:command('agentls.tasks.cancel', { task = task.id }, function(result)
    say.note(task.title .. ': ' .. result.state)
    if self:is_open() then self:refresh() end
  end)
end

function TaskList:set_keys()
  scratch.map(self.buf, {
    ['<CR>'] = { 'follow the task', function() self:at_cursor(function(task) self:follow(task) end) end },
    x = { 'cancel the task', function() self:at_cursor(function(task) self:cancel(task) end) end },
    r = { 'refresh', function() self:refresh() end },
    m = { 'older tasks', function() self:more() end },
    q = { 'close', function() vim.cmd('close') end },
  })
end

--- Opens the window, or goes to it.
function TaskList:show()
  local win = vim.fn.bufwinid(self.buf)
  if win > 0 then return vim.api.nvim_set_current_win(win) end
  win = scratch.split('botright split', self.buf)
  vim.api.nvim_win_set_height(win, math.max(3, math.min(#self.tasks + 2, math.floor(vim.o.lines / 3))))
  scratch.set_option(win, 'wrap', false)
  scratch.set_option(win, 'winfixheight', true)
  scratch.set_option(win, 'cursorline', true)
  scratch.set_option(win, 'statusline', ' <CR> follow  x cancel  r refresh  m more  q close')
  vim.api.nvim_win_set_cursor(win, { 2, 0 })
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = self.buf, once = true,
    callback = vim.schedule_wrap(function()
      if vim.api.nvim_win_is_valid(win) then scratch.release(win) end
    end),
  })
end

--- Opens the list.
---@param session agentls.Session
function M.open(session)
  session:command('agentls.tasks.list', {}, function(result)
    if not (current and current:is_open() and current.session == session) then
      current = setmetatable({ session = session, buf = scratch.new(session, 'tasks'), tasks = {}, asked = 0 }, TaskList)
      current:set_keys()
    end
    current:update(result)
    current:show()
  end)
end

--- Brings the list in step, if it is shown, with an event that says that a task moved.
---@param session agentls.Session
---@param event table (lsp/COMMANDS.md)
function M.take(session, event)
  if not (current and current:is_open() and current.session == session) then return end
  local ended = event.kind == 'run.done' or event.kind == 'run.failed'
  local handed_over = event.kind == 'run.step' and event.step.tool == 'remote'
  if handed_over or ended and runs.run(event.run, session.id).remote then current:refresh() end
end

return M
