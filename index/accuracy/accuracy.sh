#!/bin/sh
# Installs the peers and corpora of make bench-accuracy below .cache/bench,
# once, compares, and writes index/ACCURACY.md. ACCURACY_ONLY, a regular
# expression, runs a part: definitions, references or renames.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p .cache/bench/accuracy
bench=$(cd -P .cache/bench && pwd -P) # peers name files by their real paths
corpus=$bench/accuracy

[ -x "$bench/gopls" ] || GOBIN=$bench go install golang.org/x/tools/gopls@v0.23.0
[ -x "$bench/npm/node_modules/.bin/pyright-langserver" ] || npm install --prefix "$bench/npm" --no-audit --no-fund typescript@5.4.5 pyright@1.1.400
ctags=$(command -v ctags-universal || command -v ctags || true)
case $("$ctags" --version 2>/dev/null || true) in
*Universal*) ;;
*) apt-get install -y universal-ctags && ctags=$(command -v ctags-universal) ;;
esac

# debian NAME: the source of a Debian package, as its authors released it.
debian() {
	[ -d "$corpus/$1" ] && return
	work=$(mktemp -d) && mkdir -p "$work/lists/partial" "$corpus/$1.new"
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null | sed 's/^Types: deb$/Types: deb-src/; s/^deb /deb-src /' >"$work/all.sources"
	set -- "$1" -o "Dir::Etc::sourcelist=$work/all.sources" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$work/lists"
	name=$1 && shift
	apt-get -qq -o APT::Sandbox::User=root "$@" update
	(cd "$work" && apt-get -qq -o APT::Sandbox::User=root "$@" source --download-only "$name")
	tar -xf "$work"/*.orig.tar.* -C "$corpus/$name.new" --strip-components=1
	rm -rf "$work" && mv "$corpus/$name.new" "$corpus/$name"
}
for name in redis libcommons-lang3-java rust-ripgrep pylint; do debian "$name"; done

# npm NAME VERSION: the TypeScript that a package is built from.
npm_source() {
	[ -d "$corpus/$1" ] && return
	mkdir -p "$corpus/$1.new"
	(cd "$corpus/$1.new" && npm pack --silent "$1@$2" >/dev/null && tar -xzf ./*.tgz --strip-components=1 && rm ./*.tgz)
	rm -rf "$corpus/$1.new/dist"
	mv "$corpus/$1.new" "$corpus/$1"
}
npm_source rxjs 7.8.1
npm_source zod 4.1.12

# module NAME PATH@VERSION: a Go module with its tests, to rename in.
module() {
	[ -d "$corpus/$1" ] && return
	cp -r "$(go mod download -json "$2" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')" "$corpus/$1.new"
	chmod -R u+w "$corpus/$1.new" && mv "$corpus/$1.new" "$corpus/$1"
}
module cobra github.com/spf13/cobra@v1.10.2
module pflag github.com/spf13/pflag@v1.0.10
module go-toml github.com/pelletier/go-toml/v2@v2.4.3

BENCH_AGENTLS=$PWD/bin/agentls BENCH_CTAGS=$ctags BENCH_GOPLS=$bench/gopls BENCH_NPM=$bench/npm/node_modules \
ACCURACY_CORPUS=$corpus ACCURACY_OUT=${ACCURACY_OUT:-$PWD/index/ACCURACY.md} ACCURACY_ONLY=${ACCURACY_ONLY:-} \
	go test -tags peers -count=1 -timeout 60m -run '^TestAccuracy$' -v ./index/accuracy
