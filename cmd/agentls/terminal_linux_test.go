package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns the user's side of a terminal, and the programs'.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	fd := int(keyboard.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return keyboard, terminal
}

// A session is a command with a user at its terminal.
type session struct {
	*exec.Cmd
	keyboard *os.File
	said     bytes.Buffer // so far, on stderr
	errors   io.Reader
}

// atTerminal starts agentls on a terminal where typed waits to be read.
func (u *user) atTerminal(typed string, args ...string) *session {
	u.t.Helper()
	keyboard, terminal := openTerminal(u.t)
	if _, err := keyboard.WriteString(typed); err != nil {
		u.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(u.t.Context(), time.Minute)
	u.t.Cleanup(cancel)
	s := &session{Cmd: u.command(ctx, args...), keyboard: keyboard}
	s.Stdin = terminal
	stderr, err := s.StderrPipe()
	if err == nil {
		s.errors = stderr
		err = s.Start()
	}
	if err != nil {
		u.t.Fatal(err)
	}
	return s
}

// until reads what the user is told, up to and with text.
func (s *session) until(t *testing.T, text string) {
	t.Helper()
	for piece := make([]byte, 1); !strings.HasSuffix(s.said.String(), text); {
		if _, err := s.errors.Read(piece); err != nil {
			t.Fatalf("%v after %q, not %q", err, s.said.String(), text)
		}
		s.said.Write(piece)
	}
}

// TestTypedTooEarly: a yes that was typed before the question is not its answer.
func TestTypedTooEarly(t *testing.T) {
	u := mathUser(t)
	u.model(shout)
	s := u.atTerminal("y\ny\ny\n", "run", "do it")
	s.until(t, "apply 2 hunks in 2 files? [y/N] ")
	if _, err := s.keyboard.WriteString("no\n"); err != nil {
		t.Fatal(err)
	}
	s.until(t, "kept as a proposal")
	if err := s.Wait(); err != nil || u.read("math.go") != mathGo {
		t.Error(err, u.read("math.go"))
	}
}

// TestInterruptedQuestion: Ctrl-C at the question, or a terminal that is closed,
// ends the command and keeps the proposal.
func TestInterruptedQuestion(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, unix.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			u := mathUser(t)
			u.model(shout)
			s := u.atTerminal("", "run", "do it")
			s.until(t, "[y/N] ")
			if err := s.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			s.until(t, "kept as a proposal")
			if err := s.Wait(); err == nil || s.ProcessState.ExitCode() != exitFailed || u.read("math.go") != mathGo {
				t.Error(err, u.read("math.go"))
			}
			u.run("changes", "list").want(t, 0, "do it")
		})
	}
}
