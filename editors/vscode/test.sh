#!/usr/bin/env bash
# test.sh [PART...]: tests the extension, in the form of `go test -v`, and says how long each part took: on stdout, or
# in the file AGENTLS_TEST_TIMES, if that is set. The parts, all of them by default:
#   editor  installs what the others need, once; tests nothing
#   unit    format, types, and the logic that knows no editor
#   host    in the extension host of a real VS Code, with the real server and the scripted model
#   screen  the packaged extension, on screen in Chromium; pictures go to the folder AGENTLS_PICTURES, if that is set
#
# VS Code (code-server, 570 MB) is kept in .cache/vscode of the checkout; ../setup.sh says what comes from the machine.
set -uo pipefail # without -e: each part runs in a shell of its own that has it
[ -z "${AGENTLS_PICTURES:-}" ] || AGENTLS_PICTURES=$(cd "$AGENTLS_PICTURES" && pwd) || exit
cd "$(dirname "$0")" || exit
kept=$(cd ../.. && pwd)/.cache/vscode
export AGENTLS_TEST_MODEL=$kept/model
[ $# -gt 0 ] || set -- editor unit host screen

# timed WHAT COMMAND...: runs a part and notes how long it took.
timed() {
	local what=$1 begin=$EPOCHREALTIME code
	shift
	(
		set -e
		"$@"
	)
	code=$?
	times+=$(awk -v b="$begin" -v e="$EPOCHREALTIME" -v w="$what" 'BEGIN { printf "%7.1f s  VS Code: %s", e - b, w }')$'\n'
	return $code
}

# told PART: runs a part as a test.
told() {
	local begin=$SECONDS result=PASS
	echo "=== RUN   $1"
	timed "$1" "$1" || result=FAIL
	echo "--- $result: $1 ($((SECONDS - begin)).00s)"
	[ $result = PASS ]
}

# with_node: puts the Node 24 that everything here runs on first on PATH.
with_node() {
	node=$(./tools.sh)
	PATH=$node/bin:$PATH
}

editor() {
	../setup.sh vscode
	with_node
	test/install-editor.sh "$node" "$kept/editor"
}

build() {
	with_node
	local version
	version=$(git describe --tags --always --dirty 2>/dev/null || echo devel)
	./package.sh "$version" >/dev/null
	SERVER_VERSION=$version node build.ts --tests
	go build -C ../.. -o "$AGENTLS_TEST_MODEL" ./editors/model
}

unit() {
	with_node
	node node_modules/prettier/bin/prettier.cjs --check --log-level warn .
	node node_modules/typescript/bin/tsc -p .
	node --test --test-reporter=./test/unit/reporter.ts "test/unit/*.test.ts"
}

host() { in_editor test/host/run.ts; }

screen() { in_editor test/screen/walk.ts; }

# in_editor SCRIPT: runs a script that starts VS Code and Chromium.
in_editor() {
	with_node
	AGENTLS_TEST_EDITOR=$(test/install-editor.sh "$node" "$kept/editor")
	AGENTLS_TEST_CHROMIUM=$(command -v chromium)
	export AGENTLS_TEST_EDITOR AGENTLS_TEST_CHROMIUM
	timeout 600 node "$1"
}

times='' built='' failed=''
for part in "$@"; do
	case $part in
	editor) timed "$part" "$part" >/dev/null || failed=yes ;;
	unit) told "$part" || failed=yes ;;
	host | screen)
		[ -n "$built" ] || timed build build && built=yes || failed=yes
		[ -z "$built" ] || told "$part" || failed=yes
		;;
	*)
		echo "editors/vscode/test.sh: no part $part: editor, unit, host, screen" >&2
		exit 2
		;;
	esac
done
if [ -n "${AGENTLS_TEST_TIMES:-}" ]; then
	printf '%s' "$times" >>"$AGENTLS_TEST_TIMES"
else
	printf '%s' "$times"
fi
if [ -n "$failed" ]; then
	echo FAIL
	exit 1
fi
echo PASS
