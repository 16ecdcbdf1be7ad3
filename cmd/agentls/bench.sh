#!/bin/sh
# Installs the peer of make bench-agent below .cache/bench, once, and measures
# both. Codex wants a home that is not below /tmp.
set -eu
cd "$(dirname "$0")/../.."
bench=$PWD/.cache/bench
version=0.169.0

[ -d "$bench/npm/node_modules/@openai/codex" ] || npm install --prefix "$bench/npm" --no-audit --no-fund "@openai/codex@$version"
codex=$(find "$bench/npm/node_modules/@openai" -path '*/bin/codex' -type f | head -1)

home=${XDG_CACHE_HOME:-$HOME/.cache}/agentls-bench
rm -rf "$home"
mkdir -p "$home"
trap 'rm -rf "$home"' EXIT
BENCH_AGENTLS=$PWD/bin/agentls BENCH_CODEX=$codex BENCH_HOME=$home BENCH_OUT=$PWD/agent/BENCHMARKS.md \
	go test -tags peers -count=1 -timeout 30m -run '^TestAgentPeers$' ./cmd/agentls
