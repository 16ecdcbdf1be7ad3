package edits

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits/text"
)

// A FileEdit is what a patch leaves of one file.
type FileEdit struct {
	Op        Op
	Path      string // absolute and clean
	To        string // of a Rename
	Before    []byte // the content the patch found; nil for a Create
	Content   []byte // the content it leaves; nil for a Delete
	Overwrote bool   // a whole file took the place of another
}

// Apply makes the sections of p in order and returns what became of each file
// they touched, one FileEdit per file, in the order of first touch; a file
// that is as before is left out. Nothing is written: src is read, and resolve
// turns the names in the patch into absolute paths, or refuses them (see
// Confine).
//
// Unless every section applies there is only an error, which names the line of
// the patch and is meant to be read by whoever wrote it.
func (p *Patch) Apply(ctx context.Context, src Source, resolve func(name string) (abs string, err error)) ([]FileEdit, error) {
	w := &patchWork{src: src, files: map[string]*patchedFile{}}
	for i := range p.sections {
		s := &p.sections[i]
		if err := w.section(ctx, s, resolve); err != nil {
			return nil, fmt.Errorf("patch line %d: %w", s.line, err)
		}
	}
	if err := w.checkFolders(); err != nil {
		return nil, err
	}
	return w.edits(), nil
}

// ChangeSet is Apply with a change set as its result. A patch that changes
// nothing gives ErrNoChange.
func (p *Patch) ChangeSet(ctx context.Context, src Source, resolve func(name string) (abs string, err error)) (*ChangeSet, error) {
	done, err := p.Apply(ctx, src, resolve)
	if err != nil {
		return nil, err
	}
	if len(done) == 0 {
		return nil, fmt.Errorf("patch: %w", ErrNoChange)
	}
	cs := &ChangeSet{}
	for _, e := range done {
		f, err := e.change()
		if err != nil {
			return nil, err
		}
		cs.Files = append(cs.Files, f)
	}
	return cs, nil
}

func (e *FileEdit) change() (FileChange, error) {
	var f FileChange
	var err error
	switch e.Op {
	case Create:
		f, err = NewCreate(e.Path, e.Content, 0)
	case Delete:
		f, err = NewDelete(e.Path, e.Before)
	case Rename:
		f, err = NewRename(e.Path, e.To, e.Before, e.Content)
	case Modify:
		f, err = NewModify(e.Path, e.Before, e.Content)
	}
	f.Overwrites = e.Overwrote
	return f, err
}

// A patchWork is the files a patch has touched so far.
type patchWork struct {
	src   Source
	files map[string]*patchedFile
	order []string // paths, by first touch
}

// A patchedFile is one file before the patch and now. Content nil means that
// there is none.
type patchedFile struct {
	before, now []byte
	origin      string // the path that the content now here lay at before the patch
	overwrote   bool
}

// file returns the file at path, which is read when first asked for.
func (w *patchWork) file(ctx context.Context, path string) (*patchedFile, error) {
	if f, ok := w.files[path]; ok {
		return f, nil
	}
	content, err := readNow(ctx, w.src, path)
	if err != nil {
		return nil, err
	}
	f := &patchedFile{before: content, now: content}
	if content != nil {
		f.origin = path
	}
	w.files[path] = f
	w.order = append(w.order, path)
	return f, nil
}

func (w *patchWork) section(ctx context.Context, s *section, resolve func(string) (string, error)) error {
	path, err := resolve(s.name)
	if err != nil {
		return err
	}
	f, err := w.file(ctx, path)
	if err != nil {
		return err
	}
	switch s.op {
	case Create:
		return f.replace(s.name, []byte(s.added))
	case Delete:
		return f.removed(s.name)
	case Modify, Rename:
	}
	content, err := f.updated(s)
	if err != nil || s.moveTo == "" {
		return err
	}
	to, err := resolve(s.moveTo)
	if err != nil {
		return err
	}
	return w.move(ctx, s, path, to, content)
}

func (f *patchedFile) remove() { f.now, f.origin = nil, "" }

// removed is remove for what is there and is text: nobody can review the end of
// anything else.
func (f *patchedFile) removed(name string) error {
	if f.now == nil {
		return fmt.Errorf("delete %s: %w", name, fs.ErrNotExist)
	}
	if err := text.Check(f.now); err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	f.remove()
	return nil
}

// replace puts whole new content in place of f.
func (f *patchedFile) replace(name string, content []byte) error {
	if err := cmp.Or(text.Check(content), text.Check(f.now)); err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	f.overwrote = f.overwrote || f.now != nil
	f.now = content
	return nil
}

// updated makes the chunks of s in f, and returns the new content.
func (f *patchedFile) updated(s *section) ([]byte, error) {
	if f.now == nil {
		return nil, fmt.Errorf("update %s: %w", s.name, fs.ErrNotExist)
	}
	if err := text.Check(f.now); err != nil {
		return nil, fmt.Errorf("update %s: %w", s.name, err)
	}
	content, err := s.apply(f.now)
	if err != nil {
		return nil, err
	}
	if err := text.Check(content); err != nil {
		return nil, fmt.Errorf("update %s: %w", s.name, err)
	}
	f.now = content
	return content, nil
}

// move puts what was updated at path to another one. Onto itself it is an
// ordinary update.
func (w *patchWork) move(ctx context.Context, s *section, path, to string, content []byte) error {
	if path == to {
		return nil
	}
	target, err := w.file(ctx, to)
	if err != nil {
		return err
	}
	if err := target.replace(s.moveTo, content); err != nil {
		return err
	}
	from := w.files[path]
	target.origin = from.origin
	from.remove()
	return nil
}

