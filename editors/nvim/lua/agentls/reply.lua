-- What a run waits for: an answer to its model's question, or a word on its plan. Nothing opens by itself, so nothing
-- that is typed is taken for an answer; what was dismissed still waits.
local runs = require('agentls.runs')
local say = require('agentls.say')
local scratch = require('agentls.scratch')

local M = {}

local other = 'Another answer…'
local marks = { completed = 'x', in_progress = '~', failed = '!', pending = ' ' }
local states = { x = 'completed', ['~'] = 'in_progress', ['!'] = 'failed', [' '] = 'pending' }

---@param plan agentls.Plan
---@return string[] a Markdown list
function M.plan_lines(plan)
  return vim.tbl_map(function(step)
    return string.format('- [%s] %s', marks[step.status] or ' ', say.line(step.step))
  end, plan.plan)
end

--- The steps that lines hold: items of a list, with or without a box.
---@param lines string[]
---@return agentls.PlanStep[]
function M.parse_plan(lines)
  local steps = {}
  for _, line in ipairs(lines) do
    local mark, text = line:match('^%s*[-*]%s+%[(.)%]%s+(.*%S)')
    text = text or line:match('^%s*[-*]%s+(.*%S)')
    if text then steps[#steps + 1] = { step = text, status = states[mark or ' '] or 'pending' } end
  end
  return steps
end

---@param session agentls.Session
---@param run agentls.Run
---@param answer string
local function answer_with(session, run, answer)
  session:command('agentls.reply', { run = run.id, answer = answer }, function() runs.answered(run) end)
end

---@param session agentls.Session
---@param run agentls.Run
local function type_answer(session, run)
  vim.ui.input({ prompt = say.line(run.question.text) .. ' ' }, function(text)
    if text and vim.trim(text) ~= '' then answer_with(session, run, text) end
  end)
end

---@param session agentls.Session
---@param run agentls.Run
local function answer_question(session, run)
  local options = run.question.options or {}
  if #options == 0 then return type_answer(session, run) end
  local choices = vim.list_extend(vim.list_extend({}, options), { other })
  vim.ui.select(choices, { prompt = say.line(run.question.text) }, function(choice, index)
    if index == #choices then return type_answer(session, run) end
    if choice then answer_with(session, run, choice) end
  end)
end

---@param session agentls.Session
---@param run agentls.Run
---@param word { plan?: agentls.PlanStep[], refuse?: string }
---@param done? fun()
local function give_word(session, run, word, done)
  session:command('agentls.plan.accept', vim.tbl_extend('force', { run = run.id }, word), function()
    runs.answered(run)
    if done then done() end
  end)
end

--- Opens the plan as a document: writing it accepts it as it then is.
---@param session agentls.Session
---@param run agentls.Run
local function edit_plan(session, run)
  local buf = scratch.new(session, 'plan')
  vim.bo[buf].buftype, vim.bo[buf].modifiable, vim.bo[buf].undolevels = 'acwrite', true, 1000
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, M.plan_lines(run.plan))
  vim.bo[buf].modified = false
  scratch.split('botright split', buf)
  vim.api.nvim_create_autocmd('BufWriteCmd', { buffer = buf, callback = function()
    local steps = M.parse_plan(vim.api.nvim_buf_get_lines(buf, 0, -1, false))
    if #steps == 0 then return say.fail('the plan has no step: a step is a line that begins with "- "') end
    give_word(session, run, { plan = steps }, function()
      vim.bo[buf].modified = false
      vim.api.nvim_buf_delete(buf, { force = true })
    end)
  end })
  say.note('write the plan to accept it as it then is')
end

---@param session agentls.Session
---@param run agentls.Run
local function refuse_plan(session, run)
  vim.ui.input({ prompt = 'What is wrong with the plan: ' }, function(text)
    if text and vim.trim(text) ~= '' then give_word(session, run, { refuse = text }) end
  end)
end

---@param session agentls.Session
---@param run agentls.Run
local function decide_plan(session, run)
  local choices = {
    { 'Accept the plan', function() give_word(session, run, {}) end },
    { 'Edit the plan', function() edit_plan(session, run) end },
    { 'Refuse the plan', function() refuse_plan(session, run) end },
  }
  local titles = vim.tbl_map(function(choice) return choice[1] end, choices)
  vim.ui.select(titles, { prompt = 'The plan' }, function(_, index)
    if index then choices[index][2]() end
  end)
end

--- Lets the user answer what a run waits for. With a text, that is the answer to a question.
---@param session agentls.Session
---@param run agentls.Run
---@param text? string
function M.answer(session, run, text)
  if run.question and text then return answer_with(session, run, text) end
  if run.question then return answer_question(session, run) end
  if run.plan_waits then return decide_plan(session, run) end
  say.warn('this run asks nothing')
end

--- The same for the run of a server that has waited longest.
---@param session agentls.Session
---@param text? string
function M.answer_next(session, text)
  for _, run in ipairs(runs.running()) do
    if run.session == session.id and (run.question or run.plan_waits) then return M.answer(session, run, text) end
  end
  say.note('no run asks anything')
end

return M
