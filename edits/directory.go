package edits

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// ErrStale is returned where a file is no longer what a change was made for.
var ErrStale = errors.New("the file was changed meanwhile")

// errUnverified says that a file does not hold what was written to it.
var errUnverified = errors.New("the file does not hold what was written")

// tempName begins the names of the files that wait for their renaming.
const tempName = ".agentls-"

// A Directory is the disk as a Target, by absolute paths. A path that is a
// symbolic link means the file it leads to. Its zero value is ready.
type Directory struct{}

// NewDirectory returns the disk.
func NewDirectory() *Directory { return &Directory{} }

// Where no file is, but something else that has to go first.
var (
	errIsFolder  = fmt.Errorf("a folder is there, %w as a file", fs.ErrNotExist)
	errBelowFile = fmt.Errorf("a file is where its folder should be: %w", fs.ErrNotExist)
)

// ReadFile returns the content of the regular file at path. Where a folder is,
// or a file in place of one of its folders, the error is fs.ErrNotExist too.
func (d *Directory) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stat, err := os.Stat(path)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errBelowFile}
	}
	if err != nil {
		return nil, err
	}
	if stat.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errIsFolder}
	}
	if !stat.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	return os.ReadFile(path)
}

// Apply makes the pending hunks of cs. Files are written beside their places,
// synced together, and renamed; one with several names, another owner or
// group, or extended attributes is written in place, since a renaming would lose those.
// Modes are kept. Every file is compared with what cs was made from just
// before it is replaced, and read back in the end.
//
// The error is ErrStale, with the path, where a file was changed meanwhile.
// Before the first renaming an error leaves all as it was; after it the
// Journal takes back what was done. A cancel counts up to there.
func (d *Directory) Apply(ctx context.Context, cs *ChangeSet) error {
	b, err := newBatch(ctx, d, cs)
	if err != nil {
		return err
	}
	defer b.clean()
	if err := b.stage(ctx); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if err := b.commit(ctx); err != nil {
		return err
	}
	return b.verify(ctx)
}

// ApplyModes gives the files of cs, whatever they hold, the permission bits that
// it says: of documents whose text goes another way.
func (d *Directory) ApplyModes(cs *ChangeSet) error {
	for i := range cs.Files {
		f := &cs.Files[i]
		stat, err := os.Stat(f.Path)
		if f.Op == Modify && f.Mode != 0 && err == nil {
			err = chmod(f.Path, f.Mode|stat.Mode()&specialBits)
		}
		if err != nil && f.Mode != 0 {
			return fmt.Errorf("change the mode: %w", err)
		}
	}
	return nil
}

// A batch is one Apply under way: the paths it writes and those it removes.
type batch struct {
	dir     *Directory
	files   []*batchFile
	removed []*batchFile
}

// A batchFile is one path of a batch.
type batchFile struct {
	path     string      // without symbolic links
	before   []byte      // nil: there is no file
	after    []byte      // nil: there will be none
	stat     fs.FileInfo // of before
	mode     fs.FileMode
	exact    bool     // mode is meant as it is, not under the umask
	sameText bool     // only the mode changes
	inPlace  bool     // written without a renaming
	newIn    []string // folders that get a name for it, because the one below is not there yet
	blocked  string   // what is in its place, or in that of one of its folders, and goes first; "" for nothing
	temp     string   // holds after until it is renamed; "" if there is none
}

// newBatch compares all files with what cs was made from, so that a stale one
// is found before anything is done.
func newBatch(ctx context.Context, dir *Directory, cs *ChangeSet) (*batch, error) {
	b := &batch{dir: dir}
	imgs := images(cs)
	files := make([]*batchFile, len(imgs))
	err := together(imgs, func(img image, n int) (err error) {
		files[n], err = newBatchFile(img)
		return err
	})
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.path] || b.hasLinkOf(f) {
			return nil, fmt.Errorf("%s is changed twice, by two names", f.path)
		}
		seen[f.path] = true
		if f.after == nil {
			b.removed = append(b.removed, f)
		} else {
			b.files = append(b.files, f)
		}
	}
	for _, f := range b.files {
		if err := b.unblock(f); err != nil {
			return nil, err
		}
	}
	err = together(slices.Concat(b.files, b.removed), func(f *batchFile, _ int) error {
		return b.compare(ctx, f, f.before)
	})
	return b, err
}

