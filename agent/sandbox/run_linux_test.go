package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/agentls/agentls/agent/sandbox"
)

// TestViewIsSeen: a command sees the draft over the disk, at the workspace's
// own path, and its changes are those against the draft.
func TestViewIsSeen(t *testing.T) {
	p := newPlace(t, map[string]string{"a.txt": "disk\n", "b.txt": "b\n", "dir/c.txt": "c\n", "run.sh": "#!/bin/sh\n"})
	view := sandbox.View{Files: map[string]sandbox.File{
		p.root + "/a.txt":         {Content: []byte("draft\n")},
		p.root + "/b.txt":         {Deleted: true},
		p.root + "/dir/c.txt":     {Deleted: true},
		p.root + "/new/deep.txt":  {Content: []byte("deep\n"), Mode: 0o755},
		p.root + "/never/was.txt": {Deleted: true},
	}}
	res := p.run(view, sandbox.Command{Shell: "pwd; cat a.txt; ls -R; echo more >> a.txt; cat new/deep.txt > b.txt; rm new/deep.txt"})
	wantOutput := p.root + "\ndraft\n.:\na.txt\nnew\nrun.sh\n\n./new:\ndeep.txt\n"
	if diff := cmp.Diff(wantOutput, res.Output); diff != "" {
		t.Error(diff)
	}
	want := []sandbox.Change{
		{Op: sandbox.Modify, Path: p.root + "/a.txt", Content: []byte("draft\nmore\n"), Mode: 0o644, Was: 0o644, Size: 11},
		{Op: sandbox.Rename, Path: p.root + "/new/deep.txt", To: p.root + "/b.txt", Content: []byte("deep\n"), Mode: 0o644, Was: 0o755, Size: 5},
	}
	if diff := cmp.Diff(want, res.Changes); diff != "" {
		t.Error(diff)
	}
	if res := p.sh("cat a.txt b.txt dir/c.txt; ls"); res.Output != "disk\nb\nc\na.txt\nb.txt\ndir\nnew\nrun.sh\n" {
		t.Errorf("without the draft: %q", res.Output)
	}
}

// TestLaterCommands: ignored files and the home stay for the next command of a
// run; what was reported is the caller's; a new run begins anew.
func TestLaterCommands(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) { laterCommands(t, kind) })
	}
}

func laterCommands(t *testing.T, kind sandbox.Kind) {
	t.Helper()
	p := newPlace(t, map[string]string{".gitignore": "/out/\n/was\n", "a.txt": "a\n", "out/old": "old\n", "out/stays": "stays\n", "was/x": "x\n"})
	p.opts.Level.Kind = kind
	p.git("init", "-q")
	p.git("add", ".gitignore", "a.txt")
	first := p.sh("mkdir -p out/sub; echo built > out/sub/x; rm out/old; echo b > a.txt; echo h > ~/h; echo n > new.txt; rm -r was; echo file > was")
	if diff := cmp.Diff([]string{"modify a.txt", "create new.txt"}, summary(p, first)); diff != "" {
		t.Error(diff)
	}
	for _, more := range []string{"", "; rm -r out; mkdir out; echo again > out/old"} {
		second := p.sh("cat out/sub/x ~/h a.txt was; ls out; ls new.txt 2>/dev/null" + more + "; true")
		if diff := cmp.Diff("built\nh\na\nfile\nstays\nsub\n", second.Output); diff != "" || len(second.Changes) > 0 {
			t.Errorf("the next command changed %v\n%s", summary(p, second), diff)
		}
	}
	if third := p.sh("cat out/*; rm was"); third.Output != "again\n" || len(third.Changes) > 0 {
		t.Errorf("the third command saw %q, changes %v", third.Output, summary(p, third))
	}
	if last := p.sh("find . -path ./.git -prune -o -type f -print | sort"); strings.ReplaceAll(last.Output, "./.git\n", "") != "./.gitignore\n./a.txt\n./out/old\n" {
		t.Errorf("the last command saw %q", last.Output)
	}
	other := &place{t: t, base: p.base, home: p.home, root: p.root, opts: p.opts}
	if res := other.sh("ls out; ls ~; cat was/x"); !strings.HasPrefix(res.Output, "old\nstays\n") || !strings.HasSuffix(res.Output, "x\n") || strings.Contains(res.Output, "h\n") {
		t.Errorf("another run saw %q", res.Output)
	}
}

