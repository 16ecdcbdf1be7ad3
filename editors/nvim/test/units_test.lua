-- The modules that touch no editor.
local position, proposal, runs = require('agentls.position'), require('agentls.proposal'), require('agentls.runs')

-- Columns: ä is two bytes and one unit, 😀 is four bytes and two units of UTF-16.
local line = 'aä😀b'
local columns = {}
for byte = 0, #line do columns[byte + 1] = position.units(line, byte, 'utf-16') end
T.equal('the units before each byte', columns, { 0, 1, 2, 2, 4, 4, 4, 4, 5 })
local bytes = vim.tbl_map(function(units) return position.byte(line, units, 'utf-16') end, { 0, 2, 4, 9 })
T.equal('the bytes', bytes, { 0, 3, 7, 8 })
T.equal('UTF-8', { position.units(line, 3, 'utf-8'), position.byte(line, 3, 'utf-8') }, { 3, 3 })
T.equal('UTF-32', { position.units(line, 7, 'utf-32'), position.byte(line, 3, 'utf-32') }, { 3, 7 })

-- A proposal: line 2 becomes two, a line comes before line 4, line 5 goes.
local function range(l1, c1, l2, c2)
  return { start = { line = l1, character = c1 }, ['end'] = { line = l2, character = c2 } }
end
local file = {
  op = 'modify', before = 'one\ntwo\nthree\nfour\nfive\nsix',
  hunks = {
    { hunk = 1, range = range(1, 0, 2, 0), newText = 'zwei\nzwo\n' },
    { hunk = 2, range = range(3, 0, 3, 0), newText = 'dreieinhalb\n' },
    { hunk = 3, range = range(4, 0, 5, 0), newText = '' },
    { hunk = 4, range = range(5, 0, 5, 3), newText = 'sechs' },
  },
}
local after, placed = proposal.proposed(file, 'utf-16')
T.equal('the text as proposed', after, 'one\nzwei\nzwo\nthree\ndreieinhalb\nfour\nsechs')
T.equal('where the hunks are', vim.tbl_map(function(p)
  return { p.hunk.hunk, p.before.first, p.before.last, p.after.first, p.after.last }
end, placed), { { 1, 2, 2, 2, 3 }, { 2, 4, 3, 5, 5 }, { 3, 5, 5, 7, 6 }, { 4, 6, 6, 7, 7 } })

local function at(side)
  local out = {}
  for l = 1, 7 do
    local p = proposal.at(placed, side, l)
    out[l] = p and p.hunk.hunk or 0
  end
  return out
end
T.equal('the hunk at each line before', at('before'), { 0, 1, 2, 2, 3, 4, 0 })
T.equal('the hunk at each line after', at('after'), { 0, 1, 1, 0, 2, 3, 4 })
T.equal('the next hunk', proposal.beside(placed, 'after', 3, 1).hunk.hunk, 2)
T.equal('the hunk before', proposal.beside(placed, 'after', 2, -1), nil)
T.equal('lines of a buffer', proposal.lines('a\r\n\nb'), { 'a', '', 'b' })
T.equal('an empty text', { proposal.lines(''), (proposal.proposed({ before = '', hunks = {
  { hunk = 1, range = range(0, 0, 0, 0), newText = 'new\n' } } }, 'utf-16')) }, { {}, 'new\n' })

-- Events: text, a step, text that is taken back because the connection broke, and comes again.
local seen
runs.watch(function(run) seen = vim.deepcopy(run) end)
for _, event in ipairs({
  { kind = 'run.started', run = 'r', title = 'Ask about x', mode = 'ask' },
  { kind = 'run.text', run = 'r', text = 'I look.' },
  { kind = 'run.step', run = 'r', step = { id = 's', tool = 'grep', title = 'grep x', state = 'started' } },
  { kind = 'run.step', run = 'r', step = { id = 's', tool = 'grep', title = 'grep x', state = 'done' } },
  { kind = 'run.text', run = 'r', text = '\n\nIt is g' },
  { kind = 'run.waiting', run = 'r', text = 'the connection broke', void = 9 },
}) do runs.take(1, event) end
T.equal('a run that waits', seen, {
  id = 'r', session = 1, title = 'Ask about x', mode = 'ask', state = 'running', waiting = 'the connection broke',
  checks = {}, suggest = {},
  items = {
    { text = 'I look.' }, { step = { id = 's', tool = 'grep', title = 'grep x', state = 'done' } }, { text = '' },
  },
})
runs.take(1, { kind = 'run.text', run = 'r', text = '\n\nIt is green.' })
runs.take(1, { kind = 'run.done', run = 'r', title = 'Ask about x', answer = 'It is green.', source = 'm' })
T.equal('a run that is done', { seen.state, seen.waiting, seen.items[3].text, seen.answer },
  { 'done', nil, '\n\nIt is green.', 'It is green.' })
