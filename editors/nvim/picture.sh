#!/usr/bin/env bash
# picture.sh: take the pictures of Neovim, from the running program, into editors/pictures/. It needs what the tests
# need, and Xvfb, xterm and ImageMagick, with the font DejaVu Sans Mono.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

missing=()
for pair in Xvfb=xvfb xterm=xterm import=imagemagick fc-match=fontconfig; do
	command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
done
if [ "${#missing[@]}" -gt 0 ]; then
	echo "editors/nvim/picture.sh: run: sudo apt-get install --no-install-recommends fonts-dejavu-core ${missing[*]}" >&2
	exit 1
fi

nvims=$("$here/../setup.sh")
mkdir -p "$here/../pictures"
cd "$here"
AGENTLS_TEST_NVIM=$nvims go test -count=1 -tags picture -run '^TestPictures$' -v . | grep -E 'png|FAIL|ok|picture'