// summary names changes in short.
func summary(p *place, res *sandbox.Result) []string {
	var out []string
	for _, c := range res.Changes {
		line := string(c.Op) + " " + strings.TrimPrefix(c.Path, p.root+"/")
		if c.To != "" {
			line += " to " + strings.TrimPrefix(c.To, p.root+"/")
		}
		out = append(out, line)
	}
	return out
}

// TestFoldersReplaced: what takes the place of what is told file by file.
func TestFoldersReplaced(t *testing.T) {
	p := newPlace(t, map[string]string{
		"gone/a": "gone a\n", "gone/sub/b": "gone b\n", "again/same": "same\n", "again/other": "other\n", "again/sub/x": "x\n",
		"tofile/a": "tofile\n", "todir": "todir\n", "moved/a": "moved a\n", "moved/b": "moved b\n", "nested/.git/config": "[core]\n", "nested/f": "f\n",
	})
	res := p.sh("rm -r gone; rm -r again; mkdir again; echo same > again/same; echo changed > again/other; rm -r tofile; echo file > tofile; " +
		"rm todir; mkdir todir; echo in > todir/in; mv moved elsewhere; rm -r nested; git init -q fresh; echo z > fresh/z; mkdir empty; mkfifo pipe")
	want := []string{
		"modify again/other", "delete again/sub/x", "rename moved/a to elsewhere/a", "rename moved/b to elsewhere/b",
		"create fresh/z", "delete gone/a", "delete gone/sub/b", "delete nested/f", "delete todir", "create todir/in", "create tofile", "delete tofile/a",
	}
	got := summary(p, res)
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
		t.Error(diff)
	}
}

func sorted(s []string) []string {
	out := slices.Clone(s)
	slices.Sort(out)
	return out
}

// TestHugeIsNamed: large and binary files are named, not loaded, and stay for
// the next command.
func TestHugeIsNamed(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, nil)
			p.opts.Level.Kind = kind
			p.sh("head -c 5000000 /dev/zero | tr '\\0' x > huge; mkdir d; printf '\\377\\376' > d/latin")
			for range 2 {
				res := p.sh("wc -c huge d/latin")
				want := []sandbox.Change{
					{Op: sandbox.Create, Path: p.root + "/d/latin", Mode: 0o644, Size: 2, Binary: true},
					{Op: sandbox.Create, Path: p.root + "/huge", Mode: 0o644, Size: 5000000, Huge: true},
				}
				if diff := cmp.Diff(want, res.Changes); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestStops: each limit ends the command and is named; what was changed by
// then comes out.
func TestStops(t *testing.T) {
	p := newPlace(t, nil)
	cases := []struct {
		stop sandbox.Stop
		cmd  sandbox.Command
	}{
		{sandbox.StopTime, sandbox.Command{Shell: "echo x > f; trap '' TERM INT; setsid sleep 77.1 & while :; do :; done", Timeout: 300 * time.Millisecond}},
		{sandbox.StopDisk, sandbox.Command{Shell: "echo x > f; while :; do head -c 4000000 /dev/zero >> out; done", Limits: sandbox.Limits{Disk: 24 << 20}}},
		{sandbox.StopMemory, sandbox.Command{Shell: "echo x > f; x=$(head -c 400000000 /dev/zero | tr '\\0' x); sleep 5", Limits: sandbox.Limits{Memory: 64 << 20}}},
	}
	for _, c := range cases {
		t.Run(string(c.stop), func(t *testing.T) {
			if c.cmd.Timeout == 0 {
				c.cmd.Timeout = 30 * time.Second
			}
			res, err := p.sandbox().Run(t.Context(), sandbox.View{}, c.cmd)
			if err != nil {
				t.Fatal(err)
			}
			if res.Stop != c.stop || res.Code == 0 {
				t.Errorf("stop %q, code %d\n%s", res.Stop, res.Code, res.Output)
			}
			if got := summary(p, res); len(got) == 0 || got[0] != "create f" {
				t.Errorf("changes %v", got)
			}
			if left := processesOf("sleep\x0077.1"); len(left) > 0 {
				t.Errorf("processes %v are left", left)
			}
		})
	}
}

// TestDiskOfOthers: what a copy, or the command before, just wrote is not what
// a command writes.
func TestDiskOfOthers(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, map[string]string{".gitignore": "out\n", "big": strings.Repeat("x", 3<<20)})
			p.opts.Level.Kind = kind
			p.git("init", "-q")
			for range 3 {
				p.run(sandbox.View{}, sandbox.Command{Shell: "head -c 3000000 /dev/zero >> out; sleep 0.15", Limits: sandbox.Limits{Disk: 4 << 20}})
				p.sh("head -c 9000000 /dev/zero > out; rm out")
			}
		})
	}
}

