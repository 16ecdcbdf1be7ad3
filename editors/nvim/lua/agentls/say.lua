-- Messages to the user, of one line each: a second line would make Neovim wait for Enter.
local M = {}

--- A text as one line: of file names, titles and reasons, which may hold any character.
---@param text string
---@return string
function M.line(text) return (text:gsub('%s*[\r\n]+%s*', '; '):gsub('%c', ' ')) end

---@param text string
---@param level integer
local function say(text, level)
  vim.notify('agentls: ' .. M.line(text), level)
end

---@param text string
function M.note(text) say(text, vim.log.levels.INFO) end

---@param text string
function M.warn(text) say(text, vim.log.levels.WARN) end

---@param text string
function M.fail(text) say(text, vim.log.levels.ERROR) end

--- Says how many there are of something: "1 hunk", "2 hunks".
---@param n integer
---@param noun string
---@return string
function M.count(n, noun)
  return string.format('%d %s%s', n, noun, n == 1 and '' or 's')
end

return M
