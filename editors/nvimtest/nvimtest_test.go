package nvimtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/editors/nvimtest"
)

// patience bounds each test; nothing here should need a tenth of it.
const patience = 20 * time.Second

// nvims yields every Neovim there is, with a name for its subtest.
func nvims(t *testing.T) iter.Seq2[string, string] {
	t.Helper()
	paths, err := nvimtest.Find()
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(name, path string) bool) {
		for i, path := range paths {
			if !yield("nvim"+strconv.Itoa(i), path) {
				return
			}
		}
	}
}

// options returns a workspace with one file, a.txt, and the fake server in a mode.
func options(t *testing.T, nvim, mode, text string) nvimtest.Options {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return nvimtest.Options{
		Nvim:   nvim,
		Dir:    dir,
		Home:   filepath.Join(t.TempDir(), "home"),
		Server: []string{self},
		// A server built with -race would sleep for a second before it ends.
		Env: []string{fakeMode + "=" + mode, "GORACE=atexit_sleep_ms=0"},
	}
}

func start(t *testing.T, opts nvimtest.Options) (context.Context, *nvimtest.Editor) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	e, err := nvimtest.Start(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Neovim %s:\n%s", e.Version(), e.Log())
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("Neovim %s", e.Version())
	return ctx, e
}

// open starts the well-behaved server on a.txt.
func open(t *testing.T, nvim, text string) (context.Context, *nvimtest.Editor) {
	t.Helper()
	ctx, e := start(t, options(t, nvim, wellBehaved, text))
	ok(t, e.Open(ctx, "a.txt"))
	return ctx, e
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func serverState(ctx context.Context, t *testing.T, e *nvimtest.Editor) state {
	t.Helper()
	var s state
	ok(t, e.Command(ctx, "fake.state", nil, &s))
	return s
}

func TestFind(t *testing.T) {
	executable := func(t *testing.T, path ...string) string {
		t.Helper()
		name := filepath.Join(path...)
		ok(t, os.MkdirAll(filepath.Dir(name), 0o700))
		ok(t, os.WriteFile(name, nil, 0o700))
		return name
	}
	cache, bin := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("PATH", bin)

	t.Setenv("AGENTLS_TEST_NVIM", "/a/nvim:/b/nvim")
	found, err := nvimtest.Find()
	ok(t, err)
	equal(t, "from the environment", found, []string{"/a/nvim", "/b/nvim"})

	t.Setenv("AGENTLS_TEST_NVIM", "")
	if found, err := nvimtest.Find(); !errors.Is(err, nvimtest.ErrNotFound) {
		t.Errorf("with none: %v, %v", found, err)
	}
	onPath := executable(t, bin, "nvim")
	kept := executable(t, cache, "agentls-test", "nvim-0.10.4", "bin", "nvim")
	found, err = nvimtest.Find()
	ok(t, err)
	equal(t, "from the machine", found, []string{kept, onPath})
}

func TestStartNamesTheMissingCommand(t *testing.T) {
	opts := options(t, filepath.Join(t.TempDir(), "no-nvim"), wellBehaved, "")
	_, err := nvimtest.Start(t.Context(), opts)
	if err == nil || !strings.Contains(err.Error(), "start "+opts.Nvim) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestServerSeesTheClient(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := options(t, nvim, wellBehaved, "one\n")
			opts.InitializationOptions = map[string]any{"list": []string{}, "on": true}
			ctx, e := start(t, opts)
			ok(t, e.Open(ctx, "a.txt"))
			equal(t, "state", serverState(ctx, t, e), state{
				Texts:       map[string]string{"a.txt": "one\n"},
				WantsEvents: true,
				InitOptions: map[string]any{"list": []any{}, "on": true},
				Environment: []string{
					"HOME=" + opts.Home,
					"TMPDIR=" + opts.Home + "/tmp",
					"XDG_CACHE_HOME=" + opts.Home + "/.cache",
					"XDG_CONFIG_HOME=" + opts.Home + "/.config",
					"XDG_DATA_HOME=" + opts.Home + "/.local/share",
					"XDG_RUNTIME_DIR=" + opts.Home + "/run",
					"XDG_STATE_HOME=" + opts.Home + "/.local/state",
				},
			})
		})
	}
}