// TestTmpIsSmall: /tmp is memory, and limited; in a copy it is on the disk.
func TestTmpIsSmall(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, nil)
			p.opts.Level.Kind = kind
			cmd := sandbox.Command{Shell: "head -c 20000000 /dev/zero > $TMPDIR/x && sleep 5", Limits: sandbox.Limits{Scratch: 10 << 20}}
			if kind == sandbox.Copied {
				cmd.Limits.Disk = 10 << 20
			}
			res, err := p.sandbox().Run(t.Context(), sandbox.View{}, cmd)
			if err != nil || res.Code == 0 || !strings.Contains(res.Output, "No space left") && kind != sandbox.Copied {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
}

// TestOutput: head and tail are kept, the cut is said, and nothing in it can
// steer a terminal.
func TestOutput(t *testing.T) {
	p := newPlace(t, nil)
	res, err := p.sandbox().Run(t.Context(), sandbox.View{}, sandbox.Command{
		Shell: `printf 'start\033[31mred\033]0;title\a\r\nnext\rover\0\n'; head -c 3000000 /dev/zero | tr '\0' x; printf '\nend\n'`, Limits: sandbox.Limits{Output: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(res.Output, "startred\nnext\nover\nxx") || !strings.HasSuffix(res.Output, "xx\nend\n") || res.Cut < 2_999_000 ||
		!strings.Contains(res.Output, "\n["+strconv.FormatInt(res.Cut, 10)+" bytes of output left out]\n") || len(res.Output) > 1100 {
		t.Errorf("cut %d, output %.80q … %q", res.Cut, res.Output, res.Output[max(0, len(res.Output)-80):])
	}
}

// TestStream: whoever watches sees the output while the command runs, and in
// the end all that is kept of it, in the workspace's names.
func TestStream(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, nil)
			p.opts.Level.Kind = kind
			ctx, cancel := context.WithCancelCause(t.Context())
			errSeen := errors.New("it was seen")
			watcher := &watcher{until: "in " + p.root + ", red\n", seen: func() { cancel(errSeen) }}
			script := `printf 'in %s, \033[31m' "$PWD"; echo red; exec sleep 30`
			if _, err := p.sandbox().Run(ctx, sandbox.View{}, sandbox.Command{Shell: script, Stream: watcher}); !errors.Is(err, errSeen) {
				t.Errorf("error %v, the stream was %q", err, watcher.text.String())
			}
			var stream strings.Builder
			res := p.run(sandbox.View{}, sandbox.Command{Shell: "pwd; seq 10000; printf 'end\r'", Stream: &stream, Limits: sandbox.Limits{Output: 1000}})
			if diff := cmp.Diff(res.Output, stream.String()); diff != "" || res.Cut == 0 {
				t.Errorf("cut %d\n%s", res.Cut, diff)
			}
		})
	}
}

