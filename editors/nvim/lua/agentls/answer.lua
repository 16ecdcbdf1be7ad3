-- The window that shows what a run says, as it comes, and takes follow-up questions.
local position = require('agentls.position')
local runs = require('agentls.runs')
local say = require('agentls.say')

local M = {}

---@class agentls.Exchange
---@field run string
---@field question? string

---@class agentls.Conversation
---@field session agentls.Session
---@field uri string
---@field range fun(): table where it is about, now: an LSP Range
---@field exchanges agentls.Exchange[]
---@field buf? integer
---@field win? integer

---@type agentls.Conversation? the last one
local current
---@type table<string, agentls.Conversation> by run
local conversations = {}

local namespace = vim.api.nvim_create_namespace('agentls.answer')
local earlier = 4000 -- bytes of an answer that go along with a follow-up question

---@param step agentls.RunStep
---@return string
local function step_line(step)
  local mark = ({ started = '…', done = '✓', failed = '✗' })[step.state]
  local line = string.format('%s *%s*', mark, step.title)
  if not step.error or step.error == '' then return line end
  return line .. ': ' .. vim.split(step.error, '\n', { plain = true })[1]
end

---@param out string[]
---@param text string
local function add(out, text) vim.list_extend(out, vim.split(text, '\n', { plain = true })) end

---@param out string[]
---@param run agentls.Run
---@param exchange agentls.Exchange
local function add_run(out, run, exchange)
  add(out, '# ' .. (run.title ~= '' and run.title or '…'))
  if exchange.question then add(out, '> ' .. exchange.question:gsub('\n', '\n> ')) end
  for i, item in ipairs(run.items) do
    local before = run.items[i - 1]
    if not (item.step and before and before.step) then add(out, '') end
    add(out, item.text and vim.trim(item.text) or step_line(item.step))
  end
  if run.error then add(out, '\n**It failed:** ' .. run.error) end
  if run.change_set then add(out, '\n**A proposal waits for your review:** press d, or :Agent changes') end
end

---@param run agentls.Run
---@return string what is going on, or where the answer is from
local function state_of(run)
  if run.state == 'failed' then return 'failed' end
  if run.state == 'running' then
    return run.waiting and 'waiting: ' .. run.waiting or run.thinking and 'thinking …' or 'running …'
  end
  local usage = run.usage or {}
  if (usage.requests or 0) == 0 then return 'from the ' .. (run.source or 'index') end
  return string.format('%s, %s, %d tokens', run.source, say.count(usage.requests, 'request'),
    (usage.inputTokens or 0) + (usage.outputTokens or 0))
end

---@param run agentls.Run
---@return string
local function footer(run)
  local keys = run.state == 'running' and 's stop' or run.change_set and 'd review  i follow-up' or 'i follow-up'
  return string.format('── %s ── %s  q close', state_of(run), keys)
end

---@param c agentls.Conversation
---@return agentls.Run
local function last_run(c)
  return runs.run(c.exchanges[#c.exchanges].run, c.session.id)
end

---@param c agentls.Conversation
---@return string[]
local function render(c)
  local out = {}
  for i, exchange in ipairs(c.exchanges) do
    if i > 1 then add(out, '') end
    add_run(out, runs.run(exchange.run, c.session.id), exchange)
  end
  add(out, '')
  add(out, footer(last_run(c)))
  return out
end

--- Where the window is and how large, so that the code beside it stays in sight.
---@param lines string[]
---@return table
local function layout(lines)
  local width = math.max(20, math.min(84, math.max(48, math.floor(vim.o.columns * 0.5)), vim.o.columns - 4))
  local rows = 0
  for _, line in ipairs(lines) do rows = rows + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / width)) end
  return {
    relative = 'editor', anchor = 'NE', row = 1, col = vim.o.columns - 1, style = 'minimal', border = 'rounded',
    width = width, height = math.max(3, math.min(rows, vim.o.lines - 6)),
  }
end

