#!/usr/bin/env bash
# package.sh VERSION: builds agentls.vsix for this system, with the server of that version inside.
set -euo pipefail
cd "$(dirname "$0")"
version=${1:?which version}
PATH=$(./tools.sh)/bin:$PATH

case $(go env GOOS GOARCH | tr '\n' ' ') in
"linux amd64 ") target=linux-x64 ;;
"linux arm64 ") target=linux-arm64 ;;
*)
	echo "editors/vscode/package.sh: no vsix is made for $(go env GOOS)/$(go env GOARCH) yet" >&2
	exit 1
	;;
esac

make -C ../.. --silent stage # which the server embeds
go build -C ../.. -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version" -o editors/vscode/bin/agentls ./cmd/agentls
SERVER_VERSION=$version node build.ts
cp ../../LICENSE LICENSE
node node_modules/@vscode/vsce/vsce package --no-dependencies --target "$target" -o agentls.vsix >dist/vsce.log 2>&1 || {
	cat dist/vsce.log >&2
	exit 1
}
echo "$PWD/agentls.vsix"
