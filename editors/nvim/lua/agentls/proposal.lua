-- A file of a proposal as two texts, and where its hunks stand in each. No editor is touched here.
local position = require('agentls.position')

local M = {}

---@class agentls.Hunk as agentls.changes.show answers it
---@field hunk integer its number
---@field state 'pending'|'conflict'
---@field range table an LSP Range in `before`
---@field newText string
---@field conflict? string

---@class agentls.File as agentls.changes.show answers it
---@field op 'modify'|'create'|'delete'|'rename'
---@field uri string
---@field to? string
---@field before string
---@field hunks agentls.Hunk[]

---@class agentls.Place lines from 1; last = first - 1 where there are none
---@field first integer
---@field last integer

---@class agentls.PlacedHunk
---@field hunk agentls.Hunk
---@field before agentls.Place
---@field after agentls.Place

---@param text string
---@return string[] lines with their line feeds
local function split(text)
  local lines = {}
  for line in text:gmatch('[^\n]*\n?') do
    if line ~= '' then lines[#lines + 1] = line end
  end
  return lines
end

--- The lines of a text, without line ends, for a buffer.
---@param text string
---@return string[]
function M.lines(text)
  return vim.tbl_map(function(line) return (line:gsub('\r?\n$', '')) end, split(text))
end

--- The byte offset of a position.
---@param lines string[] with line feeds
---@param offsets integer[] of each line, and of the end
---@param at table an LSP Position
---@param encoding string
---@return integer
local function offset(lines, offsets, at, encoding)
  local line = lines[at.line + 1]
  if not line then return offsets[#offsets] end
  return offsets[at.line + 1] + position.byte(line, at.character, encoding)
end

---@param range table an LSP Range of whole lines
---@return agentls.Place
local function lines_of(range)
  local last = range['end'].line
  if range['end'].character > 0 then last = last + 1 end -- the last line of a file that ends without a line feed
  return { first = range.start.line + 1, last = last }
end

--- What a file becomes with all its hunks, and where they are.
---@param file agentls.File
---@param encoding string
---@return string after
---@return agentls.PlacedHunk[] placed in order
function M.proposed(file, encoding)
  local lines, offsets = split(file.before), { 0 }
  for i, line in ipairs(lines) do offsets[i + 1] = offsets[i] + #line end
  local parts, placed, from, shift = {}, {}, 0, 0
  for _, hunk in ipairs(file.hunks) do
    parts[#parts + 1] = file.before:sub(from + 1, offset(lines, offsets, hunk.range.start, encoding))
    parts[#parts + 1] = hunk.newText
    from = offset(lines, offsets, hunk.range['end'], encoding)
    local before, added = lines_of(hunk.range), #split(hunk.newText)
    local after = { first = before.first + shift, last = before.first + shift + added - 1 }
    shift = after.last - before.last
    placed[#placed + 1] = { hunk = hunk, before = before, after = after }
  end
  parts[#parts + 1] = file.before:sub(from + 1)
  return table.concat(parts), placed
end

--- The hunk at a line: one that holds it, else one without lines of its own there that it touches.
---@param placed agentls.PlacedHunk[]
---@param side 'before'|'after'
---@param line integer from 1
---@return agentls.PlacedHunk?
function M.at(placed, side, line)
  for _, p in ipairs(placed) do
    if p[side].first <= line and line <= p[side].last then return p end
  end
  for _, p in ipairs(placed) do
    if p[side].last < p[side].first and math.abs(line - p[side].last - 0.5) < 1 then return p end
  end
end

--- The first hunk that begins after a line, or the last before it.
---@param placed agentls.PlacedHunk[]
---@param side 'before'|'after'
---@param line integer
---@param direction 1|-1
---@return agentls.PlacedHunk?
function M.beside(placed, side, line, direction)
  local first, last = 1, #placed
  if direction < 0 then first, last = last, first end
  for i = first, last, direction do
    if (placed[i][side].first - line) * direction > 0 then return placed[i] end
  end
end

--- How many lines the hunks of a file take out and put in.
---@param placed agentls.PlacedHunk[]
---@return integer removed
---@return integer added
function M.weight(placed)
  local removed, added = 0, 0
  for _, p in ipairs(placed) do
    removed = removed + p.before.last - p.before.first + 1
    added = added + p.after.last - p.after.first + 1
  end
  return removed, added
end

return M
