package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// A Draft is the copy-on-write view that a run works in: a snapshot and what
// was changed since. Reads see the changes; nothing else does, until the draft
// becomes a change set. It belongs to the goroutine of its run.
type Draft struct {
	snap    *index.Snapshot
	gate    *Gate
	confine func(name string) (string, error)
	base    *index.Snapshot      // what the change set is made from; snap, but for a run that goes on
	changed map[string]draftFile // by absolute path
	shown   []string             // files whose content the present tool puts out
	images  []Image              // that it shows

	now   *index.Snapshot // snap with all changes but those of fresh
	fresh map[string]bool // changed since now was made

	leftOut map[string]string // path to why: what a change set lists only
}

// A draftFile is a file as the draft has it.
type draftFile struct {
	content    []byte
	mode       fs.FileMode // permission bits; 0 keeps what is there
	was        fs.FileMode // permission bits before; 0: not known, or not changed
	gone       bool
	from       string // the path of its base, where it was renamed
	overwrites bool   // a file was there that nobody had read
}

var _ edits.Source = (*Draft)(nil)

// NewDraft returns a draft without changes over snap. Its names are confined
// to the roots of snap, and its files to what gate lets through.
func NewDraft(snap *index.Snapshot, gate *Gate) *Draft {
	return &Draft{
		snap: snap, base: snap, gate: gate.In(context.Background(), snap), confine: edits.Confine(snap.Roots()), changed: map[string]draftFile{},
		now: snap, fresh: map[string]bool{}, leftOut: map[string]string{},
	}
}

// Snapshot returns what the draft began with.
func (d *Draft) Snapshot() *index.Snapshot { return d.snap }

// Now returns the workspace as the draft has it. The draft may go on: what is
// returned never changes.
func (d *Draft) Now() *index.Snapshot {
	if len(d.fresh) == 0 {
		return d.now
	}
	replaced := make([]index.Replacement, 0, len(d.fresh))
	for path := range d.fresh {
		f := d.changed[path]
		replaced = append(replaced, index.Replacement{Path: path, Content: f.content, Gone: f.gone})
	}
	d.now = d.now.With(replaced...)
	clear(d.fresh)
	return d.now
}

// LeaveOut notes that path was to change and cannot be part of the draft: the
// change set lists it, with the reason, until the draft has something there.
func (d *Draft) LeaveOut(path, why string) { d.leftOut[path] = why }

// set makes f what the draft has at path.
func (d *Draft) set(path string, f draftFile) {
	d.changed[path], d.fresh[path] = f, true
	delete(d.leftOut, path)
}

// Gate returns what keeps files of the draft from models.
func (d *Draft) Gate() *Gate { return d.gate }

// ReadFile returns the content of path as the draft has it. The bytes belong
// to the draft. The errors are those of index.Snapshot.ReadFile.
func (d *Draft) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if f, ok := d.changed[path]; ok {
		if f.gone {
			return nil, fmt.Errorf("read %s: %w", path, fs.ErrNotExist)
		}
		return f.content, nil
	}
	return d.snap.ReadFile(ctx, path)
}

// Base returns what the draft began with at path. A folder is no file, nor is
// what a file is in the place of: the error is fs.ErrNotExist for both.
func (d *Draft) Base(ctx context.Context, path string) ([]byte, error) {
	content, err := d.base.ReadFile(ctx, path)
	if err == nil {
		return content, nil
	}
	stat, statErr := os.Stat(path)
	if errors.Is(statErr, syscall.ENOTDIR) || statErr == nil && stat.IsDir() {
		err = fmt.Errorf("read %s: %w", path, fs.ErrNotExist)
	}
	return nil, err
}

// Write gives the file at path, which is absolute, a content that the draft
// keeps. Mode 0 keeps the permission bits there are.
func (d *Draft) Write(path string, content []byte, mode fs.FileMode) {
	f := d.changed[path]
	f.content, f.gone = content, false
	if mode != 0 {
		f.mode = mode
	}
	d.set(path, f)
}

// Move takes the file at path from to path to, where it has a content that the
// draft keeps. Both are absolute.
func (d *Draft) Move(from, to string, content []byte) {
	f := d.changed[from]
	d.Remove(from)
	f.content, f.gone, f.overwrites = content, false, false
	if f.from == "" {
		f.from = from
	}
	d.set(to, f)
}

