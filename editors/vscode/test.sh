#!/usr/bin/env bash
# test.sh [PART...]: tests the extension and prints how long each part took. The parts, all of them by default:
#   unit    format, types, and the logic that knows no editor
#   host    in the extension host of a real VS Code, with the real server and the scripted model
#   screen  the packaged extension, on screen in Chromium; pictures go to the folder AGENTLS_PICTURES, if that is set
#
# VS Code (code-server, 570 MB) is kept in .cache/vscode of the checkout. Chromium comes from the machine.
set -euo pipefail
[ -z "${AGENTLS_PICTURES:-}" ] || AGENTLS_PICTURES=$(cd "$AGENTLS_PICTURES" && pwd)
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
[ $# -gt 0 ] || set -- unit host screen
times=()

# timed WHAT COMMAND...: runs a part and notes how long it took.
timed() {
	local what=$1 start=$EPOCHREALTIME
	shift
	echo "--- $what"
	"$@"
	times+=("$(awk -v s="$start" -v e="$EPOCHREALTIME" -v w="$what" 'BEGIN { printf "%6.1f s  %s", e - s, w }')")
}

die() {
	echo "editors/vscode/test.sh: $*" >&2
	exit 1
}

# need COMMAND=PACKAGE...: has root install what is missing from apt; tells anybody else.
need() {
	local pair packages=()
	for pair in "$@"; do
		command -v "${pair%%=*}" >/dev/null || packages+=("${pair#*=}")
	done
	[ ${#packages[@]} -gt 0 ] || return 0
	local apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
	command -v apt-get >/dev/null || die "missing: ${packages[*]}; install them and try again"
	[ "$(id -u)" = 0 ] || die "missing: ${packages[*]}; run: sudo apt-get install --yes --no-install-recommends ${packages[*]}"
	{
		"${apt[@]}" update
		DEBIAN_FRONTEND=noninteractive "${apt[@]}" install --yes --no-install-recommends "${packages[@]}"
	} >&2 || die "apt-get could not install: ${packages[*]}"
}

prepare_tools() {
	need npm=npm
	node=$(./tools.sh)
	PATH=$node/bin:$PATH
}

prepare_editor() {
	need chromium=chromium g++=g++ make=make python3=python3 ps=procps
	AGENTLS_TEST_EDITOR=$(test/install-editor.sh "$node" "$root/.cache/vscode/editor")
	AGENTLS_TEST_CHROMIUM=$(command -v chromium)
	export AGENTLS_TEST_EDITOR AGENTLS_TEST_CHROMIUM
}

build() {
	local version
	version=$(git describe --tags --always --dirty 2>/dev/null || echo devel)
	./package.sh "$version"
	SERVER_VERSION=$version node build.ts --tests
	AGENTLS_TEST_MODEL=$root/.cache/vscode/model
	export AGENTLS_TEST_MODEL
	go build -C "$root" -o "$AGENTLS_TEST_MODEL" ./editors/model
}

unit() {
	node node_modules/prettier/bin/prettier.cjs --check --log-level warn .
	node node_modules/typescript/bin/tsc -p .
	node --test --test-reporter=spec "test/unit/*.test.ts"
}

timed "tools" prepare_tools
built=
for part in "$@"; do
	case $part in
	unit) timed unit unit ;;
	host | screen)
		if [ -z "$built" ]; then
			timed "VS Code" prepare_editor
			timed "build" build
			built=yes
		fi
		script=test/host/run.ts
		[ "$part" = host ] || script=test/screen/walk.ts
		timed "$part" timeout 600 node "$script"
		;;
	*) die "no part $part: unit, host, screen" ;;
	esac
done
echo "--- times"
printf '%s\n' "${times[@]}"
