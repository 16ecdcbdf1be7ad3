// Package permissions keeps what a user granted the agent's commands in a
// workspace, until they revoke it.
//
// Invariant: a grant is for one command line as it was shown, and is kept
// outside the workspace: no file of that can grant anything.
package permissions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/agentls/agentls/agent"
)

// A Kept permission is one that was granted for the workspace.
type Kept struct {
	Kind    agent.PermissionKind `json:"kind"`
	Command string               `json:"command"`
	Dir     string               `json:"dir,omitempty"`  // as Permission.Dir
	Path    string               `json:"path,omitempty"` // as Permission.Path
	Granted time.Time            `json:"granted,omitzero"`
	Revoked bool                 `json:"revoked,omitempty"` // a line of the file that takes an earlier one back
}

func (k *Kept) isOf(kind agent.PermissionKind, command, dir, path string) bool {
	return k.Kind == kind && k.Command == command && k.Dir == dir && k.Path == path
}

// ErrNone is returned for a permission that is not kept.
var ErrNone = errors.New("no such permission is kept")

// A Store keeps the permissions of one workspace, in a file that only grows.
// Several processes may use it.
type Store struct {
	path string
	now  func() time.Time
}

// Open returns the store in the file at path, which is made when first needed.
func Open(path string, now func() time.Time) *Store { return &Store{path: path, now: now} }

// List returns what is kept, in the order in which it was granted.
func (s *Store) List() ([]Kept, error) {
	content, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read permissions: %w", err)
	}
	var out []Kept
	for line := range bytes.Lines(content) {
		var k Kept
		if json.Unmarshal(line, &k) != nil || k.Command == "" {
			continue // half a line, of a process that was killed: it grants nothing
		}
		out = slices.DeleteFunc(out, func(other Kept) bool { return other.isOf(k.Kind, k.Command, k.Dir, k.Path) })
		if !k.Revoked {
			out = append(out, k)
		}
	}
	return out, nil
}

// Keep grants p until it is revoked.
func (s *Store) Keep(p agent.Permission) error {
	return s.write(Kept{Kind: p.Kind, Command: p.Command, Dir: p.Dir, Path: p.Path, Granted: s.now().UTC()})
}

// Revoke takes back what List has as number n, from 1; 0 is all of it.
func (s *Store) Revoke(n int) (revoked []Kept, err error) {
	kept, err := s.List()
	switch {
	case err != nil:
		return nil, err
	case n < 0 || n > len(kept):
		return nil, fmt.Errorf("%w: there are %d", ErrNone, len(kept))
	case n > 0:
		kept = kept[n-1 : n]
	}
	for i := range kept {
		kept[i].Revoked = true
		if err := s.write(kept[i]); err != nil {
			return revoked, err
		}
		revoked = append(revoked, kept[i])
	}
	return revoked, nil
}

func (s *Store) write(k Kept) error {
	line, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("keep permission: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("keep permission: %w", err)
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("keep permission: %w", err)
	}
	// The line ending in front ends what a killed process left half written.
	_, err = f.Write(slices.Concat([]byte("\n"), line, []byte("\n")))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("keep permission: %w", err)
	}
	return nil
}

// KeepChecks has commands check every change of the workspace. The error says
// which is none; then none was kept.
func (s *Store) KeepChecks(lines []string) error {
	for _, line := range lines {
		if !agent.IsCommandLine(line) {
			return fmt.Errorf("%q is no command", line)
		}
	}
	for _, line := range lines {
		if err := s.Keep(agent.Permission{Kind: agent.Verify, Command: line}); err != nil {
			return err
		}
	}
	return nil
}

// VerifyWith returns the commands that are to check every change of the workspace,
// in the order in which the user chose them.
func (s *Store) VerifyWith() ([]string, error) {
	kept, err := s.List()
	var lines []string
	for i := range kept {
		if kept[i].Kind == agent.Verify {
			lines = append(lines, kept[i].Command)
		}
	}
	return lines, err
}

// Permit returns a Permit that asks only for what is not kept, and keeps what is
// granted for the workspace.
func (s *Store) Permit(ask agent.Permit) agent.Permit {
	return func(ctx context.Context, p agent.Permission) (agent.Grant, error) {
		kept, err := s.List()
		if err != nil {
			return agent.Refused, err
		}
		if slices.ContainsFunc(kept, func(k Kept) bool { return k.isOf(p.Kind, p.Command, p.Dir, p.Path) }) {
			return agent.Once, nil
		}
		grant, err := ask(ctx, p)
		if err == nil && grant == agent.ForWorkspace {
			err = s.Keep(p)
		}
		return grant, err
	}
}
