#!/usr/bin/env bash
# tools.sh: installs what the extension is built with, as package-lock.json pins it, and prints the folder of the Node 24
# among it. It needs npm with any Node. When nothing is missing this takes a few milliseconds.
set -euo pipefail
cd "$(dirname "$0")"
wanted=$(sha256sum <package-lock.json)
if [ "$(cat node_modules/.complete 2>/dev/null)" != "$wanted" ]; then
	command -v npm >/dev/null || {
		echo "editors/vscode/tools.sh: missing: npm; install it and try again" >&2
		exit 1
	}
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	echo "$wanted" >node_modules/.complete
fi
for node in node_modules/node-*/bin/node; do
	[ ! -x "$node" ] || exec echo "$PWD/${node%/bin/node}"
done
echo "editors/vscode/tools.sh: npm has no Node 24 for this system; add it to optionalDependencies in package.json" >&2
exit 1
