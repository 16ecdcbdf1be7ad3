package edits

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNoProposal is returned for an ID that no proposal has.
var ErrNoProposal = errors.New("no such proposal")

const proposalSuffix = ".json"

// Proposals keeps the change sets that wait for the user, one file each, in a
// folder. Several processes may use it.
type Proposals struct {
	dir string
}

// OpenProposals returns the proposals in dir, which is made when first needed.
func OpenProposals(dir string) *Proposals { return &Proposals{dir: dir} }

// Save keeps cs under its ID, of letters, digits, '-', '_' and '.'; what was
// there before is replaced at once or not at all.
func (p *Proposals) Save(cs *ChangeSet) error {
	path, err := p.path(cs.ID)
	if err != nil {
		return err
	}
	if err := cs.Check(); err != nil {
		return fmt.Errorf("save proposal %s: %w", cs.ID, err)
	}
	raw, err := json.Marshal(cs)
	if err != nil {
		return fmt.Errorf("save proposal %s: %w", cs.ID, err)
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return fmt.Errorf("save proposal %s: %w", cs.ID, err)
	}
	if err := writeOwn(path, p.dir, raw); err != nil {
		return fmt.Errorf("save proposal %s: %w", cs.ID, err)
	}
	return nil
}

func (p *Proposals) path(id string) (string, error) {
	if !isFileName(id) {
		return "", fmt.Errorf("proposal %q: an ID is made of letters, digits, '-', '_' and '.': %w", id, ErrNoProposal)
	}
	return filepath.Join(p.dir, id+proposalSuffix), nil
}

// Load returns the proposal id. The error is ErrNoProposal if there is none.
func (p *Proposals) Load(id string) (*ChangeSet, error) {
	path, err := p.path(id)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("proposal %s: %w", id, ErrNoProposal)
	}
	if err != nil {
		return nil, fmt.Errorf("load proposal %s: %w", id, err)
	}
	cs := &ChangeSet{}
	if err := json.Unmarshal(raw, cs); err != nil {
		return nil, fmt.Errorf("load proposal %s: %s is damaged: %w", id, path, err)
	}
	if cs.ID != id {
		return nil, fmt.Errorf("load proposal %s: %s is damaged: it holds %q", id, path, cs.ID)
	}
	if err := cs.Check(); err != nil {
		return nil, fmt.Errorf("load proposal %s: %s is damaged: %w", id, path, err)
	}
	return cs, nil
}

// List returns all proposals, the one saved last at the end. Damaged ones are left
// out; the error names them, and comes with the rest.
func (p *Proposals) List() ([]*ChangeSet, error) {
	files, err := os.ReadDir(p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list proposals: %w", err)
	}
	slices.SortStableFunc(files, func(a, b fs.DirEntry) int { return cmp.Compare(savedAt(a), savedAt(b)) })
	var out []*ChangeSet
	var damaged []error
	for _, file := range files {
		id, ok := strings.CutSuffix(file.Name(), proposalSuffix)
		if !ok || !isFileName(id) {
			continue
		}
		cs, err := p.Load(id)
		switch {
		case errors.Is(err, ErrNoProposal): // removed in between
		case err != nil:
			damaged = append(damaged, err)
		default:
			out = append(out, cs)
		}
	}
	return out, errors.Join(damaged...)
}

// savedAt returns when a file was written, in nanoseconds.
func savedAt(file fs.DirEntry) int64 {
	stat, err := file.Info()
	if err != nil {
		return 0
	}
	return stat.ModTime().UnixNano()
}

// Remove forgets the proposal id. That there is none is no error.
func (p *Proposals) Remove(id string) error {
	path, err := p.path(id)
	if err != nil {
		return err
	}
	if err := remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove proposal %s: %w", id, err)
	}
	return nil
}