runs.take(1, { kind = 'changes', changeSet = 'c' }) -- about no run

-- Options.
local config = require('agentls.config')
local function refused(options)
  local ok, problem = pcall(config.set, options)
  return ok and 'taken' or problem
end
T.contains('an unknown option', refused({ modle = 'x' }), 'unknown option "modle" (known: api_key, base_url, cmd')
T.contains('a wrong type', refused({ save_after_apply = 'yes' }), 'save_after_apply is a string, but must be a boolean')
T.contains('a wrong part', refused({ remote = { token = 1 } }),
  'remote: token is a number, but must be a string or function')
T.contains('a wrong limit', refused({ journal = { days = '7' } }), 'journal: days is a string, but must be a number')
T.contains('no key', refused({ keys = { accept = false } }),
  'keys: accept is a boolean, but must be a string')
T.contains('a wrong key', refused({ keys = { acept = 'x' } }), 'unknown option "acept" (known: accept, accept_all')
T.contains('a command as a string', refused({ cmd = {} }), "cmd must be a list, such as { 'agentls', 'serve' }")
T.contains('checks', refused({ verify = { all = 'make test' } }), "verify must be a list of command lines, such as")
T.contains('a mode', refused({ models = { aks = 'm' } }), 'setup: models: unknown option "aks"')
T.contains('an effort', refused({ effort = { ask = 1 } }), 'setup: effort: ask is a number, but must be a string')
T.contains('navigation', refused({ navigation = 'maybe' }), "navigation must be 'auto', 'on' or 'off'")
T.contains('file types', refused({ filetypes = 'go' }), "filetypes must be 'all' or a list")
config.set({ model = 'm', models = { ask = 's' }, effort = { edit = 'high' }, second_pass = false, base_url = 'http://b', api_key = function() return 'k\n' end, verify = { 'make' },
  remote = { url = 'u', token = function() return ' t ' end }, journal = { days = 7 } })
T.equal('the settings', config.settings(), { model = 'm', models = { ask = 's' }, effort = { edit = 'high' }, secondPass = false, baseUrl = 'http://b', apiKey = 'k', verify = { 'make' }, navigation = 'auto', remote = { url = 'u', token = 't' }, journal = { days = 7 } })
config.set({})
T.equal('no settings', vim.json.encode(config.settings()), '{"navigation":"auto"}')

-- Times of tasks.
local tasks = require('agentls.tasks')
T.equal('times', vim.tbl_map(tasks.seconds, {
  '1970-01-01T00:00:00Z', '2000-02-29T12:00:00Z', '2026-11-21T10:00:00.123456789+02:00', '2023-03-01T00:00:00-00:30',
}), { 0, 951825600, 1795248000, 1677630600 })
T.equal('no time', tasks.seconds('yesterday'), nil)
local function age(seconds) return tasks.age('2000-02-29T12:00:00Z', 951825600 + seconds) end
T.equal('ages', { age(-5), age(59), age(60), age(7200), age(86400 * 3) }, { 'now', 'now', '1 min', '2 h', '3 d' })
T.equal('a task', tasks.line({
  title = 'Ändere\nalles', state = 'running', created = '2000-02-29T12:00:00Z', attempts = 2, files = 1, added = 3,
}, 10):gsub('%d+ d', 'N d'), '… running    Ändere; a…  N d  1 file, +3 -0         2 attempts')
