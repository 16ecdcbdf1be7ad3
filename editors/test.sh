#!/usr/bin/env bash
# test.sh: every test, of the Go packages and then of the VS Code extension, as one run of gotestsum (the program in
# GOTESTSUM). At the end it says again what failed, what each part took, and in its last line, as gotestsum words it,
# how many tests there were: DONE 1234 tests, 1 failure in 321.0s.
set -euo pipefail
cd "$(dirname "$0")/.."

# timed WHAT COMMAND...: runs a part and notes how long it took.
timed() {
	local what=$1 begin=$EPOCHREALTIME code=0
	shift
	"$@" || code=$?
	awk -v b="$begin" -v e="$EPOCHREALTIME" -v w="$what" 'BEGIN { printf "%7.1f s  %s\n", e - b, w }' >>"$AGENTLS_TEST_TIMES"
	return $code
}

# events: runs all tests and prints them as `go test -json` does.
events() {
	local failed=0
	timed "Go" go test -json -count=1 -timeout 15m ./... || failed=1
	editors/vscode/test.sh unit host screen 2>&1 | go tool test2json -t -p github.com/agentls/agentls/editors/vscode || failed=1
	return $failed
}

# counted NUMBER NOUN: ", 2 failures", and nothing for 0.
counted() {
	[ "$1" = 0 ] || printf ', %d %s%s' "$1" "$2" "$([ "$1" = 1 ] || echo s)"
}

# summary: the last lines. gotestsum runs it, with its counts in the environment.
summary() {
	echo
	echo "What each part took:"
	cat "$AGENTLS_TEST_TIMES"
	printf '\nDONE %d tests%s%s%s in %.1fs\n' "$TESTS_TOTAL" "$(counted "$TESTS_SKIPPED" skipped)" \
		"$(counted "$TESTS_FAILED" failure)" "$(counted "$TESTS_ERRORS" error)" \
		"$(awk -v b="$AGENTLS_TEST_BEGIN" -v e="$EPOCHREALTIME" 'BEGIN { print e - b }')"
}

case ${1:-} in
events) events ;;
summary) summary ;;
*)
	AGENTLS_TEST_BEGIN=$EPOCHREALTIME
	AGENTLS_TEST_TIMES=$(mktemp)
	trap 'rm -f "$AGENTLS_TEST_TIMES"' EXIT
	export AGENTLS_TEST_BEGIN AGENTLS_TEST_TIMES
	timed "set-up: build the stage and gotestsum" make --silent stage "$GOTESTSUM"
	AGENTLS_TEST_NVIM=$(timed "set-up: packages and Neovim" editors/setup.sh tests)
	export AGENTLS_TEST_NVIM
	editors/vscode/test.sh editor
	"$GOTESTSUM" --format testname --post-run-command 'editors/test.sh summary' --raw-command -- editors/test.sh events
	;;
esac
