// Package nvimtest drives a real, headless Neovim with one language server
// attached, for end-to-end tests and the demo. It works with Neovim 0.7.2 and
// later and knows nothing of the server but its command line.
package nvimtest

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/neovim/go-client/nvim"
)

// ErrNotFound is returned by Find when there is no Neovim.
var ErrNotFound = errors.New("no Neovim found: run make test, which installs what the tests need")

// Options say what Start starts.
type Options struct {
	Nvim   string   // path of the nvim command, such as one of Find
	Dir    string   // absolute path of the workspace's root
	Home   string   // absolute path of a private folder, made if missing: HOME, the XDG folders and TMPDIR lie in it
	Server []string // argv of the language server
	Env    []string // "KEY=value", for Neovim and the server: all they see beside PATH, LANG and what follows from Home

	Settings              map[string]any // the user's settings: answers to workspace/configuration
	InitializationOptions map[string]any // of the initialize request; nil sends none
}

// Editor is one running Neovim. Lines and columns count from 0, and columns
// are bytes. Paths are absolute, or relative to Options.Dir. Methods may be
// called from several goroutines.
type Editor struct {
	dir, home string
	version   string
	process   *exec.Cmd
	nvim      *nvim.Nvim
	served    chan struct{} // closed when the connection to Neovim has ended
	close     func() error  // shutDown, once

	mu            sync.Mutex
	changed       chan struct{}    // closed and replaced when something below changes
	ready         bool             // the server has answered initialize
	broken        error            // why the server cannot be used any more
	choice        *choice          // how Choose went
	requests      int              // the number of the last request
	responses     map[int]response // of the requests under way; the zero response until it is there
	notifications []Notification
}

// stopLimit bounds the orderly end of Neovim and of the server; after it
// Neovim is killed.
const stopLimit = 2 * time.Second

//go:embed editor.lua
var script string

// Find returns the paths of the Neovims to test with: those of
// AGENTLS_TEST_NVIM (separated like PATH) if that is set, else the one that
// editors/setup.sh keeps and the one on PATH. It returns ErrNotFound if there
// is none.
func Find() ([]string, error) {
	if list := filepath.SplitList(os.Getenv("AGENTLS_TEST_NVIM")); len(list) > 0 {
		return list, nil
	}
	candidates := []string{nvim.BinaryName}
	if cache, err := os.UserCacheDir(); err == nil {
		kept := filepath.Join(cache, "agentls-test", "nvim-0.10.4", "bin", nvim.BinaryName)
		candidates = []string{kept, nvim.BinaryName}
	}
	var found []string
	for _, candidate := range candidates {
		if path, err := exec.LookPath(candidate); err == nil {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return found, nil
}

// Start starts Neovim. The server is started by the first Open, as for a user.
// When ctx ends the Editor is closed as by Close.
func Start(ctx context.Context, opts Options) (*Editor, error) {
	e := &Editor{
		dir:       opts.Dir,
		home:      opts.Home,
		served:    make(chan struct{}),
		changed:   make(chan struct{}),
		responses: make(map[int]response),
	}
	if err := e.launch(ctx, opts); err != nil {
		return nil, fmt.Errorf("start %s: %w", opts.Nvim, err)
	}
	e.close = sync.OnceValue(e.shutDown)
	context.AfterFunc(ctx, func() { _ = e.Close() }) // whoever calls Close gets the error
	if err := e.load(opts); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", opts.Nvim, err), e.Close())
	}
	return e, nil
}

// launch starts the process, with its API on stdin and stdout and its stderr
// in a file.
func (e *Editor) launch(ctx context.Context, opts Options) error {
	env, err := environment(opts)
	if err != nil {
		return err
	}
	stderr, err := os.OpenFile(e.stderrPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer stderr.Close() //nolint:errcheck // the child writes, not we
	// The end of ctx is not a kill: the server would not be asked to end.
	e.process = exec.CommandContext(context.WithoutCancel(ctx), opts.Nvim,
		"--headless", "--embed", "--clean", "-n", "-i", "NONE")
	e.process.Dir = opts.Dir
	e.process.Env = env
	e.process.Stderr = stderr
	stdin, err := e.process.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := e.process.StdoutPipe()
	if err != nil {
		return err
	}
	quiet := func(string, ...any) {} // what the library logs comes back as errors too
	if e.nvim, err = nvim.New(stdout, stdin, stdin, quiet); err != nil {
		return err
	}
	return e.process.Start()
}

// environment returns all that Neovim sees of the machine, and makes the
// folders that it names.
func environment(opts Options) ([]string, error) {
	env := []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + opts.Home}
	for name, folder := range map[string]string{
		"XDG_CONFIG_HOME": ".config",
		"XDG_CACHE_HOME":  ".cache",
		"XDG_DATA_HOME":   ".local/share",
		"XDG_STATE_HOME":  ".local/state",
		"XDG_RUNTIME_DIR": "run",
		"TMPDIR":          "tmp",
	} {
		path := filepath.Join(opts.Home, folder)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, err
		}
		env = append(env, name+"="+path)
	}
	return append(env, opts.Env...), nil
}

