#!/usr/bin/env bash
# setup.sh [demo|tests|vscode|pictures]: what the demo (the default), the tests, those of the VS Code extension alone, or
# the pictures need beside Go. All but vscode print the Neovims to test with, separated by colons: the value of
# AGENTLS_TEST_NVIM (which wins if it is already set).
#
# On Debian, root gets what is missing from apt; anybody else is told the one command to run. Neovim 0.10.4 comes
# from a later suite and is kept in ${XDG_CACHE_HOME:-~/.cache}/agentls-test, for all checkouts. When nothing is
# missing this takes a few milliseconds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
newer=${XDG_CACHE_HOME:-${HOME:?}/.cache}/agentls-test/nvim-0.10.4
purpose=${1:-demo}

die() {
	echo "editors/setup.sh: $*" >&2
	exit 1
}

# missing COMMAND=PACKAGE...: prints the packages whose commands are not there.
missing() {
	local pair
	for pair in "$@"; do
		command -v "${pair%%=*}" >/dev/null || printf '%s ' "${pair#*=}"
	done
}

# install PACKAGE...: from the machine's own apt.
install() {
	command -v apt-get >/dev/null || die "missing: $*; install them and try again"
	[ "$(id -u)" = 0 ] || die "missing: $*; run: sudo apt-get install --yes --no-install-recommends $*"
	echo "installing $*" >&2
	local apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
	{
		"${apt[@]}" update
		DEBIAN_FRONTEND=noninteractive "${apt[@]}" install --yes --no-install-recommends "$@"
	} >&2 || die "apt-get could not install: $*"
}

command -v go >/dev/null || die "missing: Go 1.26 or later; install it and put its bin folder on PATH"

wanted=(git=git gcc=gcc)
neovim=(nvim=neovim)
[ -x "$newer/bin/nvim" ] || neovim+=(patchelf=patchelf)
[ -z "${AGENTLS_TEST_NVIM:-}" ] || neovim=()
# VS Code's native modules are built; its tests look for processes.
vscode=(npm=npm chromium=chromium g++=g++ make=make python3=python3 ps=procps)
case $purpose in
demo) wanted+=("${neovim[@]}") ;;
vscode) wanted+=("${vscode[@]}") ;;
# The sandbox is tested with what people build with, the task service with its real client and a browser.
tests) wanted+=("${neovim[@]}" "${vscode[@]}" cargo=cargo pip3=python3-pip bwrap=bubblewrap setpriv=util-linux unshare=util-linux) ;;
pictures) wanted+=("${neovim[@]}" "${vscode[@]}" Xvfb=xvfb xterm=xterm import=imagemagick fc-match=fontconfig) ;;
*) die "what for? demo, tests, vscode or pictures" ;;
esac
packages=$(missing "${wanted[@]}")
font=$(fc-match --format '%{family}' 'DejaVu Sans Mono' 2>/dev/null || true)
[ "$purpose" != pictures ] || [ "$font" = 'DejaVu Sans Mono' ] || packages+=fonts-dejavu-core
# shellcheck disable=SC2086 # a list of words
[ -z "$packages" ] || install $packages

[ "$purpose" != vscode ] || exit 0
if [ -n "${AGENTLS_TEST_NVIM:-}" ]; then
	echo "$AGENTLS_TEST_NVIM"
	exit
fi
if [ ! -x "$newer/bin/nvim" ]; then
	echo "unpacking Neovim 0.10.4 into $newer" >&2
	"$here/nvim/get.sh" trixie "$newer" >/dev/null
fi
echo "$newer/bin/nvim:$(command -v nvim)"
