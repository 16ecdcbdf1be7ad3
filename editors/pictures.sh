#!/usr/bin/env bash
# pictures.sh: takes the pictures of the documents anew, from the running program, into editors/pictures: of VS Code, of
# Neovim and of the task service's page. Unless all of them could be taken, none is replaced.
set -euo pipefail
cd "$(dirname "$0")/.."

new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

editors/setup.sh pictures >/dev/null
editors/nvim/picture.sh "$new"
remote/server/pictures.sh "$new"
AGENTLS_PICTURES=$new editors/vscode/test.sh editor screen

for name in $(grep -oh 'pictures/[a-z-]*\.png' README.md editors/*/README.md | sort -u); do
	[ -s "$new/${name#pictures/}" ] || {
		echo "editors/pictures.sh: no ${name#pictures/} was taken, which a README shows" >&2
		exit 1
	}
done
mogrify -strip +dither -colors 192 -define png:compression-level=9 "$new"/*.png # a third of the size
rm -f editors/pictures/*.png
mv "$new"/*.png editors/pictures
identify -format '%f  %w × %h  %b\n' editors/pictures/*.png
