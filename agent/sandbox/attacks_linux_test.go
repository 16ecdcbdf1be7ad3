package sandbox_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/agentls/agentls/agent/sandbox"
)

// secretText is in every secret that attacks look for.
const secretText = "hunter2-hunter2"

// attackLimits are far below what the bounded attacks take.
var attackLimits = sandbox.Limits{Processes: 40, Memory: 100 << 20, Disk: 20 << 20, Output: 100 << 10}

// A verdict is how an attack ended.
type verdict string

const (
	denied    verdict = "denied"
	succeeded verdict = "SUCCEEDED"
	byTheHost verdict = "n/a: the host denies it"
)

// A row is one attack by one user, without and with the sandbox.
type row struct {
	Attack          string
	Outside, Inside verdict
	Says            string // what the attack in the sandbox printed
}

// TestAttack carries out every attack as root and as an ordinary user, at each
// level, in the sandbox, where it must be denied, and outside in a bounded
// form, where it must succeed or be refused by the machine itself.
func TestAttack(t *testing.T) {
	if report := os.Getenv("AGENTLS_ATTACK_REPORT"); report != "" {
		reportAttacks(t, report)
		return
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", secretText)
	columns := map[sandbox.Kind]map[string][]row{}
	t.Run("columns", func(t *testing.T) {
		var mu sync.Mutex
		column := func(kind sandbox.Kind, user string, attack func(*testing.T, sandbox.Kind) []row) {
			t.Run(string(kind)+" "+user, func(t *testing.T) {
				t.Parallel() // most of the time they wait
				rows := attack(t, kind)
				mu.Lock()
				defer mu.Unlock()
				if columns[kind] == nil {
					columns[kind] = map[string][]row{}
				}
				columns[kind][user] = rows
			})
		}
		for _, kind := range confiningKinds() {
			if os.Getuid() == 0 {
				column(kind, "root", attackAll)
				column(kind, "user", attacksAsUser)
			} else {
				column(kind, "user", attackAll)
			}
		}
	})
	for _, kind := range confiningKinds() {
		t.Logf("\n%s", table(kind, columns[kind]))
		for user, rows := range columns[kind] {
			for _, r := range rows {
				if r.Inside == succeeded || r.Outside == denied {
					t.Errorf("%s, %s, %s: outside %s, inside %s\n%s", kind, user, r.Attack, r.Outside, r.Inside, r.Says)
				}
			}
		}
	}
}

func table(kind sandbox.Kind, columns map[string][]row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "level: %s\n%-42s", kind, "attack")
	users := []string{"root", "user"}
	for _, user := range users {
		fmt.Fprintf(&b, " %-24s %-9s", user+" outside", user+" inside")
	}
	for i, a := range attacks {
		fmt.Fprintf(&b, "\n%-42s", a.name)
		for _, user := range users {
			r := row{Outside: "n/a: not root", Inside: "n/a"}
			if rows := columns[user]; rows != nil {
				r = rows[i]
			}
			fmt.Fprintf(&b, " %-24s %-9s", r.Outside, r.Inside)
		}
	}
	return b.String()
}

// ordinaryUser is nobody that the machine knows.
const ordinaryUser = 31337

// asUser runs a test in a process of an ordinary user.
func asUser(t *testing.T, test string, env func(base string) []string) {
	t.Helper()
	base, err := os.MkdirTemp(testBase(t), "user-") //nolint:usetesting // not in /tmp, which commands have to themselves
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	self := filepath.Join(base, "sandbox.test")
	copyExecutable(t, executable(t), self)
	if err := os.Chown(base, ordinaryUser, ordinaryUser); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+test+"$", "-test.timeout=60s")
	cmd.Dir = base
	cmd.Env = append(os.Environ(), "HOME="+base, "AGENTLS_TEST_BASE="+base, "AGENTLS_TEST_STAGE="+stagePath)
	cmd.Env = append(cmd.Env, env(base)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinaryUser, Gid: ordinaryUser}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("as an ordinary user: %v\n%s", err, out)
	}
}