// hasLinkOf reports whether another file of b is the same one: a hard link, or
// a name that only differs in case where the file system does not care.
func (b *batch) hasLinkOf(f *batchFile) bool {
	if f.stat == nil || !f.inPlace {
		return false
	}
	return slices.ContainsFunc(slices.Concat(b.files, b.removed), func(g *batchFile) bool {
		return g.stat != nil && os.SameFile(f.stat, g.stat)
	})
}

func newBatchFile(img image) (*batchFile, error) {
	f := &batchFile{path: img.path, before: img.before, after: img.planned, mode: img.mode}
	if f.mode == 0 && img.like != "" {
		if stat, err := os.Stat(img.like); err == nil {
			f.mode = keptMode(stat)
		}
	}
	f.exact = f.mode != 0
	if f.mode == 0 {
		f.mode = 0o644
	}
	if f.before == nil {
		for _, dir := range missingAbove(f.path) {
			f.newIn = append(f.newIn, filepath.Dir(dir))
		}
		return f, nil
	}
	real, err := filepath.EvalSymlinks(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", f.path, ErrStale)
	}
	if err != nil {
		return nil, err
	}
	f.path = real
	stat, err := os.Stat(real)
	if err != nil {
		return nil, err
	}
	if !f.exact {
		f.mode, f.exact = keptMode(stat), true
	}
	f.mode |= stat.Mode() & specialBits
	f.stat, f.inPlace = stat, isSpecial(real, stat)
	f.sameText = f.after != nil && bytes.Equal(f.before, f.after)
	return f, nil
}