--- Replaces only the lines that differ, so that the cursor and the view stay.
---@param buf integer
---@param lines string[]
local function set_lines(buf, lines)
  local old, same = vim.api.nvim_buf_get_lines(buf, 0, -1, false), 0
  while same < #old and same < #lines and old[same + 1] == lines[same + 1] do same = same + 1 end
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, same, -1, false, vim.list_slice(lines, same + 1))
  vim.bo[buf].modifiable = false
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  vim.api.nvim_buf_add_highlight(buf, namespace, 'Comment', #lines - 1, 0, -1)
end

---@param c agentls.Conversation
---@return boolean
local function is_open(c) return c.win ~= nil and vim.api.nvim_win_is_valid(c.win) end

---@param c agentls.Conversation
local function draw(c)
  if not is_open(c) then return end
  local lines = render(c)
  local follows = vim.api.nvim_win_get_cursor(c.win)[1] == vim.api.nvim_buf_line_count(c.buf)
    and vim.api.nvim_buf_line_count(c.buf) > 1
  set_lines(c.buf, lines)
  vim.api.nvim_win_set_config(c.win, layout(lines))
  if follows then vim.api.nvim_win_set_cursor(c.win, { #lines, 0 }) end
end

---@param c agentls.Conversation
---@param question string
---@return string the question, with what came before it
local function in_context(c, question)
  local last, run = c.exchanges[#c.exchanges], last_run(c)
  local text = vim.trim(run.answer or '')
  if text == '' then return question end
  return string.format('%s\n\nThis follows up on an earlier question and its answer.\nQuestion: %s\nAnswer: %s',
    question, last.question or run.title, text:sub(1, earlier))
end

---@param c agentls.Conversation
---@param exchange agentls.Exchange
local function add_exchange(c, exchange)
  table.insert(c.exchanges, exchange)
  conversations[exchange.run] = c
  current = c
end

---@param c agentls.Conversation
local function follow_up(c)
  if last_run(c).state == 'running' then return say.warn('the answer is still coming; s stops it') end
  vim.ui.input({ prompt = 'Follow-up: ' }, function(question)
    if not question or vim.trim(question) == '' then return end
    local argument = { uri = c.uri, range = c.range(), question = in_context(c, question) }
    c.session:command('agentls.ask', argument, function(result)
      add_exchange(c, { run = result.run, question = question })
      M.show()
    end)
  end)
end

---@param c agentls.Conversation
local function review(c)
  local id = last_run(c).change_set
  if not id then return say.warn('there is no proposal to review') end
  M.close()
  require('agentls.review').open(c.session, id)
end

---@param c agentls.Conversation
local function set_keys(c)
  local function map(key, fn, desc)
    vim.keymap.set('n', key, fn, { buffer = c.buf, nowait = true, desc = desc })
  end
  map('q', M.close, 'close')
  map('<Esc>', M.close, 'close')
  map('i', function() follow_up(c) end, 'follow-up question')
  map('d', function() review(c) end, 'review the proposal')
  map('s', function() c.session:command('agentls.stop', { run = last_run(c).id }) end, 'stop')
end

---@param c agentls.Conversation
local function open_window(c)
  c.buf = vim.api.nvim_create_buf(false, true)
  vim.bo[c.buf].bufhidden = 'wipe'
  vim.bo[c.buf].syntax = 'markdown' -- not the file type: other plugins would take it for a document
  vim.b[c.buf].agentls_session = c.session.id
  local lines = render(c)
  set_lines(c.buf, lines)
  c.win = vim.api.nvim_open_win(c.buf, true, layout(lines))
  vim.wo[c.win].wrap = true
  vim.wo[c.win].linebreak = true
  vim.wo[c.win].conceallevel = 2
  vim.wo[c.win].concealcursor = 'nc'
  set_keys(c)
end

--- Shows the last conversation, and goes to its window.
function M.show()
  if not current then return say.note('nothing was asked yet') end
  if is_open(current) then
    draw(current)
    return vim.api.nvim_set_current_win(current.win)
  end
  open_window(current)
end

--- Opens the window for a run that just started.
---@param session agentls.Session
---@param spot agentls.Spot
---@param exchange agentls.Exchange
function M.open(session, spot, exchange)
  M.close()
  local range = position.track(spot.uri, spot.range, session:encoding())
  add_exchange({ session = session, uri = spot.uri, range = range, exchanges = {} }, exchange)
  open_window(current)
end

function M.close()
  if current and is_open(current) then vim.api.nvim_win_close(current.win, true) end
end

--- Tells of a run's end where its window is not open.
---@param run agentls.Run
local function tell(run)
  if run.state == 'failed' then return say.fail(run.title .. ': ' .. run.error) end
  if run.change_set then return say.note(run.title .. ': a proposal waits: :Agent changes') end
  say.note(run.title .. ': answered: :Agent answer')
end

runs.watch(function(run)
  local c = conversations[run.id] -- nil: its window comes at once
  if not c then return end
  if is_open(c) then return draw(c) end
  if run.state == 'running' then return end
  if not is_open(current) then current = c end
  tell(run)
end)

vim.api.nvim_create_autocmd('VimResized', {
  group = vim.api.nvim_create_augroup('agentls.answer', {}),
  callback = function()
    if current then draw(current) end
  end,
})

return M
