-- Edits on a buffer, in all the places where versions of Neovim differ.
local document = require('agentls.document')

local function edit(l1, c1, l2, c2, text)
  return { range = { start = { line = l1, character = c1 }, ['end'] = { line = l2, character = c2 } }, newText = text }
end

-- What a buffer of these lines becomes. Without a line end at the end, the lines are the text split at line feeds.
local function apply(lines, edits, options)
  local buf = vim.api.nvim_create_buf(false, true)
  for option, value in pairs(options or {}) do vim.bo[buf][option] = value end
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  document.apply(buf, edits, 'utf-16')
  return vim.api.nvim_buf_get_lines(buf, 0, -1, false)
end
local abc = { 'a', 'b', 'c' }

T.equal('whole lines', apply(abc, { edit(1, 0, 2, 0, 'x\ny\n') }), { 'a', 'x', 'y', 'c' })
T.equal('inside a line', apply({ 'ä😀b' }, { edit(0, 1, 0, 3, '') }), { 'äb' })
T.equal('across lines', apply(abc, { edit(0, 1, 2, 0, '-') }), { 'a-c' })
T.equal('before all', apply(abc, { edit(0, 0, 0, 0, 'x\n') }), { 'x', 'a', 'b', 'c' })
T.equal('behind all', apply(abc, { edit(3, 0, 3, 0, '\nx\n') }), { 'a', 'b', 'c', '', 'x' })
T.equal('the last line', apply(abc, { edit(2, 0, 3, 0, 'x\n') }), { 'a', 'b', 'x' })
T.equal('the last line goes', apply(abc, { edit(2, 0, 3, 0, '') }), { 'a', 'b' })
T.equal('empty lines at the end', apply(abc, { edit(2, 0, 3, 0, 'x\n\n') }), { 'a', 'b', 'x', '' })
T.equal('several, in any order', apply(abc, { edit(0, 0, 1, 0, ''), edit(3, 0, 3, 0, 'd\n'), edit(1, 1, 1, 1, 'b') }),
  { 'bb', 'c', 'd' })
local open_ended = { endofline = false }
T.equal('without a last line end', apply(abc, { edit(2, 0, 2, 1, 'x\n') }, open_ended), { 'a', 'b', 'x', '' })
T.equal('lines of DOS', apply(abc, { edit(1, 0, 2, 0, 'x\r\ny\r\n') }, { fileformat = 'dos' }), { 'a', 'x', 'y', 'c' })
T.equal('a lone CR is text', apply(abc, { edit(1, 0, 2, 0, 'x\r\n') }), { 'a', 'x\r', 'c' })

local function has(line, character, options)
  local buf = vim.api.nvim_create_buf(false, true)
  for option, value in pairs(options or {}) do vim.bo[buf][option] = value end
  vim.api.nvim_buf_set_lines(buf, 0, -1, false, { 'ä😀b' })
  return document.has(buf, { line = line, character = character }, 'utf-16')
end
T.equal('places', { has(0, 4), has(0, 5), has(1, 0), has(1, 1), has(2, 0), has(1, 0, { endofline = false }) },
  { true, false, true, false, false, false })