// checkFolders refuses a file where another one needs a folder.
func (w *patchWork) checkFolders() error {
	var left []string
	for path, f := range w.files {
		if f.now != nil {
			left = append(left, path+"/")
		}
	}
	slices.Sort(left)
	for i := 1; i < len(left); i++ {
		if strings.HasPrefix(left[i], left[i-1]) {
			return fmt.Errorf("patch: %s would be a file and a folder", strings.TrimSuffix(left[i-1], "/"))
		}
	}
	return nil
}

// edits returns what the patch comes to.
func (w *patchWork) edits() []FileEdit {
	movedFrom := map[string]bool{}
	var out []FileEdit
	for _, path := range w.order {
		if f := w.files[path]; w.renamed(f) && !movedFrom[f.origin] {
			movedFrom[f.origin] = true
			out = append(out, FileEdit{Op: Rename, Path: f.origin, To: path, Before: w.files[f.origin].before, Content: f.now})
			continue
		}
		if e, ok := w.files[path].edit(path); ok {
			out = append(out, e)
		}
	}
	return slices.DeleteFunc(out, func(e FileEdit) bool { return e.Op == Delete && movedFrom[e.Path] })
}

// renamed reports whether f is new and holds what lay at a path where nothing
// is any more.
func (w *patchWork) renamed(f *patchedFile) bool {
	return f.before == nil && f.now != nil && f.origin != "" && w.files[f.origin].now == nil
}

// edit returns the change of f in its own place, if any.
func (f *patchedFile) edit(path string) (FileEdit, bool) {
	e := FileEdit{Op: Modify, Path: path, Before: f.before, Content: f.now, Overwrote: f.overwrote && f.before != nil}
	switch {
	case f.before == nil && f.now == nil:
		return e, false
	case f.before == nil:
		e.Op = Create
	case f.now == nil:
		e.Op, e.Overwrote = Delete, false
	case bytes.Equal(f.before, f.now):
		return e, false
	}
	return e, true
}

// byteOrderMark begins some files.
const byteOrderMark = "\ufeff"

// apply makes the chunks of s in content. A byte order mark is not a part of
// the first line, and stays, unless s names it: models often do not see it.
func (s *section) apply(content []byte) ([]byte, error) {
	if rest, ok := bytes.CutPrefix(content, []byte(byteOrderMark)); ok && !s.namesMark() {
		content, err := s.apply(rest)
		if len(content) == 0 {
			return content, err // all lines deleted
		}
		return append([]byte(byteOrderMark), content...), err
	}
	lines := newPatchedLines(content)
	m := &matcher{lines: lines.texts}
	for i := range s.chunks {
		c := &s.chunks[i]
		if err := c.apply(m, lines); err != nil {
			return nil, fmt.Errorf("update %s: chunk at line %d: %w", s.name, c.line, err)
		}
	}
	return lines.bytes(), nil
}

// namesMark reports whether a line of s begins with a byte order mark.
func (s *section) namesMark() bool {
	return slices.ContainsFunc(s.chunks, func(c chunk) bool {
		return slices.ContainsFunc(c.lines, func(l chunkLine) bool { return strings.HasPrefix(l.text, byteOrderMark) })
	})
}

// apply finds the place of c and notes its change.
func (c *chunk) apply(m *matcher, lines *patchedLines) error {
	if c.header != "" {
		at, err := m.find([]string{c.header})
		if errors.Is(err, errNotFound) {
			return m.misfit(fmt.Sprintf("failed to find context '%s'", c.header), []string{c.header})
		}
		if err != nil {
			return fmt.Errorf("context '%s' %w", c.header, err)
		}
		m.cursor = at + 1
	}
	if len(c.old()) == 0 {
		lines.replace(lines.end(), c.lines)
		return nil
	}
	at, err := c.find(m)
	if old := c.old(); errors.Is(err, errNotFound) && old[len(old)-1] == "" {
		c = c.withoutFinalEmptyLine()
		at, err = c.find(m)
	}
	if errors.Is(err, errNotFound) {
		return m.misfit("failed to find expected lines:\n"+strings.Join(c.old(), "\n"), c.old())
	}
	if err != nil {
		return fmt.Errorf("the block '%s' %w", strings.Join(c.old(), "\n"), err)
	}
	m.cursor = at + len(c.old())
	lines.replace(at, c.lines)
	return nil
}

func (c *chunk) find(m *matcher) (at int, err error) {
	if c.endOfFile {
		return m.findLast(c.old())
	}
	return m.find(c.old())
}

// old returns the lines that must be there.
func (c *chunk) old() []string {
	var old []string
	for _, l := range c.lines {
		if l.mark != added {
			old = append(old, l.text)
		}
	}
	return old
}

// withoutFinalEmptyLine returns c without the empty line that its block ends
// in, and its new lines too: patches often end in one that the file has not.
func (c *chunk) withoutFinalEmptyLine() *chunk {
	lastOld, lastNew := c.lastWithout(added), c.lastWithout(removed)
	d := *c
	d.lines = nil
	for i, l := range c.lines {
		switch {
		case i == lastOld && (i == lastNew || l.mark == removed):
			continue
		case i == lastOld:
			l.mark = added // what is added follows it
		case i == lastNew && l.text == "" && l.mark == added:
			continue
		case i == lastNew && l.text == "":
			l.mark = removed
		}
		d.lines = append(d.lines, l)
	}
	return &d
}

// lastWithout returns the last line of c that has another mark, or -1.
func (c *chunk) lastWithout(mark lineMark) int {
	i := len(c.lines) - 1
	for i >= 0 && c.lines[i].mark == mark {
		i--
	}
	return i
}