// TestStreamRefuses: a command goes on when nobody watches any more.
func TestStreamRefuses(t *testing.T) {
	p := newPlace(t, nil)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if res := p.run(sandbox.View{}, sandbox.Command{Shell: "seq 3; sleep 0.01; seq 3", Stream: w}); res.Output != "1\n2\n3\n1\n2\n3\n" {
		t.Errorf("output %q", res.Output)
	}
}

// A watcher calls seen once it was given the text until.
type watcher struct {
	text  strings.Builder
	until string
	seen  func()
}

func (w *watcher) Write(p []byte) (int, error) {
	w.text.Write(p)
	if strings.Contains(w.text.String(), w.until) {
		w.seen()
	}
	return len(p), nil
}

// TestCancel: a cancelled command is gone with all that it started.
func TestCancel(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, nil)
			p.opts.Level.Kind = kind
			mark := "53." + strconv.Itoa(os.Getpid())
			ctx, cancel := context.WithCancelCause(t.Context())
			errStop := errors.New("the user said stop")
			done := make(chan error)
			go func() {
				_, err := p.sandbox().Run(ctx, sandbox.View{}, sandbox.Command{Shell: "echo x > half-done; setsid sleep " + mark + " & trap '' TERM; sleep " + mark})
				done <- err
			}()
			if !eventually(func() bool { return len(processesOf("sleep\x00"+mark)) == 2 }, 10*time.Second) {
				t.Fatal("it did not start")
			}
			cancel(errStop)
			if err := <-done; !errors.Is(err, errStop) {
				t.Errorf("error %v", err)
			}
			if left := processesOf("sleep\x00" + mark); len(left) > 0 {
				t.Errorf("processes %v are left", left)
			}
			if res := p.sh("ls"); res.Output != "" || len(res.Changes) > 0 {
				t.Errorf("what it did is left: %q, changes %v", res.Output, summary(p, res))
			}
		})
	}
}

// TestServerDies: nothing outlives the process that started it, and its
// scratch folder is removed by the next one.
func TestServerDies(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, nil)
			p.opts.Level.Kind = kind
			mark := "59." + strconv.Itoa(os.Getpid())
			server := exec.Command("/proc/self/exe", "-test.run=^TestDieAsServer$")
			server.Env = append(os.Environ(), "AGENTLS_TEST_STAGE="+stagePath, "AGENTLS_TEST_PLACE="+p.root+":"+p.home+":"+p.opts.State+":"+string(kind)+":"+mark)
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			defer server.Wait()         //nolint:errcheck // it is gone, or goes with the folder
			defer server.Process.Kill() //nolint:errcheck // it is gone, or goes with the folder
			if !eventually(func() bool { return len(processesOf("sleep\x00"+mark)) == 2 }, 10*time.Second) {
				t.Fatal("it did not start")
			}
			_ = server.Process.Signal(unix.SIGKILL)
			_ = server.Wait()
			if !eventually(func() bool { return len(processesOf("sleep\x00"+mark)) == 0 }, 5*time.Second) {
				t.Error("processes are left")
			}
			p.sandbox()
			if runs, err := os.ReadDir(filepath.Join(p.opts.State, "runs")); err != nil || len(runs) != 1 {
				t.Errorf("scratch folders %v, %v", runs, err)
			}
		})
	}
}

