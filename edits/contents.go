package edits

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What follows an entry's ID in the names of the files beside the database:
// its change, and what an undo or redo is about to do.
const (
	changeSuffix = ".change"
	turnSuffix   = ".turn"
)

func (d *database) contents(name string) string { return filepath.Join(d.dir, "contents", name) }

// stepName returns the file that holds the step of the intent of rec.
func (rec *record) stepName() string {
	if rec.Intent.Kind == applying {
		return rec.ID + changeSuffix // the step is the change
	}
	return rec.ID + turnSuffix
}

// change returns the change of an entry, with the states of its hunks.
func (d *database) change(rec *record) (*ChangeSet, error) {
	cs, err := d.readContents(rec.ID + changeSuffix)
	if err != nil {
		return nil, err
	}
	rec.mark(cs)
	return cs, nil
}

// contentsHeader is the first line of a contents file. The contents of the
// files before the change follow it, one after the other.
type contentsHeader struct {
	Change *ChangeSet `json:"change"`
	Sizes  []int      `json:"sizes"` // bytes, of each file
}

// writeContents brings cs to the disk.
func (d *database) writeContents(name string, cs *ChangeSet) error {
	if !isFileName(name) {
		return fmt.Errorf("the entry ID %q cannot be the name of a file", name)
	}
	header := contentsHeader{Change: cs.Clone()}
	parts := [][]byte{nil} // the header, then each content
	for i := range header.Change.Files {
		f := &header.Change.Files[i]
		parts = append(parts, f.Before)
		header.Sizes = append(header.Sizes, len(f.Before))
		f.Before = nil
	}
	line, err := json.Marshal(header)
	if err != nil {
		return err
	}
	dir := filepath.Join(d.dir, "contents")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	parts[0] = append(line, '\n')
	if err := writeOwn(d.contents(name), dir, parts...); err != nil {
		return err
	}
	return syncFolder(dir)
}

// readContents reads what writeContents wrote.
func (d *database) readContents(name string) (*ChangeSet, error) {
	raw, err := os.ReadFile(d.contents(name))
	if err != nil {
		return nil, err
	}
	line, body, _ := bytes.Cut(raw, []byte("\n"))
	var header contentsHeader
	if err := json.Unmarshal(line, &header); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errDamaged, name, err)
	}
	cs := header.Change
	if cs == nil || len(header.Sizes) != len(cs.Files) {
		return nil, fmt.Errorf("%w: %s", errDamaged, name)
	}
	for i, size := range header.Sizes {
		if size < 0 || size > len(body) {
			return nil, fmt.Errorf("%w: %s is cut off", errDamaged, name)
		}
		if cs.Files[i].Op != Create {
			cs.Files[i].Before = body[:size:size]
		}
		body = body[size:]
	}
	if err := cs.Check(); err != nil {
		return nil, errors.Join(errDamaged, err)
	}
	return cs, nil
}

// removeContents removes the files of an entry.
func (d *database) removeContents(id string) {
	for _, suffix := range []string{changeSuffix, turnSuffix} {
		_ = remove(d.contents(id + suffix)) // the next recovery sweeps
	}
}

// sweepContents removes the files of entries that there are none of: a crash
// left them.
func (d *database) sweepContents() {
	if damaged, err := filepath.Glob(filepath.Join(d.dir, "*"+damagedSuffix+"*")); err != nil || len(damaged) > 0 {
		return // what a damaged journal knew of may still be wanted
	}
	found, err := os.ReadDir(filepath.Join(d.dir, "contents"))
	if err != nil {
		return // nothing to sweep
	}
	for _, file := range found {
		id := strings.TrimSuffix(strings.TrimSuffix(file.Name(), changeSuffix), turnSuffix)
		if _, err := d.record(id); errors.Is(err, ErrNoEntry) {
			_ = remove(d.contents(file.Name())) // only litter
		}
	}
}

// isFileName reports whether name can stand for a file in a folder of ours.
func isFileName(name string) bool {
	ok := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)
	}
	return name != "" && len(name) <= 200 && name[0] != '.' && strings.TrimLeftFunc(name, ok) == ""
}
