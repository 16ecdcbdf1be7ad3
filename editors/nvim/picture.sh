#!/usr/bin/env bash
# picture.sh [DIR]: takes the pictures of Neovim, from the running program, into DIR (editors/pictures).
set -euo pipefail
cd "$(dirname "$0")"
AGENTLS_PICTURES=$(realpath -m "${1:-../pictures}")
AGENTLS_TEST_NVIM=$(../setup.sh pictures)
export AGENTLS_PICTURES AGENTLS_TEST_NVIM
mkdir -p "$AGENTLS_PICTURES"
go test -count=1 -tags picture -run '^TestPictures$' .
