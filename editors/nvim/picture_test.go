//go:build picture

package nvim_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/agentls/agentls/editors/nvimtest"
)

// TestPictures walks test/picture.lua in a terminal on a screen of its own and
// takes a picture wherever that waits for one, into AGENTLS_PICTURES.
// picture.sh runs it.
func TestPictures(t *testing.T) {
	nvims, err := nvimtest.Find()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d := newDesk(t, "picture")
	d.env = append(d.env, "AGENTLS_TEST=picture.lua", "AGENTLS_PROBLEM="+filepath.Join(d.home, "problem"),
		"DISPLAY="+startScreen(ctx, t), "COLORTERM=truecolor")
	ended := d.startTerminal(ctx, t, nvims[0])
	for taken := 0; ; {
		select {
		case <-ended:
			problem, err := os.ReadFile(filepath.Join(d.home, "problem"))
			if err == nil {
				t.Fatalf("%s", problem)
			}
			if taken < 4 {
				t.Fatalf("%d pictures were taken", taken)
			}
			return
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		case <-time.After(50 * time.Millisecond):
			taken += d.takePictures(ctx, t)
		}
	}
}

// startScreen starts an X server and returns its display.
func startScreen(ctx context.Context, t *testing.T) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close() //nolint:errcheck // only read
	screen := exec.CommandContext(ctx, "Xvfb", "-displayfd", "3", "-screen", "0", "1400x900x24", "-nolisten", "tcp")
	screen.ExtraFiles = []*os.File{write}
	if err := screen.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Wait() }) // it ends with ctx
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	number, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return ":" + strings.TrimSpace(number)
}

// startTerminal starts Neovim in a terminal; the channel is closed when it
// ended. What went wrong is then in the file problem.
func (d *desk) startTerminal(ctx context.Context, t *testing.T, nvim string) <-chan struct{} {
	t.Helper()
	terminal := exec.CommandContext(ctx, "xterm", "-T", "agentls", "-fa", "DejaVu Sans Mono", "-fs", "10",
		"-geometry", "124x32+0+0", "-b", "4", "-bg", "#14161b", "-fg", "#e0e2ea", "-e",
		nvim, "--clean", "-n", "-i", "NONE",
		"--cmd", "set runtimepath^=$AGENTLS_PLUGIN", "--cmd", "luafile $AGENTLS_PLUGIN/test/begin.lua")
	terminal.Dir, terminal.Env, terminal.Stderr = d.dir, d.env, os.Stderr
	if err := terminal.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = terminal.Wait() // see problem
	}()
	return ended
}

// takePictures takes the picture that Neovim waits for: it wrote NAME.ready
// and goes on when that is gone. It returns how many it took.
func (d *desk) takePictures(ctx context.Context, t *testing.T) int {
	t.Helper()
	waiting, err := filepath.Glob(filepath.Join(d.home, "*.ready"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range waiting {
		name := strings.TrimSuffix(filepath.Base(path), ".ready")
		shot := exec.CommandContext(ctx, "import", "-window", "agentls", "-colors", "64", "-strip",
			"PNG8:"+filepath.Join(os.Getenv("AGENTLS_PICTURES"), name+".png"))
		shot.Env = d.env
		if out, err := shot.CombinedOutput(); err != nil {
			t.Fatalf("import: %v\n%s", err, out)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	return len(waiting)
}
