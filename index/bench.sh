#!/bin/sh
# Installs the peers and corpora of make bench-index below .cache/bench, once,
# measures in pairs and writes index/BENCHMARKS.md. What cannot be had is left
# out and named there.
set -eu
cd "$(dirname "$0")/.."
bench=$PWD/.cache/bench
mkdir -p "$bench/corpus"

astgrep=$bench/npm/node_modules/.bin/ast-grep
[ -x "$astgrep" ] || npm install --prefix "$bench/npm" --no-audit --no-fund @ast-grep/cli@0.38.7 || true
[ -x "$bench/gopls" ] || GOBIN=$bench go install golang.org/x/tools/gopls@v0.23.0 || true
ctags=$(command -v ctags-universal || command -v ctags || true)
[ -n "$ctags" ] || { apt-get install -y universal-ctags && ctags=$(command -v ctags-universal); } || true

# sources PACKAGE... unpacks sources of Debian 12 here, of whatever point release. The lists of
# packages are this script's own: the system's stay as they are.
sources() {
	mkdir -p apt/lists/partial
	echo 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian bookworm main' >apt/sources.list
	apt_options="-o Dir::Etc::SourceList=$PWD/apt/sources.list -o Dir::Etc::SourceParts=/dev/null"
	apt_options="$apt_options -o Dir::State::Lists=$PWD/apt/lists -o Dir::Cache=$PWD/apt"
	# shellcheck disable=SC2086 # the options are words
	apt-get $apt_options update && apt-get $apt_options source --download-only "$@"
	mkdir -p "$bench/corpus/big.new/debian"
	for archive in ./*.orig.tar.*; do
		tar -xf "$archive" -C "$bench/corpus/big.new/debian"
	done
}

# The big corpus, 11 MLOC: Go's source and Kubernetes, packages of npm, the
# Python library of this machine, and C from Debian.
if [ ! -d "$bench/corpus/big" ]; then
	rm -rf "$bench/corpus/big.new"
	mkdir -p "$bench/corpus/big.new" "$bench/corpus/debian"
	(cd "$bench/corpus" && GOFLAGS=-modcacherw GOMODCACHE=$bench/corpus/mod go mod download k8s.io/kubernetes@v1.30.0)
	npm install --prefix "$bench/corpus/npm" --no-audit --no-fund --ignore-scripts \
		typescript@5.4.5 react-dom@18.3.1 three@0.165.0 @babel/core@7.24.7 webpack@5.92.1 next@14.2.4
	cp -r "$(go env GOROOT)/src" "$bench/corpus/big.new/go"
	cp -r "$bench/corpus/mod/k8s.io/kubernetes@v1.30.0" "$bench/corpus/big.new/kubernetes"
	cp -r "$bench/corpus/npm/node_modules" "$bench/corpus/big.new/npm" # that name would be passed over
	cp -r "$(python3 -c 'import os; print(os.path.dirname(os.__file__))')" "$bench/corpus/big.new/python"
	(cd "$bench/corpus/debian" && sources git redis sqlite3) || true
	chmod -R u+w "$bench/corpus/big.new"
	mv "$bench/corpus/big.new" "$bench/corpus/big"
fi

BENCH_AGENTLS=$PWD/bin/agentls BENCH_ASTGREP=$astgrep BENCH_CTAGS=$ctags BENCH_GOPLS=$bench/gopls \
BENCH_BIG=$bench/corpus/big BENCH_OUT=$PWD/index/BENCHMARKS.md BENCH_ROUNDS=${BENCH_ROUNDS:-3} BENCH_IDLE=${BENCH_IDLE:-60} BENCH_ONLY=${BENCH_ONLY:-} BENCH_NOTE=${BENCH_NOTE:-} \
	go test -tags peers -count=1 -timeout 90m -run '^TestPeers$' -v ./index
