-- Servers that are missing, that are something else, of another version, or that die: each message says what to do.
local client = require('agentls.client')
vim.fn.writefile({ 'package a' }, T.dir .. '/a.go')

-- A program that answers initialize with this result.
local function program(name, result)
  local path = T.dir .. '/' .. name
  local body = vim.json.encode({ jsonrpc = '2.0', id = 1, result = result })
  local answer = string.format("printf 'Content-Length: %d\\r\\n\\r\\n%%s' '%s'", #body, body)
  vim.fn.writefile({ '#!/bin/sh', answer, 'exec cat >/dev/null' }, path)
  vim.fn.setfperm(path, 'rwx------')
  return path
end

-- Missing. It is said once by itself, and again when the user asks.
require('agentls').setup({ cmd = { T.dir .. '/no-such-agentls', 'serve' } })
vim.cmd('edit ' .. T.dir .. '/a.go')
T.contains('the message', T.told('no-such-agentls" is not there'), 'build it with `make`')
vim.cmd('edit!')
T.equal('it is said once', T.messages(), '')
vim.cmd('Agent explain')
T.told("require('agentls').setup{ cmd = { '/path/to/agentls', 'serve' } }")
vim.cmd('checkhealth agentls')
T.contains('the health', T.text(), 'is not there: build it with `make`')
vim.cmd('bwipeout')
vim.cmd('edit ' .. T.dir .. '/a.go')

-- Something else.
local other = { capabilities = vim.empty_dict(), serverInfo = { name = 'gopls' } }
require('agentls').setup({ cmd = { program('other', other) } })
vim.cmd('Agent explain')
T.told(T.dir .. '/other is not agentls but gopls: correct cmd in setup')
T.wait('its end', function() return #client.sessions() == 0 end)

-- An older one.
require('agentls').setup({ cmd = { program('older', {
  capabilities = { executeCommandProvider = { commands = vim.list_slice(client.commands, 1, #client.commands - 1) } },
  serverInfo = { name = 'agentls', version = '0.0.1' },
}) } })
vim.cmd('Agent status')
local told = T.told('is agentls 0.0.1 and lacks agentls.changes.redo')
T.contains('the message', told, 'build server and plugin from the same version')
T.wait('its end', function() return #client.sessions() == 0 end)

-- A Neovim without a file of a project, a wrong subcommand, a wrong scope.
T.setup()
vim.cmd('enew')
vim.cmd('Agent status')
T.told('no server is running: open a file of the project first')
vim.cmd('Agent frobnicate')
T.contains('the message', T.told(':Agent frobnicate: there is no such'), 'it is one of accept, answer, apply, ask,')

T.equal('the completion', vim.fn.getcompletion('Agent re', 'cmdline'), { 'redo', 'reject', 'remote', 'rename', 'reply', 'review' })
T.equal('of a scope', vim.fn.getcompletion('Agent accept ', 'cmdline'), { 'hunk', 'file', 'all' })
T.equal('of what runs remotely', vim.fn.getcompletion('Agent remote c', 'cmdline'), { 'change' })
T.equal('behind a range', vim.fn.getcompletion('1,2Agent ex', 'cmdline'), { 'explain' })

-- The good one. The file is attached when the user asks; after its death the next command starts it again.
vim.cmd('edit ' .. T.dir .. '/a.go')
vim.cmd('Agent stop')
T.told('nothing runs')
vim.cmd('Agent accept everything')
T.told('"everything" is none of hunk, file and all')
vim.cmd('Agent accept')
T.told('no hunk is proposed at the cursor')
vim.cmd('Agent change x')
T.told('no model is configured')
vim.cmd('Agent remote')
T.told(':Agent remote: say one of ask, change, explain')
vim.cmd('Agent remote explain')
T.told('no task service is configured')
vim.cmd('Agent tasks')
T.told('no task service is configured')
for _, pid in ipairs(vim.api.nvim_get_proc_children(vim.fn.getpid())) do vim.loop.kill(pid, 'sigkill') end
T.contains('the message', T.told('the server ended with code'), 'the next :Agent command starts it again')
T.equal('the status line', require('agentls').statusline(), '')
vim.cmd('Agent stop')
T.told('nothing runs')
T.equal('one server', #client.sessions(), 1)

-- A file without a project is left alone until the user asks.
local lonely = vim.fn.tempname() .. '.go'
vim.fn.writefile({ 'package lonely' }, lonely)
vim.cmd('edit ' .. lonely)
T.equal('left alone', client.of(0), nil)
vim.cmd('Agent stop')
T.told('nothing runs')
T.equal('two servers', #client.sessions(), 2)
