# make demo and make test need Go 1.26, gcc and nothing else: editors/setup.sh installs the rest, or names it.

GO      ?= go
TOOLS   := .cache/tools
VERSION  = $(or $(shell git describe --tags --always --dirty 2>/dev/null),devel)

golangci  := $(TOOLS)/golangci-lint-v2.15.0
gotestsum := $(TOOLS)/gotestsum-v1.13.0

# The confined stage is a program without cgo, embedded in agent/sandbox.
stage := agent/sandbox/bin/agentls-sandbox-$(shell $(GO) env GOARCH)

.PHONY: stage
stage: ## the confined stage of the sandbox, which build embeds
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w' -o $(stage) ./cmd/agentls-sandbox

.PHONY: build
build: stage ## bin/agentls (the default)
	$(GO) build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/agentls ./cmd/agentls

.PHONY: test
test: ## every test, with its time: Go's, in real Neovims too, then the VS Code extension's; what each part took
	GOTESTSUM=$(gotestsum) editors/test.sh

.PHONY: test-asan
test-asan: ## the tests of the C code under AddressSanitizer
	ASAN_OPTIONS=detect_leaks=0 $(GO) test -asan -count=1 ./index/syntax

.PHONY: check
check: stage $(golangci) $(gotestsum) ## what a change must pass: format, vet, linter, imports, tidy, Windows, tests with -race
	$(golangci) fmt --diff
	$(GO) vet ./...
	$(golangci) run
	$(GO) mod tidy -diff
	$(GO) test ./cmd/agentls -run '^TestImports$$'
	$(GO) test -tags lite ./index/lang ./index -run '^Test(Tables|Outline|References|Definitions)'
	GOOS=windows CGO_ENABLED=0 $(GO) vet $(portable)
	nvims=$$(editors/setup.sh tests) && \
	AGENTLS_TEST_NVIM=$$nvims $(gotestsum) --format pkgname -- -race -count=1 -timeout 25m ./...

# The packages that need no cgo, tests included: those that do not come to tree-sitter through index.
portable = $(shell GOOS=windows CGO_ENABLED=0 $(GO) list -e \
	-f '{{.ImportPath}} {{join .Deps " "}} {{join .TestImports " "}} {{join .XTestImports " "}} ' ./... | \
	grep -vE 'agentls/index |tree-sitter' | cut -d ' ' -f 1)

.PHONY: vscode
vscode: ## editors/vscode/agentls.vsix: the VS Code extension with the server inside
	editors/vscode/package.sh $(VERSION)

.PHONY: test-vscode
test-vscode: ## the VS Code extension's tests alone: unit tests, in a real VS Code, and on screen
	editors/vscode/test.sh

.PHONY: pictures
pictures: stage ## the pictures of the documents, taken anew from the running program
	editors/pictures.sh

.PHONY: demo
demo: build ## the whole way, on a real repository, with the scripted model
	nvims=$$(editors/setup.sh) && AGENTLS_TEST_NVIM=$$nvims bin/agentls demo

.PHONY: attack-sandbox
attack-sandbox: stage ## every attack on the sandbox, as a table
	$(GO) test -count=1 -run '^TestAttack$$' -v ./agent/sandbox

.PHONY: bench-sandbox
bench-sandbox: stage ## what the sandbox costs
	$(GO) test -run '^$$' -bench . -benchtime 50x -timeout 20m ./agent/sandbox

N ?= 2000

.PHONY: torture-edits
torture-edits: ## N kills, EIOs and full disks, and 10,000 merges against git: torn, lost, mute
	@echo "machine: $$(uname -srm), $$(getconf _NPROCESSORS_ONLN) cores, $$(git --version), $$(strace --version 2>/dev/null | head -1 || echo no strace)"
	EDITS_TORTURE=$(N) EDITS_MERGES=10000 $(GO) test -count=1 -timeout 60m -v -run '^(TestTorture|TestFullDisk|TestMergeLikeGit)$$' ./edits

.PHONY: bench-edits
bench-edits: ## apply and undo of 1,000 files against git apply, diff of 10,000 lines, rebase of 100 files
	@echo "machine: $$(uname -srm), $$(getconf _NPROCESSORS_ONLN) cores, $$($(GO) env GOVERSION), $$(git --version)"
	$(GO) test -run '^$$' -bench . -benchtime 11x -timeout 20m ./edits

.PHONY: bench
bench: ## the benchmarks, after a line that says on which machine
	@echo "machine: $$(uname -srm), $$(getconf _NPROCESSORS_ONLN) cores, $$($(GO) env GOVERSION)"
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: bench-index
bench-index: build ## the index against universal-ctags, ast-grep and gopls: writes index/BENCHMARKS.md (half an hour, once more to fetch)
	index/bench.sh

.PHONY: bench-accuracy
bench-accuracy: build ## the index against universal-ctags, gopls, tsserver and pyright: writes index/ACCURACY.md (half an hour)
	index/accuracy/accuracy.sh

.PHONY: chaos-agent
chaos-agent: ## N runs with a hostile model, a broken wire and users who stop them: no byte changed, each call answered once, memory flat
	AGENT_CHAOS=$(N) $(GO) test -count=1 -timeout 60m -v -run '^TestChaos$$' ./agent

.PHONY: bench-agent
bench-agent: build ## the agent against Codex CLI, on the same scripted model: writes agent/BENCHMARKS.md (two minutes)
	cmd/agentls/bench.sh

.PHONY: bench-context
bench-context: ## the privacy gate (start, s/MiB, false alarms), the context of an ask, the map of a task, and where findings are after edits; AGENTLS_BENCH_CODE=DIR reads that code
	@echo "machine: $$(uname -srm), $$(getconf _NPROCESSORS_ONLN) cores, $$($(GO) env GOVERSION)"
	$(GO) test -run '^$$' -bench 'Start|Find|Context' -benchtime 3x -timeout 10m ./agent/secrets ./agent | grep -v '^    bench'
	$(GO) test -run '^$$' -bench 'Map$$' -benchtime 40x -timeout 10m ./index | grep -v '^    bench'
	@echo "findings after 1,000 random edits around them, each of 40 seeds:" && $(GO) test -count 1 -run '^TestPlacesAfterEdits$$' -v ./agent | grep -E ' right, |^--- |^FAIL'

.PHONY: tools
tools: $(golangci) $(gotestsum) ## the pinned linter and test runner, in .cache/tools (minutes, once)

$(golangci):
	GOBIN='$(CURDIR)/$(TOOLS)' $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	mv $(TOOLS)/golangci-lint $@

$(gotestsum):
	GOBIN='$(CURDIR)/$(TOOLS)' $(GO) install gotest.tools/gotestsum@v1.13.0
	mv $(TOOLS)/gotestsum $@

.PHONY: clean
clean: ## remove what was built (not the Neovim kept for the tests)
	rm -rf bin .cache

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16
