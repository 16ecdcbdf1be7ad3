package edits

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/agentls/agentls/edits/text"
)

// An image is one path before and after a change set is made.
type image struct {
	path    string
	before  []byte      // nil: there is no file
	planned []byte      // nil: there will be none
	edits   []text.Edit // what leads from before to planned, where both are there
	mode    fs.FileMode // of what is planned; 0: the one there is
	was     fs.FileMode // of before; 0: not known
	like    string      // the path whose mode a new file takes over; "" for none
}

// images returns each path that the pending hunks of cs touch, in order. cs is
// rebased: Before is what is there.
func images(cs *ChangeSet) []image {
	each := make([][]image, len(cs.Files))
	_ = together(cs.Files, func(f FileChange, n int) error {
		each[n] = f.images()
		return nil
	})
	return slices.Concat(each...)
}

// images returns the paths of f: two of a renaming.
func (f *FileChange) images() []image {
	img := image{path: f.Path, before: f.Before, planned: f.After(), mode: f.Mode, was: f.Was}
	if img.before == nil {
		img.before = []byte{}
	}
	switch f.Op {
	case Create:
		img.before = nil
	case Delete:
		img.planned = nil
	case Rename:
		moved := image{path: f.To, planned: img.planned, mode: f.Mode, like: f.Path}
		img.planned = nil
		return []image{img, moved}
	case Modify:
		img.edits = f.edits(Pending, Applied)
	}
	return []image{img}
}

// A standing says which text a path holds.
type standing int

const (
	asBefore standing = iota
	asPlanned
	isOther // the user's own
)

// standing tells what now, nil for no file, is to img.
func (img *image) standing(now []byte) standing {
	switch {
	case same(now, img.planned):
		return asPlanned
	case same(now, img.before):
		return asBefore
	case now != nil && img.before != nil && img.planned != nil && img.inPlace() && isTorn(now, img.before, img.planned):
		return asPlanned // half of it, and surely ours
	case now != nil && img.edits != nil && hasSome(now, img.before, img.edits):
		return asPlanned // so is this: an editor made some of the edits
	}
	return isOther
}

// maxWays is in how many ways a text may be told apart into edits made and not
// made before it counts as another one.
const maxWays = 1000

// hasSome reports whether now is before with some of edits made, and nothing
// else.
func hasSome(now, before []byte, edits []text.Edit) bool {
	at := []int{0} // how far now can reach, up to the edit that is looked at
	from := 0
	for _, e := range edits {
		var next []int
		for _, pos := range endsOf(at, now, before[from:e.Span.Start]) {
			for _, way := range []string{string(before[e.Span.Start:e.Span.End]), e.New} {
				next = append(next, endsOf([]int{pos}, now, []byte(way))...)
			}
		}
		slices.Sort(next)
		if at, from = slices.Compact(next), e.Span.End; len(at) > maxWays {
			return false
		}
	}
	return slices.Contains(endsOf(at, now, before[from:]), len(now))
}

// endsOf returns the ends of part where it begins at one of at in content.
func endsOf(at []int, content, part []byte) (ends []int) {
	for _, pos := range at {
		if bytes.HasPrefix(content[pos:], part) {
			ends = append(ends, pos+len(part))
		}
	}
	return ends
}

// has reports whether the file has the permission bits of mode, or those are
// not known. What cannot be looked at has them.
func (img *image) has(mode fs.FileMode) bool {
	stat, err := os.Stat(img.path)
	return mode == 0 || err != nil || stat.Mode().Perm() == mode.Perm()
}

