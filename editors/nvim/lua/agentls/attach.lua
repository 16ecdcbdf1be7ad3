-- What goes with the next task: output, as lines of any buffer, such as a terminal's, and images.
local say = require('agentls.say')

local M = {}

---@type string[]?
local output
---@type string[] URIs
local images = {}

local kinds = { png = true, jpg = true, jpeg = true, gif = true, webp = true }
local tail = 200 -- lines of a terminal that are taken where none are chosen

--- As the server's commands take it.
---@return { output?: string, images?: string[] }
function M.argument()
  return { output = output and table.concat(output, '\n') or nil, images = #images > 0 and vim.list_extend({}, images) or nil }
end

--- What goes along, in words; nil where nothing does.
---@return string?
function M.line()
  local parts = {}
  if output then parts[1] = say.count(#output, 'line') .. ' of output' end
  for _, uri in ipairs(images) do parts[#parts + 1] = vim.fn.fnamemodify(vim.uri_to_fname(uri), ':t') end
  if #parts > 0 then return table.concat(parts, ', ') end
end

--- They went, or are not to.
function M.clear()
  output, images = nil, {}
end

---@param path string
local function attach_image(path)
  local full = vim.fn.fnamemodify(vim.fn.expand(path), ':p')
  if not kinds[vim.fn.fnamemodify(full, ':e'):lower()] then return path .. ' is no PNG, JPEG, GIF or WebP image' end
  if vim.fn.filereadable(full) == 0 then return 'there is no file ' .. full end
  table.insert(images, vim.uri_from_fname(full))
end

--- The lines of a buffer, without empty ones at their end.
---@param buf integer
---@param first integer from 0
---@param last integer exclusive; -1: all
---@return string[]
local function text_of(buf, first, last)
  local lines = vim.api.nvim_buf_get_lines(buf, first, last, false)
  while #lines > 0 and not lines[#lines]:find('%S') do table.remove(lines) end
  return lines
end

---@param buf integer
---@param range? { [1]: integer, [2]: integer } lines, from 1
local function attach_output(buf, range)
  local lines
  if range then
    lines = text_of(buf, range[1] - 1, range[2])
  elseif vim.bo[buf].buftype == 'terminal' then
    lines = text_of(buf, 0, -1)
    lines = vim.list_slice(lines, math.max(1, #lines - tail + 1))
  else
    return 'say what: lines as a range, in a terminal its end, or the path of an image'
  end
  if #lines == 0 then return 'these lines are empty' end
  output = lines
end

--- Attaches an image, or lines of a buffer.
---@param buf integer
---@param range? { [1]: integer, [2]: integer } lines, from 1
---@param path? string of an image; 'nothing' withdraws what was attached
function M.attach(buf, range, path)
  if path == 'nothing' then
    M.clear()
    return say.note('nothing goes with the next task')
  end
  local problem
  if path then
    problem = attach_image(path)
  else
    problem = attach_output(buf, range)
  end
  if problem then return say.fail(problem) end
  say.note('the next question or change goes with ' .. M.line())
end

return M
