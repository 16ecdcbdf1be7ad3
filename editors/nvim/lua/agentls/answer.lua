-- The window that shows what a run says, as it comes, and takes further questions.
local checks = require('agentls.checks')
local places = require('agentls.places')
local position = require('agentls.position')
local reply = require('agentls.reply')
local runs = require('agentls.runs')
local say = require('agentls.say')
local scratch = require('agentls.scratch')

local M = {}

---@class agentls.Exchange one run and what it was asked
---@field run agentls.Run
---@field command? string of the server that began it; nil: a task that was begun elsewhere
---@field argument? table of the command
---@field question? string

---@class agentls.Conversation
---@field session agentls.Session
---@field uri? string the file that it is about, if it is about one
---@field range? fun(): table where in that file, now: an LSP Range
---@field exchanges agentls.Exchange[]
---@field buf? integer
---@field win? integer

---@type agentls.Conversation? the last one
local current
---@type table<string, agentls.Conversation> by run
local conversations = {}

local namespace = vim.api.nvim_create_namespace('agentls.answer')

---@param step agentls.RunStep
---@return string
local function step_line(step)
  local mark = ({ started = '…', done = '✓', failed = '✗' })[step.state]
  local line = string.format('%s *%s*', mark, say.line(step.title))
  if step.error and step.error ~= '' then return line .. ': ' .. vim.split(step.error, '\n', { plain = true })[1] end
  return step.detail and line .. ': ' .. say.line(step.detail) or line
end

---@param out string[]
---@param text string
local function add(out, text) vim.list_extend(out, vim.split(text:gsub('\r\n', '\n'), '\n', { plain = true })) end

---@param out string[]
---@param run agentls.Run
local function add_result(out, run)
  if run.error then add(out, '\n**It failed:** ' .. run.error) end
  if #run.checks > 0 then add(out, '') end
  for _, check in ipairs(run.checks) do add(out, checks.line(check)) end
  if #run.suggest > 0 then
    add(out, '\nNo command checked it. `' .. table.concat(run.suggest, '`, `') .. '` could: :Agent verify')
  end
  if run.change_set then add(out, '\n**A proposal waits for your review:** press d, or :Agent changes') end
end

--- What it means to do, and what it asks.
---@param out string[]
---@param run agentls.Run
local function add_plan(out, run)
  if run.plan then
    add(out, '\n**Its plan:** ' .. say.line(run.plan.explanation or ''))
    vim.list_extend(out, reply.plan_lines(run.plan))
  end
  if run.plan_waits then add(out, '\n**The plan waits for your word:** press a') end
  if not run.question then return end
  add(out, '\n**It asks:** ' .. run.question.text)
  for _, option in ipairs(run.question.options or {}) do add(out, '- ' .. say.line(option)) end
end

---@param out string[]
---@param exchange agentls.Exchange
local function add_exchange(out, exchange)
  local run = exchange.run
  add(out, '# ' .. (run.title ~= '' and run.title or '…'))
  if run.remote and #run.items == 0 then add(out, 'to be handed to ' .. run.remote) end -- its first step says more
  if exchange.question then add(out, '> ' .. exchange.question:gsub('\n', '\n> ')) end
  for i, item in ipairs(run.items) do
    local before = run.items[i - 1]
    if not (item.step and before and before.step) then add(out, '') end
    add(out, item.text and vim.trim(item.text) or step_line(item.step))
  end
  add_plan(out, run)
  add_result(out, run)
end

---@param run agentls.Run
---@return string what is going on, or where the answer is from
local function state_of(run)
  if run.state == 'failed' then return 'failed' end
  if run.state == 'running' then
    if run.question or run.plan_waits then return 'waiting for you' end
    return run.waiting and 'waiting: ' .. say.line(run.waiting) or run.thinking and 'thinking …' or 'running …'
  end
  local usage = run.usage or {}
  if (usage.requests or 0) == 0 then return 'from the ' .. (run.source or 'index') end
  return string.format('%s, %s, %d tokens', run.source, say.count(usage.requests, 'request'),
    (usage.inputTokens or 0) + (usage.outputTokens or 0))