// TestDieAsServer is the process that TestServerDies kills.
func TestDieAsServer(t *testing.T) {
	spec := strings.Split(os.Getenv("AGENTLS_TEST_PLACE"), ":")
	if len(spec) != 5 {
		return // it is not meant
	}
	box, err := sandbox.New(sandbox.Options{
		Roots: spec[:1], Home: spec[1], State: spec[2], Env: os.Environ(), Now: time.Now, Stage: stagePath, Level: sandbox.Level{Kind: sandbox.Kind(spec[3])},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = box.Run(t.Context(), sandbox.View{}, sandbox.Command{Shell: "setsid sleep " + spec[4] + " & sleep " + spec[4]})
	t.Fatal(err)
}

// TestStageIsKilled: a command without a pid namespace cannot get rid of the
// process that ends it.
func TestStageIsKilled(t *testing.T) {
	p := newPlace(t, nil)
	p.opts.Level.Kind = sandbox.Copied
	mark := "61." + strconv.Itoa(os.Getpid())
	p.sh("kill -9 $PPID; setsid sh -c 'sleep " + mark + " & sleep " + mark + "' & sleep 0.1")
	if left := processesOf("sleep\x00" + mark); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// TestForkersEnd: what starts others while it is killed leaves none of them.
func TestForkersEnd(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, nil)
			p.opts.Level.Kind = kind
			mark := "7.1" + strconv.Itoa(os.Getpid())
			cmd := sandbox.Command{Shell: "for i in 1 2 3; do (for n in $(seq 100); do setsid sleep " + mark + " & done) & done; wait"} // not endless: it may get away
			for i := range 15 {
				cmd.Timeout = time.Duration(2*i+1) * time.Millisecond
				if _, err := p.sandbox().Run(t.Context(), sandbox.View{}, cmd); err != nil {
					t.Fatal(err)
				}
				if left := processesOf("sleep\x00" + mark); len(left) > 0 {
					t.Errorf("processes %v are left", left)
				}
			}
		})
	}
}

// TestConcurrentCommands: the commands of one run take turns.
func TestConcurrentCommands(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, map[string]string{".gitignore": "log\n"})
			p.opts.Level.Kind = kind
			p.git("init", "-q")
			box := p.sandbox()
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					res, err := box.Run(t.Context(), sandbox.View{}, sandbox.Command{Shell: "echo begin >> log; sleep 0.02; echo end >> log"})
					if err != nil || res.Code != 0 {
						t.Errorf("%+v, %v", res, err)
					}
				})
			}
			all.Wait()
			if res := p.sh("cat log"); res.Output != strings.Repeat("begin\nend\n", 4) {
				t.Errorf("log %q", res.Output)
			}
		})
	}
}

// TestNetworkOff: tests can listen, on a loopback of their own.
func TestNetworkOff(t *testing.T) {
	p := newPlace(t, nil)
	res := p.sh(`python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
socket.create_connection(s.getsockname())
u = socket.socket(socket.AF_UNIX); u.bind("own.sock"); u.listen()
socket.socket(socket.AF_UNIX).connect("own.sock")
print("ok")'`)
	if res.Output != "ok\n" || len(res.Changes) > 0 {
		t.Errorf("%q, changes %v", res.Output, summary(p, res))
	}
}

// TestNetworkOpen: a command that the user granted it reaches the network, and
// no socket of the user's by path.
func TestNetworkOpen(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, nil)
			p.opts.Level.Kind = kind
			p.mkdir(p.home + "/agent")
			tcp, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer tcp.Close() //nolint:errcheck // a test's
			unix, err := net.Listen("unix", p.home+"/agent/sock")
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close() //nolint:errcheck // a test's
			script := fmt.Sprintf(`python3 -c '
import socket
socket.create_connection(("127.0.0.1", %d))
print("connected", len(open("/etc/resolv.conf").read()))
try:
    socket.socket(socket.AF_UNIX).connect("%s/agent/sock")
    print("reached")
except OSError:
    print("denied")'`, portOf(t, tcp.Addr()), p.home)
			resolv, err := os.ReadFile("/etc/resolv.conf")
			if err != nil {
				t.Fatal(err)
			}
			res := p.run(sandbox.View{}, sandbox.Command{Shell: script, Network: sandbox.NetworkOpen})
			if want := fmt.Sprintf("connected %d\ndenied\n", len(resolv)); res.Output != want {
				t.Errorf("output %q, want %q", res.Output, want)
			}
		})
	}
}

