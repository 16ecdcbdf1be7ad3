package permissions_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/permissions"
)

func store(t *testing.T) (s *permissions.Store, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state", "permissions.jsonl")
	return permissions.Open(path, func() time.Time { return time.Unix(0, 0) }), path
}

// TestPermit: what was granted for the workspace is not asked for again: that
// command, there, for that purpose, and no other.
func TestPermit(t *testing.T) {
	s, _ := store(t)
	asked := 0
	grant := agent.ForWorkspace
	permit := s.Permit(func(context.Context, agent.Permission) (agent.Grant, error) { asked++; return grant, nil })
	check := func(p agent.Permission, want agent.Grant, wantAsked int) {
		t.Helper()
		got, err := permit(t.Context(), p)
		if got != want || err != nil || asked != wantAsked {
			t.Errorf("%+v: %v, %v, asked %d times", p, got, err, asked)
		}
	}
	fetch := agent.Permission{Kind: agent.Network, Command: "npm ci"}
	check(fetch, agent.ForWorkspace, 1)
	check(fetch, agent.Once, 1)
	grant = agent.Refused
	for _, other := range []agent.Permission{
		{Kind: agent.Unconfined, Command: "npm ci"}, {Kind: agent.Network, Command: "npm ci; true"}, {Kind: agent.Network, Command: "npm ci", Dir: "/ws/sub"},
	} {
		check(other, agent.Refused, asked+1)
	}
	if revoked, err := s.Revoke(1); err != nil || len(revoked) != 1 {
		t.Fatal(revoked, err)
	}
	check(fetch, agent.Refused, asked+1)
	if _, err := s.Revoke(1); !errors.Is(err, permissions.ErrNone) {
		t.Errorf("revoked twice: %v", err)
	}
}

// TestHalfALine: what a process that was killed left grants nothing, and spoils
// nothing.
// TestLongLine: a command of any length is kept, and what is none is not.
func TestLongLine(t *testing.T) {
	s, path := store(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("null\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 1<<20)
	if err := s.Keep(agent.Permission{Kind: agent.Verify, Command: long}); err != nil {
		t.Fatal(err)
	}
	got, err := s.List()
	if err != nil || len(got) != 1 || got[0].Command != long {
		t.Errorf("%d are kept: %v", len(got), err)
	}
}

func TestHalfALine(t *testing.T) {
	s, path := store(t)
	p := agent.Permission{Kind: agent.Network, Command: "a"}
	if err := s.Keep(p); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"kind":"network","comm`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	p.Command = "b"
	if err := s.Keep(p); err != nil {
		t.Fatal(err)
	}
	got, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, k := range got {
		commands = append(commands, k.Command)
	}
	if diff := cmp.Diff([]string{"a", "b"}, commands); diff != "" {
		t.Error(diff)
	}
	if _, err := s.Revoke(0); err != nil {
		t.Fatal(err)
	}
	if got, err := s.List(); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}