// compare returns ErrStale unless f is what it is said to be; want nil means
// that there must be nothing.
func (b *batch) compare(ctx context.Context, f *batchFile, want []byte) error {
	if want == nil {
		stat, err := os.Lstat(f.path)
		gone := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
		if gone || f.blocked != "" || err == nil && stat.IsDir() && f.after == nil {
			return nil
		}
		return fmt.Errorf("%s: %w", f.path, errors.Join(ErrStale, err))
	}
	now, err := b.dir.ReadFile(ctx, f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", f.path, ErrStale)
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(now, want) {
		return fmt.Errorf("%s: %w", f.path, ErrStale)
	}
	return nil
}

// stage writes the temporary files and brings them to the disk.
func (b *batch) stage(ctx context.Context) error {
	var staged []*batchFile
	for _, f := range b.files {
		if !f.inPlace && !f.sameText {
			staged = append(staged, f)
		}
	}
	err := together(staged, func(f *batchFile, n int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return f.stage(n)
	})
	if err != nil {
		return err
	}
	temps := make([]string, len(staged))
	for n, f := range staged {
		temps[n] = f.temp
	}
	return syncFiles(temps)
}

// stage writes the temporary file of f, number n of the batch.
func (f *batchFile) stage(n int) error {
	dir := filepath.Dir(f.path)
	if f.blocked != "" {
		dir = filepath.Dir(f.blocked)
	}
	if f.before == nil {
		if err := makeFolders(dir); err != nil {
			return fmt.Errorf("write beside %s: %w", f.path, err)
		}
	}
	temp, err := createTemp(dir, n, f.mode)
	if err != nil {
		return fmt.Errorf("write beside %s: %w", f.path, err)
	}
	f.temp = temp.Name()
	if err = fault("write", f.temp); err == nil {
		_, err = temp.Write(f.after)
	}
	if err == nil && f.exact {
		err = temp.Chmod(f.mode)
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return fmt.Errorf("write beside %s: %w", f.path, err)
	}
	return nil
}

// commit puts all files in their places and brings that to the disk.
func (b *batch) commit(ctx context.Context) error {
	steps := []struct {
		files []*batchFile
		make  func(context.Context, *batchFile) error
	}{{b.files, b.put}, {b.removed, b.take}}
	if slices.ContainsFunc(b.files, func(f *batchFile) bool { return f.blocked != "" }) {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		err := together(step.files, func(f *batchFile, _ int) error { return step.make(ctx, f) })
		if err != nil {
			return err
		}
	}
	return b.syncFolders()
}

// syncFolders brings the names of all files to the disk.
func (b *batch) syncFolders() error {
	folders := map[string]bool{}
	for _, f := range slices.Concat(b.files, b.removed) {
		folders[filepath.Dir(f.path)] = true
		for _, dir := range f.newIn {
			folders[dir] = true
		}
	}
	for folder := range folders {
		if stat, err := os.Lstat(folder); err != nil || !stat.IsDir() {
			continue // a file took its place
		}
		if err := syncFolder(folder); err != nil {
			return fmt.Errorf("sync %s: %w", folder, err)
		}
	}
	return nil
}

// take removes one file, if it is still what it was.
func (b *batch) take(ctx context.Context, f *batchFile) error {
	if err := b.compare(ctx, f, f.before); err != nil {
		return err
	}
	return remove(f.path)
}

// put puts one file in its place, if that is still what it was.
func (b *batch) put(ctx context.Context, f *batchFile) error {
	if f.blocked != "" {
		if err := f.clearPlace(); err != nil {
			return err
		}
	}
	if err := b.compare(ctx, f, f.before); err != nil {
		return err
	}
	var err error
	switch {
	case f.sameText:
		err = chmod(f.path, f.mode)
	case f.inPlace:
		err = f.overwrite()
	case f.before == nil:
		err = renameNew(f.temp, f.path)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", f.path, ErrStale)
		}
	default:
		err = rename(f.temp, f.path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	f.temp = ""
	return nil
}

// overwrite writes f in place: from its beginning, then its length, so that a
// crash leaves blocks of either content (see isTorn).
func (f *batchFile) overwrite() error {
	file, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err = fault("overwrite", f.path); err == nil {
		_, err = file.WriteAt(f.after, 0)
	}
	if err == nil {
		err = fault("truncate", f.path)
	}
	if err == nil {
		err = file.Truncate(int64(len(f.after)))
	}
	if stat, statErr := file.Stat(); err == nil && statErr == nil && keptMode(stat) != f.mode {
		err = file.Chmod(f.mode)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// verify reads everything back.
func (b *batch) verify(ctx context.Context) error {
	return together(slices.Concat(b.files, b.removed), func(f *batchFile, _ int) error {
		if err := b.compare(ctx, f, f.after); err != nil {
			return fmt.Errorf("%w: %w", errUnverified, err)
		}
		return nil
	})
}

// clean removes the temporary files that were not renamed.
func (b *batch) clean() {
	for _, f := range b.files {
		if f.temp != "" {
			_ = remove(f.temp) // the recovery sweeps again
		}
	}
}

// sweep removes temporary files that a crash left in the folders of paths.
// Nobody else is writing there: the caller holds the journal.
func sweep(paths []string) {
	seen := map[string]bool{}
	for _, path := range paths {
		dir := filepath.Dir(path)
		if real, err := filepath.EvalSymlinks(path); err == nil {
			dir = filepath.Dir(real)
		}
		if seen[dir] {
			continue
		}
		seen[dir] = true
		found, err := os.ReadDir(dir)
		if err != nil {
			continue // no folder, nothing in it
		}
		for _, d := range found {
			if strings.HasPrefix(d.Name(), tempName) && strings.HasSuffix(d.Name(), ".tmp") && d.Type().IsRegular() {
				_ = remove(filepath.Join(dir, d.Name())) // only litter
			}
		}
	}
}

// tornBlock is the size, in bytes, of what a disk writes at once.
const tornBlock = 512

// isTorn reports whether now can be what a crash left of overwriting before by
// planned in place: every block is of one of them.
func isTorn(now, before, planned []byte) bool {
	if len(now) > max(len(before), len(planned)) || len(now) < min(len(before), len(planned)) {
		return false
	}
	for at := 0; at < len(now); at += tornBlock {
		block := now[at:min(at+tornBlock, len(now))]
		if !hasAt(before, block, at) && !hasAt(planned, block, at) {
			return isSplice(now, before, planned) || isSplice(now, planned, before)
		}
	}
	return true
}

func hasAt(content, block []byte, at int) bool {
	return at <= len(content) && bytes.HasPrefix(content[at:], block)
}

// isSplice reports whether now is the beginning of written, then the rest of
// old: a write that was cut off between blocks' borders.
func isSplice(now, old, written []byte) bool {
	n := 0
	for n < min(len(now), len(written)) && now[n] == written[n] {
		n++
	}
	return bytes.Equal(now[n:], old[min(n, len(old)):])
}
