-- A question of the server: it is answered by a digit after a pause, on every version alike, and what the user types
-- when it comes up goes where it was meant to.
local question = require('agentls.question')
question.pause = 100
vim.fn.writefile({ 'package a' }, T.dir .. '/a.go')

-- A server that asks, once it has answered initialize, and writes down all that it is told.
local client = require('agentls.client')
local function frame(message)
  local body = vim.json.encode(message)
  return string.format("printf 'Content-Length: %d\\r\\n\\r\\n%%s' '%s'", #body, body)
end
local actions = { { title = 'Run once' }, { title = 'Run all of this run' }, { title = 'Refuse' } }
local message = 'Nothing confines commands here.\nRun `go test ./...`?'
vim.fn.writefile({
  '#!/bin/sh',
  frame({ jsonrpc = '2.0', id = 1, result = {
    capabilities = { executeCommandProvider = { commands = client.commands } },
    serverInfo = { name = 'agentls', version = '0' },
  } }),
  frame({ jsonrpc = '2.0', id = 77, method = 'window/showMessageRequest',
    params = { type = 2, message = message, actions = actions } }),
  'exec cat >' .. T.dir .. '/told',
}, T.dir .. '/server')
vim.fn.setfperm(T.dir .. '/server', 'rwx------')

local function press(keys) vim.api.nvim_input(keys) end
local function asked() return T.wait('the question', T.float) end
local function pause()
  local over = false
  vim.defer_fn(function() over = true end, 2 * question.pause)
  T.wait('a pause', function() return over end)
end
local function told() return table.concat(vim.fn.readfile(T.dir .. '/told'), '\n') end

T.setup({ cmd = { T.dir .. '/server' } })
vim.cmd('edit ' .. T.dir .. '/a.go')
T.equal('the question', asked(), table.concat({
  'Nothing confines commands here.', 'Run `go test ./...`?', '',
  '  1  Run once', '  2  Run all of this run', '  3  Refuse',
  '  Esc  no answer',
}, '\n'))
pause()
press('x') -- means nothing
pause()
press('2')
T.wait('the answer', function() return told():find('"title":"Run all of this run"', 1, true) end)
T.contains('the answer', told(), '"id":77')
T.equal('the question is gone', T.float(), nil)
T.equal('nothing was typed', T.text(), 'package a')

-- The same without a server in between.
local answer
local function ask(params)
  answer = nil
  vim.schedule(function() answer = question.ask(7, params) end)
end
local function answered() return T.wait('an answer', function() return answer end) end
local params = { type = 2, message = message, actions = actions }

-- Esc, and Ctrl-C, are no answer.
ask(params)
asked()
pause()
press('<Esc>')
T.equal('no answer', answered(), vim.NIL)

-- The user is typing: digits are text, and nothing is lost.
ask(params)
asked()
press('Ox12 ä1<Esc>')
pause()
T.equal('not answered', answer, nil)
press('1')
T.equal('the answer', answered(), actions[1])
T.wait('the text', function() return T.text() == 'x12 ä1\npackage a' end)
vim.cmd('silent undo')

-- Two at a time: the last one first.
ask(params)
asked()
local first
vim.schedule(function() first = question.ask(8, { type = 2, message = 'Second?', actions = { { title = 'Yes' } } }) end)
T.wait('the second', function()
  local function floats(win) return vim.api.nvim_win_get_config(win).relative ~= '' end
  return #vim.tbl_filter(floats, vim.api.nvim_list_wins()) == 2
end)
pause()
press('1')
T.wait('the second answer', function() return first end)
T.equal('the second answer', first, { title = 'Yes' })
pause()
press('3')
T.equal('the first answer', answered(), actions[3])

-- The server ends: nobody waits for the answer any more.
ask(params)
asked()
question.server_gone(7)
T.equal('no answer', answered(), vim.NIL)
T.equal('nothing is shown', T.float(), nil)
T.equal('nothing was typed', T.text(), 'package a')

-- A question without choices is a message.
T.equal('no choice', question.ask(7, { type = 3, message = 'Well.' }), vim.NIL)
T.told('Well.')
for _, session in ipairs(client.sessions()) do session:kill() end
T.wait('the end', function() return #client.sessions() == 0 end)