// SetMode changes the permission bits of a file that the draft has written,
// from what they were.
func (d *Draft) SetMode(path string, was, mode fs.FileMode) {
	f, ok := d.changed[path]
	if !ok || was == mode {
		return
	}
	if f.was == 0 {
		f.was = was
	}
	f.mode = mode
	d.changed[path] = f
}

// Remove takes the file at path, which is absolute, out of the draft.
func (d *Draft) Remove(path string) { d.set(path, draftFile{gone: true}) }

// Changed returns the paths that were written or removed, in order, also those
// that are as they were by now.
func (d *Draft) Changed() []string { return slices.Sorted(maps.Keys(d.changed)) }

// Apply makes the changes of a patch in the V4A format, all or none, and
// returns what they were. The error says which section failed, and why.
func (d *Draft) Apply(ctx context.Context, patch string) ([]edits.FileEdit, error) {
	parsed, err := edits.ParsePatch(patch)
	if err != nil {
		return nil, err
	}
	made, err := parsed.Apply(ctx, d, d.resolvePlain)
	if err != nil {
		return nil, err
	}
	for _, e := range made {
		d.record(e)
	}
	return made, nil
}

func (d *Draft) record(e edits.FileEdit) {
	switch e.Op {
	case edits.Delete:
		d.Remove(e.Path)
	case edits.Rename:
		d.Move(e.Path, e.To, e.Content)
		if e.Overwrote {
			f := d.changed[e.To]
			f.overwrites = true
			d.changed[e.To] = f
		}
	default:
		d.Write(e.Path, e.Content, 0)
		if e.Overwrote {
			f := d.changed[e.Path]
			f.overwrites = true
			d.changed[e.Path] = f
		}
	}
}

// Show notes that the output of the tool that runs now carries content of
// path, for the gate.
func (d *Draft) Show(path string) {
	if slices.Contains(d.shown, path) {
		return
	}
	d.shown = append(d.shown, path)
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		d.shown = append(d.shown, target)
	}
}

// takeShown returns what Show noted since the last time.
func (d *Draft) takeShown() []string {
	shown := d.shown
	d.shown = nil
	return shown
}

// takeImages returns the images that were shown since the last time.
func (d *Draft) takeImages() []Image {
	images := d.images
	d.images = nil
	return images
}

// Resolve returns the absolute path of a file or folder by the name that a
// model gave it: relative to the root; behind the root's name where there are
// several. The error, of names outside and of files that are withheld, is for
// the model.
func (d *Draft) Resolve(name string) (string, error) {
	path, err := d.locate(name)
	if err != nil {
		return "", err
	}
	if rule, ok := d.Withheld(path); ok {
		d.gate.record(Withholding{Rule: rule, Path: path, Count: 1})
		return "", fmt.Errorf("%s is %w by the deny list (%s)", name, ErrWithheld, rule)
	}
	return path, nil
}

// resolvePlain is Resolve for a file that is to be proposed.
func (d *Draft) resolvePlain(name string) (string, error) {
	if !IsPlain(name) {
		return "", fmt.Errorf("%q is no plain text, and cannot be proposed as a name", name)
	}
	return d.Resolve(name)
}

// IsPlain reports whether a name can be in a diff and in a document's address
// as it is, and reads as what it is.
func IsPlain(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, isControl)
}

// isControl reports whether r does something else than show.
func isControl(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Bidi_Control) }

const maxName = 4096 // bytes of a path, as on Linux

func (d *Draft) locate(name string) (string, error) {
	roots := d.snap.Roots()
	switch {
	case name == "":
		return "", errors.New("an empty path")
	case len(name) > maxName:
		return "", fmt.Errorf("%s: a path of %d bytes, and there are none of more than %d", abbreviate(name, 100), len(name), maxName)
	}
	if filepath.IsAbs(name) {
		return d.inside(name, name)
	}
	if len(roots) == 1 {
		return d.inside(filepath.Join(roots[0], name), name)
	}
	first, rest, _ := strings.Cut(filepath.ToSlash(filepath.Clean(name)), "/")
	for _, root := range roots {
		if filepath.Base(root) == first {
			return d.inside(filepath.Join(root, filepath.FromSlash(rest)), name)
		}
	}
	return "", fmt.Errorf("%s names no root of the workspace: begin with one of %s", name, strings.Join(rootNames(roots), ", "))
}

