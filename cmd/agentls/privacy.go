package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
)

// gate returns the privacy gate of this user. What any of sources withholds is
// withheld.
func (a *app) gate(sources ...settings) *agent.Gate {
	g := &agent.Gate{Key: gateKey(), Record: a.recordWithheld}
	for _, s := range sources {
		g.Withhold = append(g.Withhold, s.Withhold...)
	}
	return g
}

const gateKeySize = 32 // bytes

// gateKey returns the key of placeholders. It is kept, so that a conversation
// that goes on has the same ones; where it cannot be, it lasts as long as the
// process.
var gateKey = sync.OnceValue(func() []byte {
	path := filepath.Join(stateDir(), "gate.key")
	if key, err := os.ReadFile(path); err == nil && len(key) == gateKeySize {
		return key
	}
	key := make([]byte, gateKeySize)
	_, _ = rand.Read(key) // it does not fail (crypto/rand)
	if err := os.MkdirAll(stateDir(), 0o700); err != nil {
		return key
	}
	tmp := path + "." + newID()
	if os.WriteFile(tmp, key, 0o600) != nil {
		return key
	}
	defer os.Remove(tmp) //nolint:errcheck // our own temporary file
	if err := os.Link(tmp, path); err == nil {
		return key
	}
	if kept, err := os.ReadFile(path); err == nil && len(kept) == gateKeySize {
		return kept // another process was faster
	}
	return key
})

// A withheld entry is a line of the privacy log. It never has a secret.
type withheld struct {
	Time time.Time `json:"time"`
	agent.Withholding
}

// A privacyLog is the file of what was kept from models and services.
type privacyLog struct {
	mu sync.Mutex // one writer at a time
}

// maxPrivacyLog is how long the log may be, in bytes; one older file of that
// size is kept.
const maxPrivacyLog = 1 << 20

func privacyLogFile() string { return filepath.Join(stateDir(), "privacy.jsonl") }

// recordWithheld adds w to the log. Not being able to is no reason to stop a
// run.
func (a *app) recordWithheld(w agent.Withholding) {
	a.privacy.mu.Lock()
	defer a.privacy.mu.Unlock()
	if err := appendWithheld(privacyLogFile(), withheld{time.Now().UTC().Truncate(time.Second), w}); err != nil {
		a.log().Warn("privacy log not written", "err", err)
	}
}

func appendWithheld(path string, w withheld) error {
	line, err := json.Marshal(w)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if stat, err := os.Stat(path); err == nil && stat.Size() > maxPrivacyLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}

// readWithheld returns what the log says, the oldest first.
func readWithheld(path string) ([]withheld, error) {
	entries := []withheld{}
	for _, name := range []string{path + ".1", path} {
		file, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			var w withheld
			if json.Unmarshal(lines.Bytes(), &w) == nil { // else a line that was cut off
				entries = append(entries, w)
			}
		}
		if err := errors.Join(lines.Err(), file.Close()); err != nil {
			return nil, fmt.Errorf("read the privacy log: %w", err)
		}
	}
	return entries, nil
}

func (a *app) privacyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "privacy",
		Short: "What was kept from models and task services",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "log",
		Short:   "List what was kept back: when, by which rule, of which file, how often; never the secret",
		Example: `  agentls privacy log --json`,
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := readWithheld(privacyLogFile())
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, entries)
			}
			for _, w := range entries {
				path := w.Path
				if path == "" {
					path = "(no file)"
				}
				cmd.Printf("%s  %3d  %-24s %s\n", w.Time.Local().Format(time.DateTime), w.Count, plain(w.Rule), plain(path))
			}
			if len(entries) == 0 {
				cmd.Println("nothing was kept back")
			}
			return nil
		},
	})
	return cmd
}
