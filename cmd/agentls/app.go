package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/agent/permissions"
	"github.com/agentls/agentls/agent/transcripts"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/index/git"
	"github.com/agentls/agentls/lsp"
)

// An app is the process: its flags, and the wiring of the packages.
type app struct {
	flags    settings
	verbose  bool
	json     bool
	confined confinement
	niceness int // of indexing
	privacy  privacyLog

	histories index.Histories // for maps
}

func newApp(root *cobra.Command) *app {
	a := &app{flags: settings{Source: "the command line"}}
	flags := root.PersistentFlags()
	flags.StringVar(&a.flags.Model, "model", "", "model to use")
	flags.StringVar(&a.flags.BaseURL, "base-url", "", "endpoint to use; no key is sent to it")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log what happens to stderr")
	flags.BoolVar(&a.json, "json", false, "print JSON, for programs")
	return a
}

func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	if a.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// configFile returns where the user's configuration is.
func configFile() string {
	dir := xdg("XDG_CONFIG_HOME", ".config")
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "config.toml")
}

// stateDir returns where the journal and the proposals are.
func stateDir() string { return xdg("XDG_STATE_HOME", ".local/state") }

// cacheDir returns where the indexes are.
func cacheDir() string { return xdg("XDG_CACHE_HOME", ".cache") }

// xdg returns our folder below a base folder. (XDG Base Directory
// Specification: a relative path in the variable counts as unset) It is empty
// without a home.
func xdg(variable, fallback string) string {
	base := os.Getenv(variable)
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "" // never a folder that others can write
		}
		base = filepath.Join(home, filepath.FromSlash(fallback))
	}
	return filepath.Join(base, "agentls")
}

// workspaceKey names the folders of a workspace: readable, and unique. The name
// is the same by whatever symbolic links they are reached.
func workspaceKey(roots []string) string {
	real := make([]string, len(roots))
	for i, root := range roots {
		real[i] = root
		if path, err := filepath.EvalSymlinks(root); err == nil {
			real[i] = path
		}
	}
	roots = real
	sum := sha256.Sum256([]byte(strings.Join(roots, "\x00")))
	name := "empty"
	if len(roots) > 0 {
		name = filepath.Base(roots[0])
	}
	const longest = 100 // bytes: a name of a folder has 255, and some are made longer
	name = strings.ToValidUTF8(name[:min(len(name), longest)], "")
	return name + "-" + hex.EncodeToString(sum[:6])
}

// newID returns a short random name.
func newID() string {
	return strings.ToLower(rand.Text()[:10])
}

func (a *app) journal() *edits.Journal {
	return edits.OpenJournal(filepath.Join(stateDir(), "journal"), time.Now, newID)
}

// settled returns the journal after finishing what an agentls without an
// editor was cut off in. What an editor was part of waits for the editor: only
// it knows its documents.
func (a *app) settled(cmd *cobra.Command) (*edits.Journal, error) {
	limits, err := journalLimits(nil)
	if err != nil {
		return nil, err // under other limits it would forget what it is to keep
	}
	j := a.journal().Keeping(limits)
	open, err := j.Open(cmd.Context())
	if err != nil || len(open) == 0 {
		return j, err
	}
	for _, entry := range open {
		if len(entry.Documents) > 0 {
			return j, nil
		}
	}
	recovered, err := j.Recover(cmd.Context(), edits.NewDirectory())
	for _, r := range recovered {
		cmd.PrintErrf("%q was cut off, and %s\n", r.Entry.Title, r.Outcome)
		for _, f := range r.Files {
			cmd.PrintErrf("  %s was changed since and is left as it is\n", f.Path)
		}
	}
	return j, err
}

// stateOf returns the folder of the state of the workspace of these folders.
func stateOf(roots []string) string {
	return filepath.Join(stateDir(), "workspaces", workspaceKey(roots))
}

// runsDir returns where the transcripts are below that.
func runsDir(state string) string { return filepath.Join(state, "runs") }

// proposalsDir returns where the proposals are there.
func proposalsDir(state string) string { return filepath.Join(state, "proposals") }