end

---@param c agentls.Conversation
---@return agentls.Run
local function last_run(c) return c.exchanges[#c.exchanges].run end

---@param c agentls.Conversation
---@return string
local function footer(c)
  local run, keys = last_run(c), {}
  local command = c.exchanges[#c.exchanges].command
  if run.state == 'running' then keys[#keys + 1] = command and 's stop' or 's leave' end -- the task goes on
  if run.state == 'running' and not run.remote then keys[#keys + 1] = 't tell' end
  if run.question or run.plan_waits then keys[#keys + 1] = 'a answer' end
  if run.paused then keys[#keys + 1] = 'o go on' end
  if run.change_set then keys[#keys + 1] = 'd review' end
  if #run.checks > 0 then keys[#keys + 1] = 'c checks' end
  if run.state == 'failed' and command and c.uri then keys[#keys + 1] = 'r try again' end
  if run.state ~= 'running' and c.uri then keys[#keys + 1] = 'i follow-up' end
  keys[#keys + 1] = 'q close'
  return string.format('── %s ── %s', state_of(run), table.concat(keys, '  '))
end

---@param c agentls.Conversation
---@return string[]
local function render(c)
  local out = {}
  for i, exchange in ipairs(c.exchanges) do
    if i > 1 then add(out, '') end
    add_exchange(out, exchange)
  end
  add(out, '')
  add(out, footer(c))
  return out
end

--- How many rows lines take, up to a number of them.
---@param lines string[]
---@param width integer
---@param most integer
---@return integer
local function rows_of(lines, width, most)
  local rows = 0
  for _, line in ipairs(lines) do
    rows = rows + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / width))
    if rows >= most then return most end
  end
  return rows
end

--- Where the window is and how large, so that the code beside it stays in sight.
---@param lines string[]
---@return table
local function layout(lines)
  local width = math.max(20, math.min(84, math.max(48, math.floor(vim.o.columns * 0.5)), vim.o.columns - 4))
  return {
    relative = 'editor', anchor = 'NE', row = 1, col = vim.o.columns - 1, style = 'minimal', border = 'rounded',
    width = width, height = math.max(3, rows_of(lines, width, vim.o.lines - 6)),
  }
end

--- Replaces only the lines that differ, so that the cursor and the view stay.
---@param buf integer
---@param lines string[]
local function set_lines(buf, lines)
  local old, same = vim.api.nvim_buf_get_lines(buf, 0, -1, false), 0
  while same < #old and same < #lines and old[same + 1] == lines[same + 1] do same = same + 1 end
  scratch.set(buf, same, vim.list_slice(lines, same + 1))
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  vim.api.nvim_buf_add_highlight(buf, namespace, 'Comment', #lines - 1, 0, -1)
end

---@param c agentls.Conversation
---@return boolean
local function is_open(c)
  return c.win ~= nil and vim.api.nvim_win_is_valid(c.win) and vim.api.nvim_win_get_buf(c.win) == c.buf
end

---@param c agentls.Conversation
---@return boolean
local function is_in_sight(c)
  return is_open(c) and vim.api.nvim_win_get_tabpage(c.win) == vim.api.nvim_get_current_tabpage()
end

---@param c agentls.Conversation
local function draw(c)
  if not is_open(c) then return end
  local lines, count = render(c), vim.api.nvim_buf_line_count(c.buf)
  local follows = count > 1 and vim.api.nvim_win_get_cursor(c.win)[1] == count
  set_lines(c.buf, lines)
  if vim.api.nvim_win_get_config(c.win).relative ~= '' then -- the user may have made a split of it
    vim.api.nvim_win_set_config(c.win, layout(lines))
  end
  if follows then vim.api.nvim_win_set_cursor(c.win, { #lines, 0 }) end
end

---@param c agentls.Conversation
local function close(c)
  if not is_open(c) then return end
  if pcall(vim.api.nvim_win_close, c.win, true) then return end
  vim.api.nvim_win_call(c.win, function() vim.cmd('enew') end) -- the user made it the last window
end

---@param c agentls.Conversation
---@param exchange agentls.Exchange
local function begin(c, exchange)
  if current and current ~= c then close(current) end
  table.insert(c.exchanges, exchange)
  conversations[exchange.run.id] = c
  current = c
end

--- The last run that answered: a question goes on from it.
---@param c agentls.Conversation
---@return string?
local function answered(c)
  for i = #c.exchanges, 1, -1 do
    local run = c.exchanges[i].run
    if run.state == 'done' and run.answer and run.answer:find('%S') then return run.id end
  end
end

--- Begins a further run of a conversation, and shows it.
---@param c agentls.Conversation
---@param command string
---@param argument table
---@param question? string
local function start(c, command, argument, question)
  local session = c.session
  require('agentls.editor').tell(session, function()
    session:command(command, argument, function(result)
      local run = runs.run(result.run, session.id)
      begin(c, { run = run, question = question, command = command, argument = argument })
      M.show()
    end)
  end)
end

--- Asks on, at the same place, where the last run was.
---@param c agentls.Conversation
---@param question string
local function ask_on(c, question)
  local argument = { uri = c.uri, range = c.range(), question = question, after = answered(c) }
  argument.remote = last_run(c).remote and true or nil
  start(c, 'agentls.ask', argument, question)
end

--- Why a question cannot go on from here, and what to do.
---@param c agentls.Conversation
---@return string?
local function cannot_go_on(c)
  if last_run(c).state == 'running' then return 'the answer is still coming; s stops it' end
  if not c.uri then return 'this task was not begun here: go to the code it is about, and :Agent ask' end
  if not c.session:client() then return 'the server that answered has ended: go to the code, and :Agent ask anew' end
end

--- Goes on with a question; without one the user is asked for it.
---@param c agentls.Conversation
---@param question? string
local function follow_up(c, question)
  local problem = cannot_go_on(c)
  if problem then return say.warn(problem) end
  if question then return ask_on(c, question) end
  vim.ui.input({ prompt = 'Follow-up: ' }, function(text)
    if text and vim.trim(text) ~= '' then ask_on(c, text) end
  end)
end

--- Begins a run that failed once more; a server that has ended is started again.
---@param c agentls.Conversation
local function try_again(c)
  local failed = c.exchanges[#c.exchanges]
  if failed.run.state ~= 'failed' or not failed.command or not c.uri then return say.warn('nothing failed here') end
  local buf = vim.uri_to_bufnr(c.uri)
  vim.fn.bufload(buf)
  require('agentls.client').with(buf, function(session)
    local argument = vim.tbl_extend('force', failed.argument, { range = c.range() })
    if session ~= c.session then argument.after = nil end -- it knows nothing of what came before
    c.session = session
    start(c, failed.command, argument, failed.question)
  end)
end

---@param c agentls.Conversation
local function review(c)
  local id = last_run(c).change_set
  if not id then return say.warn('there is no proposal to review') end
  close(c)
  require('agentls.review').open(c.session, id)
end

--- Tells a run under way something.
---@param c agentls.Conversation
local function steer(c)
  local run = last_run(c)
  if run.state ~= 'running' then return say.warn('nothing runs here') end
  vim.ui.input({ prompt = 'Tell it: ' }, function(text)
    if text and vim.trim(text) ~= '' then c.session:command('agentls.steer', { run = run.id, message = text }) end
  end)
end

--- Goes on with a run that paused.
---@param c agentls.Conversation
local function go_on(c)
  if not last_run(c).paused then return say.warn('this run did not pause') end
  c.session:command('agentls.continue', { run = last_run(c).id })
end

---@param c agentls.Conversation
local function set_keys(c)
  scratch.map(c.buf, {
    q = { 'close', function() close(c) end },
    ['<Esc>'] = { 'close', function() close(c) end },
    a = { 'answer what it asks', function() reply.answer(c.session, last_run(c)) end },
    t = { 'tell it something', function() steer(c) end },
    o = { 'go on after a pause', function() go_on(c) end },
    i = { 'follow-up question', function() follow_up(c) end },
    d = { 'review the proposal', function() review(c) end },
    c = { 'output of the checks', function() checks.show(c.session, last_run(c).checks) end },
    r = { 'try again', function() try_again(c) end },
    s = { 'stop', function() c.session:command('agentls.stop', { run = last_run(c).id }) end },
  })
end

--- Opens the window; the cursor stays where it is.
---@param c agentls.Conversation
local function open_window(c)
  c.buf = scratch.new(c.session)
  vim.bo[c.buf].syntax = 'markdown' -- not the file type: other plugins would take it for a document
  local lines = render(c)
  set_lines(c.buf, lines)
  c.win = vim.api.nvim_open_win(c.buf, false, layout(lines))
  vim.wo[c.win].wrap = true
  vim.wo[c.win].linebreak = true
  vim.wo[c.win].conceallevel = 2
  vim.wo[c.win].concealcursor = 'nc'
  set_keys(c)
end

--- Shows the last conversation, and goes to its window.
function M.show()
  if not current then return say.note('nothing was asked yet') end
  if is_open(current) then draw(current) else open_window(current) end
  vim.b[current.buf].agentls_session = current.session.id
  vim.api.nvim_set_current_win(current.win)
end

--- Opens the window for a run that just started. The cursor goes there if the user is still where they asked.
---@param session agentls.Session
---@param spot? agentls.Spot where it is about
---@param exchange agentls.Exchange
---@param still_there fun(): boolean as of places.watch
function M.open(session, spot, exchange, still_there)
  local c = { session = session, exchanges = {} }
  if spot then c.uri, c.range = spot.uri, position.track(spot.uri, spot.range, session:encoding()) end
  local stays = still_there()
  begin(c, exchange)
  open_window(c)
  if stays then vim.api.nvim_set_current_win(c.win) end
end

--- Whether a buffer is that of the last conversation.
---@param buf integer
---@return boolean
function M.is_shown_in(buf) return current ~= nil and current.buf == buf end

--- Asks on in the last conversation. Without a question the user is asked for one.
---@param question? string
function M.ask_on(question) follow_up(current, question) end

--- Tells of a run's end where its window is not in sight.
---@param run agentls.Run
local function tell(run)
  local title = run.title ~= '' and run.title or 'a run'
  if run.state == 'failed' then return say.fail(title .. ': ' .. run.error .. ' (:Agent answer shows it)') end
  if run.change_set then return say.note(title .. ': a proposal waits: :Agent changes') end
  say.note(title .. ': answered: :Agent answer')
end

--- Tells once of what a run asks where its window is not in sight.
---@param c agentls.Conversation
---@param run agentls.Run
local function tell_question(c, run)
  local asks = run.question or run.plan_waits and run.plan or nil
  if asks and asks ~= run.told and not is_in_sight(c) then
    say.note(run.title .. (run.question and ' asks: ' .. say.line(run.question.text) or ': a plan waits')
      .. ': :Agent reply')
  end
  run.told = asks
end

runs.watch(function(run)
  local c = conversations[run.id] -- nil: its window comes at once
  if not c and run.state == 'failed' and run.paused then say.note(run.title .. ': ' .. run.paused .. ': :Agent continue') end
  if not c then return end
  draw(c)
  if run.state == 'running' then return tell_question(c, run) end
  if not is_in_sight(c) then tell(run) end
  if not is_open(current) then current = c end
end)

vim.api.nvim_create_autocmd('VimResized', {
  group = vim.api.nvim_create_augroup('agentls.answer', {}),
  callback = function()
    if current then draw(current) end
  end,
})

return M