// inPlace reports whether the Directory overwrites the file instead of
// renaming one over it.
func (img *image) inPlace() bool {
	stat, err := os.Stat(img.path)
	return err == nil && isSpecial(img.path, stat)
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// back returns the change that makes img as before of what is there now.
func (img *image) back(now []byte) (FileChange, error) {
	switch {
	case img.before == nil:
		return NewDelete(img.path, now)
	case now == nil:
		return NewCreate(img.path, img.before, img.was)
	}
	if same(now, img.before) && img.mode != 0 && img.was != 0 {
		return NewModeChange(img.path, now, img.mode, img.was)
	}
	f, err := NewModify(img.path, now, img.before)
	if errors.Is(err, text.ErrBinary) || errors.Is(err, text.ErrNotUTF8) {
		f, err = wholly(img.path, now, img.before), nil // now is torn
	}
	if img.mode != 0 {
		f.Mode = img.was
	}
	return f, err
}

// wholly returns the change of a file's whole content, whatever it is.
func wholly(path string, before, after []byte) FileChange {
	edit := text.Edit{Span: text.Span{End: len(before)}, New: string(after)}
	return FileChange{
		Op: Modify, Path: path, Base: text.HashOf(before), Before: before,
		Hunks: []Hunk{{ID: 1, Edit: edit, State: Pending}},
	}
}

// A Leftover is a path that holds neither what was there before a change nor
// what was planned, or that could not be brought back. It is the user's to
// decide; nothing was overwritten.
type Leftover struct {
	Path    string  `json:"path"`
	Before  *string `json:"before"`  // nil: there was no file, or it is not known
	Planned *string `json:"planned"` // nil: there was to be none
	Now     *string `json:"now"`     // nil: there is none
}

func (img *image) leftover(now []byte) Leftover {
	return Leftover{Path: img.path, Before: content(img.before), Planned: content(img.planned), Now: content(now)}
}

func content(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

// errNotBack says that files still hold what was planned for them, or cannot be
// looked at, because the disk refused. That may pass: a recovery tries again.
var errNotBack = errors.New("not everything could be taken back; that is tried again at the next start")

// rollback brings every path of imgs that holds its planned text back to what
// was before, and returns what it left alone, because it is the user's or an
// editor did not take it. The error is errNotBack where the disk refused.
func rollback(ctx context.Context, to Target, imgs []image) ([]Leftover, error) {
	together := &ChangeSet{Title: "roll back"}
	cause := eachPlanned(ctx, to, imgs, func(f FileChange) error {
		together.Files = append(together.Files, f)
		return nil
	})
	if len(together.Files) > 0 {
		cause = errors.Join(cause, to.Apply(ctx, together))
	}
	if cause != nil {
		// One file may be what is wrong: the others need not wait for it.
		cause = errors.Join(cause, eachPlanned(ctx, to, imgs, func(f FileChange) error {
			return to.Apply(ctx, &ChangeSet{Title: together.Title, Files: []FileChange{f}})
		}))
	}
	return leftovers(ctx, to, imgs, cause)
}

// leftovers looks at every path after a rollback, whose first error is cause.
func leftovers(ctx context.Context, to Target, imgs []image, cause error) ([]Leftover, error) {
	var left []Leftover
	var refused error
	for i := range imgs {
		img := &imgs[i]
		now, err := readNow(ctx, to, img.path)
		var errno syscall.Errno
		switch {
		case err == nil && same(now, img.before) && (img.mode == 0 || img.has(img.was)):
		case errors.As(err, &errno):
			refused = fmt.Errorf("%w: %w", errNotBack, err)
		case err == nil && img.standing(now) == asPlanned && !isOpen(to, img.path):
			refused = fmt.Errorf("%w: %s: %w", errNotBack, img.path, cause)
		default:
			left = append(left, img.leftover(now))
		}
	}
	return left, refused
}

// isOpen reports whether path is a document of an Editor.
func isOpen(to Target, path string) bool {
	ed, ok := to.(Editor)
	return ok && ed.IsOpen(path)
}

// eachPlanned calls do with the change back of every path in its planned
// state, and returns the first error.
func eachPlanned(ctx context.Context, to Target, imgs []image, do func(FileChange) error) (first error) {
	for i := range imgs {
		f, err := imgs[i].planBack(ctx, to)
		if err == nil {
			err = do(f)
		}
		if err != nil && first == nil && !errors.Is(err, ErrNoChange) {
			first = fmt.Errorf("roll back %s: %w", imgs[i].path, err)
		}
	}
	return first
}

// planBack returns the change back of a path in its planned state, ErrNoChange
// for another one.
func (img *image) planBack(ctx context.Context, to Target) (FileChange, error) {
	now, err := readNow(ctx, to, img.path)
	if err == nil && img.standing(now) != asPlanned {
		err = ErrNoChange
	}
	if err != nil {
		return FileChange{}, err
	}
	return img.back(now)
}