func TestTyping(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, e := open(t, nvim, "é one\ntwo\n")
			ok(t, e.Type("a.txt", 0, len("é "), "bad\nnew "))
			lines, err := e.Lines("a.txt")
			ok(t, err)
			equal(t, "lines", lines, []string{"é bad", "new one", "two"})

			// No request flushes the change: this waits for Neovim's own didChange.
			var shown []nvimtest.Diagnostic
			ok(t, e.Eventually(ctx, func() (bool, error) {
				shown, err = e.Diagnostics("a.txt")
				return len(shown) > 0, err
			}))
			equal(t, "diagnostics", shown, []nvimtest.Diagnostic{{
				Line: 0, Col: 3, EndLine: 0, EndCol: 6, Severity: 2, Message: "bad is bad", Source: "fake", Code: "bad-word",
			}})

			modified, err := e.Modified("a.txt")
			ok(t, err)
			equal(t, "modified before the save", modified, true)
			ok(t, e.Save("a.txt"))
			modified, err = e.Modified("a.txt")
			ok(t, err)
			equal(t, "modified after the save", modified, false)
			ok(t, e.Undo("a.txt"))
			s := serverState(ctx, t, e)
			equal(t, "server's text after undo", s.Texts, map[string]string{"a.txt": "é one\ntwo\n"})
			equal(t, "saved", s.Saved, []string{"a.txt"})
			ok(t, e.SetLines("a.txt", []string{"all", "new"}))
			equal(t, "server's text", serverState(ctx, t, e).Texts, map[string]string{"a.txt": "all\nnew\n"})
		})
	}
}

func TestClosedDocument(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, e := open(t, nvim, "")
			_, err := e.Lines("b.txt")
			if err == nil || !strings.Contains(err.Error(), "b.txt is not open in the editor") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRequestRefused(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, e := open(t, nvim, "")
			err := e.Command(ctx, "fake.fail", nil, nil)
			var refusal *nvimtest.ResponseError
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v", err)
			}
			equal(t, "error", *refusal, nvimtest.ResponseError{Code: -32803, Message: "no", Data: json.RawMessage("[7]")})
		})
	}
}

func TestRequestCancelled(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, e := open(t, nvim, "")
			short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			if err := e.Command(short, "fake.hang", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v", err)
			}
			equal(t, "cancelled at the server", serverState(ctx, t, e).Cancelled, 1)
		})
	}
}

func TestNotifications(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, e := open(t, nvim, "")
			for _, event := range []string{`{"n":1,"list":[],"none":{}}`, `{"n":2}`} {
				ok(t, e.Command(ctx, "fake.emit", map[string]any{"event": json.RawMessage(event)}, nil))
			}
			second, err := e.WaitEvent(ctx, func(params json.RawMessage) bool {
				return strings.Contains(string(params), "2") && len(e.Events()) == 2 // may look at the editor
			})
			ok(t, err)
			equal(t, "event waited for", string(second), `{"n":2}`)

			var first any
			ok(t, json.Unmarshal(e.Events()[0], &first))
			equal[any](t, "first event", first, map[string]any{"n": 1.0, "list": []any{}, "none": map[string]any{}})
			equal(t, "number of events", len(e.Events()), 2)

			messages, err := e.Messages()
			ok(t, err)
			equal(t, "messages", messages, []nvimtest.Message{{Type: 3, Message: "hello"}, {Type: 3, Message: "hello"}})

			begin, end := nvimtest.Progress{Token: "t"}, nvimtest.Progress{Token: "t"}
			begin.Value.Kind, begin.Value.Title, begin.Value.Percentage = "begin", "Working", new(float64)
			end.Value.Kind = "end"
			progress, err := e.Progress()
			ok(t, err)
			equal(t, "progress", progress, []nvimtest.Progress{begin, end, begin, end})
		})
	}
}

func TestWaitEventEndsWithItsContext(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, e := open(t, nvim, "")
			short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			_, err := e.WaitEvent(short, func(json.RawMessage) bool { return true })
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestApplyEdit(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := options(t, nvim, wellBehaved, "old\ntext\n")
			ctx, e := start(t, opts)
			ok(t, e.Open(ctx, "a.txt"))
			uri := url.URL{Scheme: "file", Path: filepath.Join(opts.Dir, "a.txt")}
			var reply struct{ Applied bool }
			ok(t, e.Command(ctx, "fake.apply", map[string]any{"uri": uri.String(), "text": "new\n"}, &reply))
			equal(t, "applied", reply.Applied, true)
			lines, err := e.Lines("a.txt")
			ok(t, err)
			equal(t, "lines", lines, []string{"new"})
			equal(t, "server's text", serverState(ctx, t, e).Texts, map[string]string{"a.txt": "new\n"})
			disk, err := os.ReadFile(filepath.Join(opts.Dir, "a.txt"))
			ok(t, err)
			equal(t, "disk", string(disk), "old\ntext\n")
			ok(t, e.Undo("a.txt"))
			lines, err = e.Lines("a.txt")
			ok(t, err)
			equal(t, "lines after undo", lines, []string{"old", "text"})
		})
	}
}

