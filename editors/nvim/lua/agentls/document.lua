-- Edits of the protocol on a buffer. Neovim's own apply_text_edits differs between versions: 0.7 appends what is out of
-- range, 0.10 leaves an empty line behind a text that is appended.
local position = require('agentls.position')

local M = {}

---@param buf integer
---@param row integer from 0
---@return string? nil: behind the last line
local function line(buf, row) return vim.api.nvim_buf_get_lines(buf, row, row + 1, false)[1] end

--- Whether a position is in a buffer. Where the text ends with a line end, there is one more behind that.
---@param buf integer
---@param at table an LSP Position
---@param encoding string
---@return boolean
function M.has(buf, at, encoding)
  local text = line(buf, at.line)
  if text then return at.character <= position.units(text, #text, encoding) end
  return at.line == vim.api.nvim_buf_line_count(buf) and at.character == 0 and vim.bo[buf].endofline
end

---@param buf integer
---@param edit table an LSP TextEdit
---@param encoding string
local function replace(buf, edit, encoding)
  local from, to, count = edit.range.start, edit.range['end'], vim.api.nvim_buf_line_count(buf)
  local first, last = line(buf, from.line) or '', line(buf, to.line) or ''
  local text = edit.newText
  if vim.bo[buf].fileformat == 'dos' then text = text:gsub('\r\n', '\n') end
  text = first:sub(1, position.byte(first, from.character, encoding)) .. text
    .. last:sub(position.byte(last, to.character, encoding) + 1)
  local lines = vim.split(text, '\n', { plain = true })
  if to.line >= count and lines[#lines] == '' then table.remove(lines) end -- the buffer has its last line end by itself
  vim.api.nvim_buf_set_lines(buf, from.line, math.min(to.line + 1, count), false, lines)
end

--- Makes edits, whose positions are in the buffer and which do not overlap.
---@param buf integer
---@param edits table[] LSP TextEdits; all count in the buffer as it is
---@param encoding string
function M.apply(buf, edits, encoding)
  local backwards = vim.list_extend({}, edits)
  table.sort(backwards, function(a, b)
    local x, y = a.range.start, b.range.start
    if x.line ~= y.line then return x.line > y.line end
    return x.character > y.character
  end)
  for _, edit in ipairs(backwards) do replace(buf, edit, encoding) end
end

return M