// TestRootReplaced: a command that puts something else in the workspace's place
// does not make us read what it cannot read itself.
func TestRootReplaced(t *testing.T) {
	for _, kind := range confiningKinds() {
		for name, script := range map[string]string{
			"by a link":     "cd .. && mv project elsewhere && ln -s %[1]s/.ssh project",
			"its parent":    "cd ../.. && mv $(basename $(dirname $OLDPWD)) elsewhere && ln -s %[1]s/.ssh $(basename $(dirname $OLDPWD))",
			"by nothing":    "rm -rf $PWD",
			"by a new one":  "cd .. && mv project elsewhere && mkdir project && echo x > project/x",
			"and its files": "rm -rf dir && ln -s %[1]s/.ssh dir && ln -s %[1]s/.ssh/key link",
		} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				p := newPlace(t, map[string]string{"dir/a.txt": "a\n"})
				p.opts.Level.Kind = kind
				p.write(p.home+"/.ssh/key", secretText)
				p.write(p.home+"/.ssh/project/key", secretText)
				script := "cd $PWD; OLDPWD=$PWD; " + fmt.Sprintf(script+"; :", p.home)
				res, err := p.sandbox().Run(t.Context(), sandbox.View{}, sandbox.Command{Shell: script})
				if err != nil && !strings.Contains(err.Error(), "took the place of") {
					t.Error(err)
				}
				if err == nil {
					for _, c := range res.Changes {
						if strings.Contains(string(c.Content), secretText) {
							t.Errorf("%s %s holds a secret", c.Op, c.Path)
						}
					}
				}
				if err != nil && p.sh("cat dir/a.txt").Output != "a\n" {
					t.Error("the next command has no workspace")
				}
				if got := p.read(p.root + "/dir/a.txt"); got != "a\n" {
					t.Errorf("the user's file holds %q", got)
				}
			})
		}
	}
}

// TestUnreadable: what its owner may not read, or took from itself, is in
// nobody's way.
func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 { // who reads all
		asUser(t, "TestUnreadable", func(string) []string { return nil })
		return
	}
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, map[string]string{"a.txt": "a\n", "locked/x": "x\n", "secret": "s\n", "tolock/y": "y\n"})
			p.opts.Level.Kind = kind
			p.shell("cd " + p.root + " && chmod 0 locked secret")
			res := p.sh("echo more >> a.txt; mkdir new; echo n > new/n; chmod 0 new tolock; echo z > z; chmod 0 z; cat locked/x secret 2>/dev/null; true")
			if diff := cmp.Diff([]string{"modify a.txt", "create new/n", "create z"}, summary(p, res)); diff != "" || res.Output != "" {
				t.Errorf("output %q\n%s", res.Output, diff)
			}
			for _, c := range res.Changes {
				if c.Path == p.root+"/z" && (c.Mode != 0 || string(c.Content) != "z\n") {
					t.Errorf("z is %+v", c)
				}
			}
			if kind == sandbox.Namespaces {
				res = p.sh("chmod 755 locked && echo more >> locked/x && cat locked/x")
				if diff := cmp.Diff([]string{"create locked/x"}, summary(p, res)); diff != "" || res.Output != "x\nmore\n" {
					t.Errorf("output %q\n%s", res.Output, diff)
				}
			}
		})
	}
}