func TestCodeActions(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, e := open(t, nvim, "good\né bad\n")
			ok(t, e.Eventually(ctx, func() (bool, error) {
				shown, err := e.Diagnostics("a.txt")
				return len(shown) == 1, err
			}))
			none, err := e.CodeActions(ctx, "a.txt", 0, 0)
			ok(t, err)
			equal(t, "on the good line", none, []nvimtest.CodeAction{})

			some, err := e.CodeActions(ctx, "a.txt", 1, len("é b"))
			ok(t, err)
			if len(some) != 1 {
				t.Fatalf("on the bad line: %+v", some)
			}
			var place map[string]any
			ok(t, json.Unmarshal(some[0].Data, &place))
			some[0].Data, some[0].Command = nil, nil
			equal(t, "on the bad line", some[0], nvimtest.CodeAction{Title: "Fix bad-word", Kind: "quickfix"})
			at := map[string]any{"line": 1.0, "character": 3.0}
			equal(t, "the place asked for, in UTF-16", place, map[string]any{"start": at, "end": at})
		})
	}
}

func TestChoose(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, e := open(t, nvim, "good\nbad\n")
			ok(t, e.Eventually(ctx, func() (bool, error) {
				shown, err := e.Diagnostics("a.txt")
				return len(shown) == 1, err
			}))
			err := e.Choose(ctx, "a.txt", 0, 0, "Fix bad-word")
			if err == nil || !strings.Contains(err.Error(), "No code actions available") {
				t.Errorf("without actions: %v", err)
			}
			err = e.Choose(ctx, "a.txt", 1, 0, "Fix all")
			if err == nil || !strings.Contains(err.Error(), "no such code action; there are: Fix bad-word") {
				t.Errorf("with another action: %v", err)
			}
			ok(t, e.Choose(ctx, "a.txt", 1, 0, "Fix bad-word"))
			ok(t, e.Eventually(ctx, func() (bool, error) {
				lines, err := e.Lines("a.txt")
				return cmp.Equal(lines, []string{"fixed"}), err
			}))
			equal(t, "server's text", serverState(ctx, t, e).Texts, map[string]string{"a.txt": "fixed\n"})
		})
	}
}

func TestQuestion(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, e := open(t, nvim, "")
			ask := func() string {
				var reply *struct{ Title string }
				ok(t, e.Command(ctx, "fake.question", nil, &reply))
				if reply == nil {
					return "dismissed"
				}
				return reply.Title
			}
			ok(t, e.Answer("No"))
			equal(t, "with an answer", ask(), "No")
			equal(t, "without one", ask(), "dismissed")
			messages, err := e.Messages()
			ok(t, err)
			question := nvimtest.Message{Type: 1, Message: "sure?"}
			equal(t, "messages", messages, []nvimtest.Message{question, question})
		})
	}
}

func TestServerTrouble(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for mode, want := range map[string]string{
				refusing:   "not today",
				shortLived: "the language server ended with code 3",
			} {
				ctx, e := start(t, options(t, nvim, mode, ""))
				err := e.Open(ctx, "a.txt")
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v, want %q", mode, err, want)
				}
			}
			opts := options(t, nvim, wellBehaved, "")
			opts.Server = []string{"/no/such/server"}
			ctx, e := start(t, opts)
			if err := e.Open(ctx, "a.txt"); err == nil || !strings.Contains(err.Error(), "/no/such/server") {
				t.Errorf("missing: got %v", err)
			}
			if err := e.Command(ctx, "fake.state", nil, nil); err == nil {
				t.Error("a command without a server succeeded")
			}
		})
	}
}

func TestCloseEndsAStubbornServer(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := options(t, nvim, stubborn, "")
			ctx, e := start(t, opts)
			ok(t, e.Open(ctx, "a.txt"))
			text, err := os.ReadFile(filepath.Join(opts.Dir, "server.pid"))
			ok(t, err)
			pid, err := strconv.Atoi(string(text))
			ok(t, err)
			if !alive(t, pid) {
				t.Fatal("the server ended by itself")
			}
			ok(t, e.Close())
			ok(t, e.Eventually(ctx, func() (bool, error) { return !alive(t, pid), nil }))
		})
	}
}

func TestEndOfContextCloses(t *testing.T) {
	for name, nvim := range nvims(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			e, err := nvimtest.Start(ctx, options(t, nvim, wellBehaved, ""))
			ok(t, err)
			ok(t, e.Open(ctx, "a.txt"))
			cancel()
			ok(t, e.Eventually(t.Context(), func() (bool, error) {
				_, err := e.Lines("a.txt")
				return err != nil, nil
			}))
			ok(t, e.Close())
		})
	}
}

// alive reports whether a process runs.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	process, err := os.FindProcess(pid)
	ok(t, err)
	return process.Signal(syscall.Signal(0)) == nil
}
