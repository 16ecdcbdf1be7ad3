#!/usr/bin/env bash
# get.sh: installs the real client of the Codex tasks API, as pinned by the lock file beside it, and prints the path
# of its command. It is kept in ${XDG_CACHE_HOME:-~/.cache}/agentls-test, for all checkouts; when it is there this
# takes a few milliseconds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=${XDG_CACHE_HOME:-${HOME:?}/.cache}/agentls-test/codex-0.140.0

if [ ! -x "$to/node_modules/.bin/codex" ]; then
	command -v npm >/dev/null || { echo "get.sh: missing: npm (node 20 or later); install it and try again" >&2; exit 1; }
	mkdir -p "$(dirname "$to")"
	fresh=$(mktemp -d "$(dirname "$to")/codex-XXXXXX")
	trap 'rm -rf "$fresh"' EXIT
	cp "$here/package.json" "$here/package-lock.json" "$fresh"
	# Not npm ci: the lock file has the package of one platform only.
	(cd "$fresh" && npm install --no-save --ignore-scripts --no-audit --no-fund) >&2
	mv -T "$fresh" "$to" 2>/dev/null || [ -x "$to/node_modules/.bin/codex" ] # somebody else was faster
fi
echo "$to/node_modules/.bin/codex"
