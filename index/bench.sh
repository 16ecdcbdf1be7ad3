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

# The big corpus: Go's source, Kubernetes, the clients of AWS and of Google,
# packages of npm, and the Python library of this machine.
if [ ! -d "$bench/corpus/big" ]; then
	(cd "$bench/corpus" && GOFLAGS=-modcacherw GOMODCACHE=$bench/corpus/mod \
		go mod download k8s.io/kubernetes@v1.30.0 github.com/aws/aws-sdk-go@v1.54.0 google.golang.org/api@v0.180.0)
	npm install --prefix "$bench/corpus/npm" --no-audit --no-fund --ignore-scripts \
		typescript@5.4.5 react-dom@18.3.1 three@0.165.0 @babel/core@7.24.7 webpack@5.92.1 next@14.2.4
	mkdir -p "$bench/corpus/big.new"
	cp -r "$(go env GOROOT)/src" "$bench/corpus/big.new/go"
	cp -r "$bench/corpus/mod/k8s.io/kubernetes@v1.30.0" "$bench/corpus/big.new/kubernetes"
	cp -r "$bench/corpus/mod/github.com/aws/aws-sdk-go@v1.54.0" "$bench/corpus/big.new/aws"
	cp -r "$bench/corpus/mod/google.golang.org/api@v0.180.0" "$bench/corpus/big.new/google"
	mv "$bench/corpus/npm/node_modules" "$bench/corpus/big.new/npm" # that name would be passed over
	cp -r "$(python3 -c 'import os; print(os.path.dirname(os.__file__))')" "$bench/corpus/big.new/python"
	chmod -R u+w "$bench/corpus/big.new"
	mv "$bench/corpus/big.new" "$bench/corpus/big"
fi

BENCH_AGENTLS=$PWD/bin/agentls BENCH_ASTGREP=$astgrep BENCH_CTAGS=$ctags BENCH_GOPLS=$bench/gopls \
BENCH_BIG=$bench/corpus/big BENCH_OUT=$PWD/index/BENCHMARKS.md BENCH_ROUNDS=${BENCH_ROUNDS:-5} BENCH_NOTE=${BENCH_NOTE:-} \
	go test -tags peers -count=1 -timeout 90m -run '^TestPeers$' -v ./index