// TestCancelledWhileRead: changes that could not be read are gone, as those of
// a command that was cancelled are.
func TestCancelledWhileRead(t *testing.T) {
	p := newPlace(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	p.opts.Ignored = func(ctx context.Context, _ string, _ []string) (map[string]bool, error) {
		cancel()
		return nil, ctx.Err()
	}
	if _, err := p.sandbox().Run(ctx, sandbox.View{}, sandbox.Command{Shell: "echo x > x; mkdir d; echo y > d/y"}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if res := p.sh("find . -type f"); res.Output != "" || len(res.Changes) > 0 {
		t.Errorf("it left %q, changes %v", res.Output, summary(p, res))
	}
}

// TestManyRuns: the scratch of a run that begins is not swept away by another.
func TestManyRuns(t *testing.T) {
	p := newPlace(t, nil)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				box, err := sandbox.New(p.opts)
				if err != nil {
					t.Error(err)
					return
				}
				if err := box.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestGitPointer: a .git that leads to what is no repository opens nothing.
func TestGitPointer(t *testing.T) {
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, nil)
			p.opts.Level.Kind = kind
			p.write(p.base+"/private/file", "private\n")
			p.write(p.root+"/.git", "gitdir: "+p.base+"/private\n")
			res, err := p.sandbox().Run(t.Context(), sandbox.View{}, sandbox.Command{Argv: []string{"cat", p.base + "/private/file"}})
			if err != nil || res.Code == 0 {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
}

// TestNames: names that no text holds are what they are, in the workspace, its
// path, masks and arguments.
func TestNames(t *testing.T) {
	const odd = "\xff\n'\"caf\xe9"
	for _, kind := range confiningKinds() {
		t.Run(string(kind), func(t *testing.T) {
			p := newPlace(t, nil)
			p.opts.Level.Kind = kind
			p.root = filepath.Join(p.home, odd)
			p.opts.Roots = []string{p.root}
			p.write(filepath.Join(p.root, odd), "a\n")
			p.write(filepath.Join(p.root, ".env"+odd), secretText)
			p.opts.Masks = []string{filepath.Join(p.root, ".env"+odd)}
			p.git("init", "-q")
			script := `cat ./.env* 2>/dev/null; cat "$1"; echo more >> "$1"; echo new > "$1 new"; mv "$1 new" "$1 moved"`
			res := p.run(sandbox.View{}, sandbox.Command{Argv: []string{"sh", "-c", script, "sh", odd}})
			if diff := cmp.Diff([]string{"modify " + odd, "create " + odd + " moved"}, summary(p, res)); diff != "" || res.Output != "a\n" {
				t.Errorf("output %q\n%s", res.Output, diff)
			}
		})
	}
}

// TestBadCommands: what cannot run says so, and nothing ran.
func TestBadCommands(t *testing.T) {
	p := newPlace(t, nil)
	box := p.sandbox()
	for name, c := range map[string]struct {
		cmd  sandbox.Command
		view sandbox.View
		want string
	}{
		"nothing":   {cmd: sandbox.Command{}, want: "no command to run"},
		"both":      {cmd: sandbox.Command{Argv: []string{"a"}, Shell: "b"}, want: "not both"},
		"NUL":       {cmd: sandbox.Command{Argv: []string{"a\x00b"}}, want: "NUL"},
		"not found": {cmd: sandbox.Command{Argv: []string{"no-such-program"}}, want: "no-such-program: executable file not found"},
		"no folder": {cmd: sandbox.Command{Argv: []string{"true"}, Dir: "/nowhere"}, want: "/nowhere: no such file"},
		"outside":   {cmd: sandbox.Command{Argv: []string{"true"}}, view: sandbox.View{Files: map[string]sandbox.File{"/etc/x": {}}}, want: "/etc/x is in no folder of the workspace"},
		"climbing":  {cmd: sandbox.Command{Argv: []string{"true"}}, view: sandbox.View{Files: map[string]sandbox.File{p.root + "/../x": {}}}, want: "is in no folder of the workspace"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := box.Run(t.Context(), c.view, c.cmd)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestUnconfinedAsks: nothing runs at no level without the user's word.
func TestUnconfinedAsks(t *testing.T) {
	p := newPlace(t, map[string]string{"a.txt": "a\n"})
	p.opts.Level = sandbox.Level{}
	_, err := p.sandbox().Run(t.Context(), sandbox.View{}, sandbox.Command{Shell: "echo b > a.txt"})
	if !errors.Is(err, sandbox.ErrUnconfined) {
		t.Fatalf("error %v", err)
	}
	res := p.run(sandbox.View{}, sandbox.Command{Shell: "echo b > a.txt", Consent: sandbox.Given})
	if diff := cmp.Diff([]string{"modify a.txt"}, summary(p, res)); diff != "" {
		t.Error(diff)
	}
	if got := p.read(p.root + "/a.txt"); got != "a\n" {
		t.Errorf("the user's file holds %q", got)
	}
}