// inside returns path, with its links resolved, if it lies in a root or is
// one. Name is what the model called it: its errors tell no more than that.
func (d *Draft) inside(path, name string) (string, error) {
	if path = filepath.Clean(path); slices.Contains(d.snap.Roots(), path) {
		return path, nil
	}
	confined, err := d.confine(path)
	if refused := edits.ErrOutside; errors.As(err, &refused) {
		return "", fmt.Errorf("%s: %w", name, refused)
	}
	if unusable := (*fs.PathError)(nil); errors.As(err, &unusable) {
		return "", fmt.Errorf("%s: %w", abbreviate(name, 200), unusable.Err)
	}
	return confined, err
}

func rootNames(roots []string) []string {
	names := make([]string, len(roots))
	for i, root := range roots {
		names[i] = filepath.Base(root) + "/"
	}
	return names
}

// Withheld is Gate.Withheld for path and for what it links to.
func (d *Draft) Withheld(path string) (rule string, ok bool) {
	if rule, ok := d.gate.Withheld(path); ok {
		return rule, true
	}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		return d.gate.Withheld(target)
	}
	return "", false
}

// ChangeSet returns what the draft changed, by path, each file from its
// content in the snapshot; nil if nothing. A file that is as it was is no
// change, and one that is no text is left out. The error names a file whose
// content before cannot be read.
func (d *Draft) ChangeSet(ctx context.Context, id, title string) (*edits.ChangeSet, error) {
	cs := &edits.ChangeSet{ID: id, Title: title}
	renamed := d.renames(ctx)
	for _, path := range d.Changed() {
		if d.movedOn(path, renamed) {
			continue
		}
		change, err := d.fileChange(ctx, path, renamed[path])
		switch {
		case errors.Is(err, edits.ErrNoChange), errors.Is(err, errNeverThere):
			continue
		case errors.Is(err, text.ErrBinary), errors.Is(err, text.ErrNotUTF8):
			d.leftOut[path] = "it is no text, or was none"
			continue
		case err != nil:
			return nil, fmt.Errorf("propose change: %w", err)
		}
		change.Overwrites = d.changed[path].overwrites && change.Op == edits.Modify
		cs.Files = append(cs.Files, change)
	}
	if len(cs.Files) == 0 {
		return nil, nil
	}
	for _, path := range slices.Sorted(maps.Keys(d.leftOut)) {
		cs.LeftOut = append(cs.LeftOut, edits.LeftOut{Path: path, Why: d.leftOut[path]})
	}
	return cs, nil
}

var errNeverThere = errors.New("neither there before nor after")

// renames returns the base of each file that is proposed as a renaming: it was
// moved, from a path where nothing is any more to one where nothing was.
func (d *Draft) renames(ctx context.Context) map[string]string {
	renamed := map[string]string{}
	taken := map[string]bool{}
	for _, path := range d.Changed() {
		f := d.changed[path]
		if f.gone || f.from == "" || f.from == path || taken[f.from] || !d.changed[f.from].gone {
			continue
		}
		if _, err := d.Base(ctx, path); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if _, err := d.Base(ctx, f.from); err == nil {
			renamed[path], taken[f.from] = f.from, true
		}
	}
	return renamed
}

// movedOn reports whether path is the old path of a renaming.
func (d *Draft) movedOn(path string, renamed map[string]string) bool {
	for _, from := range renamed {
		if from == path {
			return true
		}
	}
	return false
}

func (d *Draft) fileChange(ctx context.Context, path, from string) (edits.FileChange, error) {
	f := d.changed[path]
	if from != "" {
		before, err := d.Base(ctx, from)
		if err != nil {
			return edits.FileChange{}, err
		}
		change, err := edits.NewRename(from, path, before, f.content)
		change.Mode = f.mode
		return change, err
	}
	before, err := d.Base(ctx, path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !missing:
		return edits.FileChange{}, err
	case missing && f.gone:
		return edits.FileChange{}, errNeverThere
	case missing:
		return edits.NewCreate(path, f.content, f.mode)
	case f.gone:
		return edits.NewDelete(path, before)
	}
	change, err := edits.NewModify(path, before, f.content)
	if errors.Is(err, edits.ErrNoChange) && f.was != 0 {
		return edits.NewModeChange(path, before, f.was, f.mode)
	}
	change.Mode, change.Was = f.mode, f.was
	return change, err
}