// home returns what belongs to the workspace of these folders. It reads
// nothing yet.
func (a *app) home(roots []string) lsp.Home {
	key := workspaceKey(roots)
	state := stateOf(roots)
	return lsp.Home{
		Workspace: index.New(index.Options{
			Roots: roots, CacheDir: filepath.Join(cacheDir(), key), Log: a.log(), Now: time.Now, Niceness: a.niceness,
		}),
		Proposals: edits.OpenProposals(proposalsDir(state)),
		Runs:      transcripts.Open(runsDir(state)),
		State:     state,

		Permissions: permissions.Open(permissionsFile(state), time.Now),
		Confinement: func(ctx context.Context) string { return a.confinementOf(ctx, roots) },
	}
}

// configure chooses the runner from all sources; editor may be nil. Sandboxes
// opens the one of each run; nil: runs have the one that their task brings.
func (a *app) configure(ctx context.Context, editor json.RawMessage, sandboxes func(roots []string) agent.Sandbox) lsp.Setup {
	config, sources, err := a.modelConfig(ctx, editor)
	setup := lsp.Setup{Source: config.Source}
	for i := range sources {
		setup.Untrusted = setup.Untrusted || sources[i].Trusted != nil && !*sources[i].Trusted
	}
	opts := agent.Options{Gate: a.gate(sources...), Log: a.log()}
	if err == nil && config.Configured() {
		opts.Sandbox, opts.Effort, opts.OnePass, opts.Now = sandboxes, effortOf(sources), onePass(sources), time.Now
		if sandboxes != nil { // the checks of a task that brings its own are not ours
			opts.Verify = func(roots []string) []string { return a.checks(roots, sources...) }
		}
		var made agent.ByMode
		if made, err = a.agents(&config, opts); err == nil {
			setup.Model, setup.Models, setup.Runner, setup.Context = config.Model, config.Models, made, made.Context
			return setup
		}
	}
	setup.Err = err
	setup.Runner = &agent.Offline{LastChange: lastChange}
	setup.Context = agent.New(a.withContext(opts, "")).Context
	return setup
}

// agents returns an agent for each model that config names; opts are of each
// but for what its model is.
func (a *app) agents(config *modelConfig, opts agent.Options) (agent.ByMode, error) {
	made := map[string]*agent.Agent{}
	of := func(model string) (*agent.Agent, error) {
		if made[model] != nil {
			return made[model], nil
		}
		var err error
		opts.Model = openai.New(openai.Options{BaseURL: config.BaseURL, APIKey: config.APIKey, Model: model, Log: a.log()})
		if opts.Price, err = priceOf(config.BaseURL, model); err != nil {
			return nil, err
		}
		made[model] = agent.New(a.withContext(opts, model))
		return made[model], nil
	}
	usual, err := of(config.Model)
	out := agent.ByMode{Usual: usual, Own: map[agent.Mode]*agent.Agent{}}
	for mode, model := range config.Models {
		if err == nil {
			out.Own[mode], err = of(model)
		}
	}
	return out, err
}

// modelConfig returns the model to use, and all that is configured, the
// strongest source first; editor may be nil.
func (a *app) modelConfig(ctx context.Context, editor json.RawMessage) (modelConfig, []settings, error) {
	file, err := fromFile(configFile())
	if err != nil {
		return modelConfig{}, nil, err
	}
	fromEditor, err := fromEditor(editor)
	if err != nil {
		return modelConfig{}, nil, err
	}
	sources := []settings{a.flags, fromEnvironment(), file, fromEditor}
	for i := range sources {
		if err := errors.Join(sources[i].checkVerify(), sources[i].checkModes()); err != nil {
			return modelConfig{}, nil, err
		}
	}
	config, err := resolve(ctx, sources...)
	return config, sources, err
}

// lastChange says who last changed the lines of a declaration, by git.
func lastChange(ctx context.Context, path string, span text.Span) (string, error) {
	root, ok, err := git.Root(ctx, filepath.Dir(path))
	if err != nil || !ok {
		return "", err
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	lines := text.NewLines(src)
	commit, ok, err := git.LastChange(ctx, root, path, lines.LineAt(span.Start)+1, lines.LineAt(span.End)+1)
	if err != nil || !ok {
		return "", err
	}
	return fmt.Sprintf("%s %s by %s: %s", commit.Time.Format(time.DateOnly), commit.Hash[:min(10, len(commit.Hash))], commit.Author, commit.Subject), nil
}