// attacksAsUser runs attackAll in a process of an ordinary user.
func attacksAsUser(t *testing.T, kind sandbox.Kind) []row {
	t.Helper()
	report := ""
	var rows []row
	asUser(t, "TestAttack", func(base string) []string {
		report = filepath.Join(base, "report.json")
		return []string{"AGENTLS_ATTACK_REPORT=" + report, "AGENTLS_ATTACK_LEVEL=" + string(kind)}
	})
	b, err := os.ReadFile(report)
	if err == nil {
		err = json.Unmarshal(b, &rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func reportAttacks(t *testing.T, path string) {
	t.Helper()
	b, err := json.Marshal(attackAll(t, sandbox.Kind(os.Getenv("AGENTLS_ATTACK_LEVEL"))))
	if err == nil {
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// copyExecutable copies by another process: a file that this one has open for
// writing while it starts something can be busy for long.
func copyExecutable(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func executable(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

func attackAll(t *testing.T, kind sandbox.Kind) []row {
	t.Helper()
	f := newBattlefield(t, kind)
	var rows []row
	for _, a := range attacks {
		r := row{Attack: a.name}
		r.Outside, _ = f.judge(a, f.outside)
		r.Inside, r.Says = f.judge(a, f.inside)
		if r.Inside == byTheHost { // the sandbox is its host
			r.Inside = denied
		}
		rows = append(rows, r)
	}
	return rows
}

// A battlefield is a place with everything that is attacked.
type battlefield struct {
	*place
	targets  targets
	attacker string
	tcp, udp atomic.Int32 // what arrived
	unix     atomic.Int32
	streams  []net.Listener
	leak     *os.File // without close-on-exec
}

func newBattlefield(t *testing.T, kind sandbox.Kind) *battlefield {
	t.Helper()
	p := newPlace(t, map[string]string{"a.txt": "a\n"})
	p.opts.Level.Kind = kind
	p.opts.Masks = []string{p.root + "/.env", p.root + "/keys"}
	p.opts.Env = append(p.opts.Env, "AWS_SECRET_ACCESS_KEY="+secretText)
	f := &battlefield{place: p}
	out := filepath.Join(p.base, "outside")
	f.targets = targets{
		Root: p.root, Home: p.home, State: p.opts.State, File: out + "/file", Linked: out + "/linked", Secret: p.home + "/.ssh/id",
		Spare: p.base + "/spare", Tester: os.Getpid(), Abstract: "@" + filepath.Base(p.base),
		Sockets: []string{p.root + "/host.sock", p.home + "/host.sock", out + "/host.sock"},
		Mark:    "47." + strings.TrimPrefix(filepath.Base(p.base), "place-"),
	}
	p.mkdir(f.targets.Spare)
	p.mkdir(p.opts.State)
	p.git("init", "-q")
	p.write(f.targets.Secret, secretText)
	for link, to := range map[string]string{"outlink": f.targets.File, "outdir": out, "secret": f.targets.Secret} {
		if err := os.Symlink(to, filepath.Join(p.root, link)); err != nil {
			t.Fatal(err)
		}
	}
	f.attacker = filepath.Join(p.root, "attacker")
	copyExecutable(t, executable(t), f.attacker)
	f.listen()
	leak, err := unix.Open(f.targets.Secret, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.leak = os.NewFile(uintptr(leak), "leak")
	t.Cleanup(func() { _ = f.leak.Close() })
	return f
}

// reset makes the targets whole again.
func (f *battlefield) reset() {
	f.t.Helper()
	f.write(f.targets.File, "safe")
	f.write(f.targets.Linked, "safe")
	f.write(f.root+"/a.txt", "safe")
	f.write(f.root+"/.env", secretText)
	f.write(f.root+"/keys/key", secretText)
	for _, name := range []string{f.root + "/mine", f.root + "/hard", f.targets.State + "/attacked", f.home + "/.attacked", "/tmp/attacked-" + f.targets.Mark, f.root + "/.git/hooks/pre-commit"} {
		_ = os.Remove(name)
	}
	f.write(f.root+"/.git/config", "[core]\n\tbare = false\n")
	if err := os.Link(f.targets.Linked, f.root+"/hard"); err != nil {
		f.t.Fatal(err)
	}
	f.drain()
	f.tcp.Store(0)
	f.udp.Store(0)
	f.unix.Store(0)
}

// listen opens all that must not be reached.
func (f *battlefield) listen() {
	f.t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = udp.Close() })
	f.targets.TCP, f.targets.UDP = portOf(f.t, tcp.Addr()), portOf(f.t, udp.LocalAddr())
	f.count(tcp, &f.tcp)
	go func() {
		for b := make([]byte, 16); ; f.udp.Add(1) {
			if _, _, err := udp.ReadFrom(b); err != nil {
				return
			}
		}
	}()
	for _, name := range append(slices.Clone(f.targets.Sockets), f.targets.Abstract) {
		if name[0] == '/' {
			f.mkdir(filepath.Dir(name))
		}
		l, err := net.Listen("unix", name)
		if err != nil {
			f.t.Fatal(err)
		}
		f.count(l, &f.unix)
	}
}

func portOf(tb testing.TB, addr net.Addr) int {
	tb.Helper()
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		tb.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// drain waits until every connection that was made is counted: they are
// accepted in their order, and closed behind the count.
func (f *battlefield) drain() {
	f.t.Helper()
	for _, l := range f.streams {
		c, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err == nil {
			_, _ = io.ReadAll(c)
			err = c.Close()
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *battlefield) count(l net.Listener, n *atomic.Int32) {
	f.t.Cleanup(func() { _ = l.Close() })
	f.streams = append(f.streams, l)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			_ = c.Close()
		}
	}()
}

// judge carries out an attack and says whether it had an effect.
func (f *battlefield) judge(a attack, run func(argv []string) (code int, output string)) (verdict, string) {
	f.t.Helper()
	f.reset()
	victim, other := f.victim(), f.victim()
	defer f.bury(victim, other)
	f.targets.Victim, f.targets.Other = victim.Process.Pid, other.Process.Pid
	spec, err := json.Marshal(f.targets)
	if err != nil {
		f.t.Fatal(err)
	}
	code, output := run([]string{f.attacker, attackArg, a.name, string(spec)})
	says := output[:min(len(output), 300)]
	if code == exitHost {
		return byTheHost, says
	}
	if f.effect(a, code, output, other) {
		return succeeded, says
	}
	return denied, says
}

// effect reports whether something happened outside that must not, or the
// attacker got what it wanted.
func (f *battlefield) effect(a attack, code int, output string, other *exec.Cmd) bool {
	f.t.Helper()
	switch a.name {
	case "UDP": // a send always works
		return eventually(func() bool { return f.udp.Load() > 0 }, 200*time.Millisecond)
	case "signal":
		return eventually(func() bool { return isGone(other.Process.Pid) }, 100*time.Millisecond)
	case "daemon that stays":
		defer f.killDaemons()
		return len(f.daemons()) > 0
	case "output of 50 MB":
		return len(output) > 2*attackLimits.Output
	case "terminal escape codes":
		return strings.ContainsRune(output, '\x1b')
	}
	if strings.HasPrefix(a.name, "write:") || strings.HasPrefix(a.name, "git ") {
		return f.wasWritten()
	}
	return code == exitDone || f.tcp.Load()+f.unix.Load() > 0
}

func (f *battlefield) wasWritten() bool {
	for _, name := range []string{f.targets.State + "/attacked", f.home + "/.attacked", "/tmp/attacked-" + f.targets.Mark, f.root + "/.git/hooks/pre-commit"} {
		if _, err := os.Lstat(name); err == nil {
			return true
		}
	}
	return f.read(f.targets.File) != "safe" || f.read(f.root+"/a.txt") != "safe" || f.read(f.root+"/.env") != secretText || f.read(f.targets.Linked) != "safe" || strings.Contains(f.read(f.root+"/.git/config"), "attacked")
}

// victim starts a process of the same user.
func (f *battlefield) victim() *exec.Cmd {
	f.t.Helper()
	cmd := exec.Command("/bin/sleep", "60")
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	return cmd
}

func (f *battlefield) bury(victims ...*exec.Cmd) {
	for _, cmd := range victims {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

func isGone(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || bytes.Contains(b, []byte(") Z "))
}

func eventually(ok func() bool, within time.Duration) bool {
	for deadline := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// daemons returns the processes that an attack left.
func (f *battlefield) daemons() []int { return processesOf("sleep\x00" + f.targets.Mark) }

func (f *battlefield) killDaemons() {
	for _, pid := range f.daemons() {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// processesOf returns the processes whose command line holds mark.
func processesOf(mark string) []int {
	var pids []int
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range names {
		if b, err := os.ReadFile(name); err == nil && bytes.Contains(b, []byte(mark)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			pids = append(pids, pid)
		}
	}
	return pids
}

func (f *battlefield) outside(argv []string) (int, string) {
	f.t.Helper()
	cmd := exec.CommandContext(f.t.Context(), argv[0], argv[1:]...)
	cmd.Dir = f.root
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		f.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (f *battlefield) inside(argv []string) (int, string) {
	f.t.Helper()
	if f.opts.Level.Kind == sandbox.Copied {
		argv[0] = "./" + filepath.Base(f.attacker) // in the copy
	}
	res, err := f.sandbox().Run(f.t.Context(), sandbox.View{}, sandbox.Command{Argv: argv, Timeout: 20 * time.Second, Limits: attackLimits})
	if err != nil {
		f.t.Fatal(err)
	}
	if res.Stop != sandbox.StopNone {
		return exitDenied, "stopped for " + string(res.Stop) + "\n" + res.Output
	}
	if !slices.Contains([]int{exitDone, exitDenied, exitHost}, res.Code) {
		f.t.Errorf("the attack did not run: exit code %d\n%s", res.Code, res.Output)
	}
	return res.Code, res.Output
}