// load starts to listen to Neovim and loads the Lua half of the package.
func (e *Editor) load(opts Options) error {
	go func() {
		defer close(e.served)
		err := errors.Join(e.nvim.Serve(), io.EOF)
		e.update(func() { e.breakOff(fmt.Errorf("the connection to Neovim ended: %w", err)) })
	}()
	if err := e.nvim.RegisterHandler("nvimtest", e.receive); err != nil {
		return err
	}
	if err := e.nvim.ExecLua("package.loaded.nvimtest = assert(loadstring(...))()", nil, script); err != nil {
		return err
	}
	return e.call("setup", &e.version, struct {
		Channel  int            `json:"channel"`
		Server   []string       `json:"server"`
		Dir      string         `json:"dir"`
		Settings map[string]any `json:"settings,omitempty"`
		Init     map[string]any `json:"init,omitempty"`
	}{e.nvim.ChannelID(), opts.Server, opts.Dir, opts.Settings, opts.InitializationOptions})
}

// call calls a function of editor.lua. Arguments and result travel as JSON, so
// that one rule maps values to Lua and back; result may be nil.
func (e *Editor) call(function string, result any, args ...any) error {
	encoded, err := json.Marshal(append([]any{}, args...))
	if err != nil {
		return err
	}
	const code = `local name, args = ...
		local result = require('nvimtest')[name](unpack(vim.json.decode(args)))
		return vim.json.encode(result == nil and vim.NIL or result)`
	var reply string
	if err := e.nvim.ExecLua(code, &reply, function, string(encoded)); err != nil {
		return err
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal([]byte(reply), result)
}

// Lua runs Lua in Neovim, as a user's own configuration would.
func (e *Editor) Lua(code string) error { return e.nvim.ExecLua(code, nil) }

// Version returns Neovim's version, such as "0.10.4".
func (e *Editor) Version() string { return e.version }

// Log returns Neovim's messages (until Close), its stderr and its log of the
// language server, which holds the server's own stderr: for the message of a
// failed test.
func (e *Editor) Log() string {
	var messages string
	_ = e.call("messages", &messages) // a Neovim that has ended has none
	all := []byte(messages + "\n")
	for _, path := range []string{
		e.stderrPath(),
		filepath.Join(e.home, ".cache", "nvim", "lsp.log"),          // 0.7.2
		filepath.Join(e.home, ".local", "state", "nvim", "lsp.log"), // later
	} {
		if text, err := os.ReadFile(path); err == nil {
			all = append(all, text...)
		}
	}
	return string(all)
}

func (e *Editor) stderrPath() string { return filepath.Join(e.home, "nvim.stderr") }

// Close ends the server and Neovim: by shutdown and exit, then by signals; a
// Neovim that still lives after two seconds is killed, and Close says so.
// Nothing is left behind but files in Options.Home. Later calls return the
// same.
func (e *Editor) Close() error { return e.close() }

func (e *Editor) shutDown() error {
	var killed atomic.Bool
	kill := time.AfterFunc(stopLimit, func() { killed.Store(e.process.Process.Kill() == nil) })
	// Neovim ends in the middle of the second call: neither error says anything.
	_ = e.call("stop", nil)
	_ = e.nvim.Command("qall!")
	<-e.served
	err := e.process.Wait()
	kill.Stop()
	if killed.Load() {
		return fmt.Errorf("close: Neovim did not end within %v and was killed", stopLimit)
	}
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}
