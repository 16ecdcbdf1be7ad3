-- Columns of the protocol and of Neovim. The protocol counts in the encoding that was agreed, Neovim in bytes.
local M = {}

--- How many units of an encoding the character takes that begins with this byte; 0 for a byte inside a character.
---@param byte integer
---@param encoding string
---@return integer
local function width(byte, encoding)
  if byte >= 0x80 and byte < 0xC0 then return 0 end
  if byte >= 0xF0 and encoding == 'utf-16' then return 2 end
  return 1
end

--- The units before a byte of a line.
---@param line string
---@param byte integer from 0; past the end means the end
---@param encoding string 'utf-8', 'utf-16' or 'utf-32'
---@return integer
function M.units(line, byte, encoding)
  byte = math.min(byte, #line)
  if encoding == 'utf-8' then return byte end
  local units = 0
  for i = 1, byte do units = units + width(line:byte(i), encoding) end
  return units
end

--- The byte at which so many units of a line end.
---@param line string
---@param units integer past the end means the end
---@param encoding string
---@return integer from 0
function M.byte(line, units, encoding)
  if encoding == 'utf-8' then return math.min(units, #line) end
  local seen = 0
  for i = 1, #line do
    local w = width(line:byte(i), encoding)
    if w > 0 and seen >= units then return i - 1 end
    seen = seen + w
  end
  return #line
end

--- A cursor as an empty range.
---@param buf integer
---@param cursor { [1]: integer, [2]: integer } line from 1, byte from 0
---@param encoding string
---@return table an LSP Range
function M.cursor(buf, cursor, encoding)
  local line = vim.api.nvim_buf_get_lines(buf, cursor[1] - 1, cursor[1], false)[1] or ''
  local at = { line = cursor[1] - 1, character = M.units(line, cursor[2], encoding) }
  return { start = at, ['end'] = at }
end

--- Whole lines of a buffer as a range that ends with the last one's text.
---@param buf integer
---@param first integer from 1
---@param last integer
---@param encoding string
---@return table an LSP Range
function M.lines(buf, first, last, encoding)
  local text = vim.api.nvim_buf_get_lines(buf, last - 1, last, false)[1] or ''
  return {
    start = { line = first - 1, character = 0 },
    ['end'] = { line = last - 1, character = M.units(text, #text, encoding) },
  }
end

local namespace = vim.api.nvim_create_namespace('agentls.position')

--- Follows a range of a document while the user edits it.
---@param uri string
---@param range table an LSP Range
---@param encoding string
---@return fun(): table the range as it is now
function M.track(uri, range, encoding)
  local buf = vim.uri_to_bufnr(uri)
  if not vim.api.nvim_buf_is_loaded(buf) then return function() return range end end
  local function text(row) return vim.api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or '' end
  local function mark(at)
    local row = math.min(at.line, vim.api.nvim_buf_line_count(buf) - 1)
    return vim.api.nvim_buf_set_extmark(buf, namespace, row, M.byte(text(row), at.character, encoding), {})
  end
  local first, last = mark(range.start), mark(range['end'])
  local function now(id)
    local row, col = unpack(vim.api.nvim_buf_get_extmark_by_id(buf, namespace, id, {}))
    return row and { line = row, character = M.units(text(row), col, encoding) }
  end
  return function()
    if not vim.api.nvim_buf_is_loaded(buf) then return range end
    local from, to = now(first), now(last) -- nil: the buffer was unloaded in between
    return from and to and { start = from, ['end'] = to } or range
  end
end

return M
