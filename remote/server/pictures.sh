#!/usr/bin/env bash
# pictures.sh [DIR]: takes pictures of the task service's page from the running program, into DIR (editors/pictures).
set -euo pipefail
cd "$(dirname "$0")/../.."
AGENTLS_PICTURES=$(realpath -m "${1:-editors/pictures}") go test ./remote/server -count=1 -run '^TestThePageShowsEveryState$'
