#!/usr/bin/env bash
# install-editor.sh NODE DIR: the VS Code that the tests run in (code-server, 570 MB), in DIR, once. Prints its entry
# point. NODE is the folder of Node 24 (bin, include), for which code-server is made.
#
# Nobody's install scripts run; the three native modules that Linux needs are built (gcc, make, python3).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
node=$1 dir=$2
export PATH=$node/bin:$PATH npm_config_nodedir=$node npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false

quietly() {
	"$@" >"$dir.log" 2>&1 || {
		tail -30 "$dir.log" >&2
		echo "install-editor.sh: $* failed; all of it is in $dir.log" >&2
		exit 1
	}
}

mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9
wanted=$(cat "$0" "$here/editor/package-lock.json" | sha256sum)
if [ "$(cat "$dir/complete" 2>/dev/null)" != "$wanted" ]; then
	echo "installing code-server into $dir (a minute, once)" >&2
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$here"/editor/package*.json "$dir"
	cd "$dir"
	quietly npm ci --ignore-scripts
	cd node_modules/code-server/lib/vscode
	quietly npm install --omit=dev --ignore-scripts # not "ci": their own lock file lacks a peer dependency
	cd extensions
	quietly npm install --omit=dev --ignore-scripts
	cd ..
	quietly npm rebuild --foreground-scripts @vscode/spdlog @vscode/native-watchdog node-pty
	ln -sf code-linux.sh bin/remote-cli/code-server
	echo "$wanted" >"$dir/complete"
fi
echo "$dir/node_modules/code-server/out/node/entry.js"
