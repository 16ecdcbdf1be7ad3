-- What the editor shows and knows, for the runs that begin: the files on screen, and what other servers, compilers and
-- linters report.
local position = require('agentls.position')

local M = {}

local most = 200 -- problems; the server tells its model of fewer

---@param buf integer
---@param session agentls.Session
---@return boolean whether it shows a file of the server's project, or one that the server was told of
local function concerns(buf, session)
  if vim.bo[buf].buftype ~= '' then return false end
  if vim.lsp.buf_is_attached(buf, session.id) then return true end
  local root = session.root
  return root ~= nil and vim.startswith(vim.api.nvim_buf_get_name(buf), root:gsub('/$', '') .. '/')
end

--- The windows of this tab: the one in front, the one that was before it, the others.
---@return integer[]
local function windows()
  local out = { vim.api.nvim_get_current_win() }
  for _, win in ipairs(vim.list_extend({ vim.fn.win_getid(vim.fn.winnr('#')) }, vim.api.nvim_tabpage_list_wins(0))) do
    if win ~= 0 and not vim.tbl_contains(out, win) then out[#out + 1] = win end
  end
  return out
end

---@param session agentls.Session
---@return integer[] buffers of files on screen, the one in front first
local function visible(session)
  local out = {}
  for _, win in ipairs(windows()) do
    local buf = vim.api.nvim_win_get_buf(win)
    if concerns(buf, session) and not vim.tbl_contains(out, buf) then out[#out + 1] = buf end
  end
  return out
end

---@param d table of vim.diagnostic
---@param encoding string
---@return table an LSP Range
local function range(d, encoding)
  local function at(row, byte)
    local text = vim.api.nvim_buf_is_loaded(d.bufnr) and vim.api.nvim_buf_get_lines(d.bufnr, row, row + 1, false)[1]
    return { line = row, character = text and position.units(text, byte, encoding) or byte }
  end
  return { start = at(d.lnum, d.col), ['end'] = at(d.end_lnum or d.lnum, d.end_col or d.col) }
end

---@param session agentls.Session
---@param front integer[] the buffers on screen
---@return table[] the diagnostics of others: errors before warnings, files on screen before the rest, at most so many
local function diagnostics(session, front)
  local place, found = {}, {}
  for i, buf in ipairs(front) do place[buf] = i end
  for i, d in ipairs(vim.diagnostic.get()) do
    local counts = d.source ~= 'agentls' and (d.severity or 1) <= vim.diagnostic.severity.WARN
    if counts and vim.api.nvim_buf_is_valid(d.bufnr) and concerns(d.bufnr, session) then
      found[#found + 1] = { d = d, key = { d.severity or 1, place[d.bufnr] or #front + 1, d.bufnr, d.lnum, i } }
    end
  end
  table.sort(found, function(a, b)
    for i, x in ipairs(a.key) do
      if x ~= b.key[i] then return x < b.key[i] end
    end
    return false
  end)
  return vim.tbl_map(function(f) return f.d end, vim.list_slice(found, 1, most))
end

--- What the server is told: the argument of agentls.editor.
---@param session agentls.Session
---@return table
function M.view(session)
  local front, encoding = visible(session), session:encoding()
  return {
    visible = vim.tbl_map(vim.uri_from_bufnr, front),
    problems = vim.tbl_map(function(d)
      return {
        uri = vim.uri_from_bufnr(d.bufnr), range = range(d, encoding), severity = d.severity or 1, message = d.message,
        source = d.source,
      }
    end, diagnostics(session, front)),
  }
end

--- Tells the server, then calls done, even if that failed: the run that follows says what is wrong.
---@param session agentls.Session
---@param done fun()
function M.tell(session, done)
  session:command('agentls.editor', M.view(session), done, done)
end

return M
