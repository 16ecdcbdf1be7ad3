-- A review's finding is a diagnostic; it is listed, its fix is a proposal, and it is dismissed for good.
T.setup()
T.open('a.go')
T.go('func Half')
vim.cmd('Agent review')
T.wait('the end of the review', function() return T.float() and T.float():find('scripted, ', 1, true) end)
T.keys('q')
T.wait('the diagnostic', function() return #vim.diagnostic.get(0) == 1 end)
T.contains('the diagnostic', vim.inspect(vim.diagnostic.get(0)), 'review#')

-- Picks the choices that begin with these words, one after the other.
local function pick(...)
  local wanted = { ... }
  vim.ui.select = function(items, opts, choose)
    local first = table.remove(wanted, 1)
    for i, item in ipairs(items) do
      local title = opts.format_item and opts.format_item(item) or item
      if title:find(first, 1, true) then return choose(item, i) end
    end
    error('there is no ' .. first)
  end
end

pick('P1 a.go:5: b may be zero', 'Go to it')
vim.cmd('Agent findings')
T.wait('the place', function() return vim.api.nvim_win_get_cursor(0)[1] == 5 end)

pick('P1 a.go:5', 'Show its fix')
vim.cmd('Agent findings')
T.wait('the review', function() return #vim.api.nvim_list_tabpages() == 2 end)
T.contains('the fix', T.windows()[3], 'if b == 0 {')
T.keys('q')

-- The code action does the same as the list.
T.go('return a')
pick('Dismiss for good: b may be zero')
vim.lsp.buf.code_action()
T.told('dismissed: b may be zero')
-- What is left is the pending hunk of its fix.
local function code(d) return tostring(d.code or ((d.user_data or {}).lsp or {}).code) end
local left
T.wait('no diagnostic of the review; left: ' .. vim.inspect(vim.diagnostic.get(0)), function()
  left = vim.diagnostic.get(0)
  return #vim.tbl_filter(function(d) return vim.startswith(code(d), 'review#') end, left) == 0
end)
T.equal('the hunk', #left, 1)
vim.cmd('Agent findings')
T.told('no finding is open')
