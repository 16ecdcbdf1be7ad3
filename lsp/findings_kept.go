package lsp

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
)

// What is kept of findings for later sessions, among the workspace's state.
const (
	findingsFile  = "findings.json"
	dismissedFile = "dismissed.json"
)

// keptFindings are the open findings as a file has them. A base is the file that
// was reviewed, by which a finding is placed in what that has become since; it
// is there once, however many findings it has.
type keptFindings struct {
	Findings []keptFinding     `json:"findings"`
	Bases    map[string][]byte `json:"bases"`
}

type keptFinding struct {
	agent.Finding
	Base string `json:"base"` // its key in Bases
}

// takeUp reads what earlier sessions left. Whoever asks for findings first has
// it done. Each is placed, or closed, when it is looked at.
func (f *findings) takeUp() {
	var kept keptFindings
	dismissed := map[string]bool{}
	f.readKept(findingsFile, &kept)
	f.readKept(dismissedFile, &dismissed)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dismissed = map[string]bool{}
	maps.Copy(f.dismissed, dismissed) // a file may say null
	for _, k := range kept.Findings {
		base, ok := kept.Bases[k.Base]
		if !ok || k.Priority < 0 || k.Priority > agent.MaxPriority || dismissed[k.Fingerprint] {
			continue
		}
		k.Finding.Base = base
		f.open = append(f.open, k.Finding)
	}
}

func (f *findings) readKept(name string, into any) {
	raw, err := os.ReadFile(filepath.Join(f.server.home.State, name))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		f.server.Log.Warn("what is kept of findings was not read", "file", name, "err", err)
	}
}

// save keeps what is open and what was dismissed.
func (f *findings) save() error {
	f.saving.Lock()
	defer f.saving.Unlock()
	f.mu.Lock()
	open, dismissed := slices.Clone(f.open), maps.Clone(f.dismissed)
	f.mu.Unlock()
	kept := keptFindings{Findings: []keptFinding{}, Bases: map[string][]byte{}}
	for i := range open {
		key := text.HashOf(open[i].Base).String()
		kept.Bases[key] = open[i].Base
		kept.Findings = append(kept.Findings, keptFinding{open[i], key})
	}
	return errors.Join(f.write(findingsFile, kept), f.write(dismissedFile, dismissed))
}

func (f *findings) write(name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = f.server.keep("", name, raw)
	return err
}

// trySave is save where nobody waits for it: the findings are there all the same.
func (f *findings) trySave() {
	if err := f.save(); err != nil {
		f.server.Log.Warn("findings not kept", "err", err)
	}
}
