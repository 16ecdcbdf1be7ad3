package edits

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/agentls/agentls/edits/text"
)

// A GitDiff is a unified diff with git's headers, read but not yet laid on any
// content. It is strict where `git apply` is lenient: a hunk fits where its
// header says or nowhere, names begin with a/ and b/, and what is not text is
// refused.
type GitDiff struct{ files []diffFile }

// A diffFile is what a diff says about one file.
type diffFile struct {
	line     int // of its "diff --git", from 1
	op       Op
	from, to string // names without a/ and b/, with slashes
	was      fs.FileMode
	mode     fs.FileMode // of the result; 0 where the diff does not say
	hunks    []diffHunk
}

// A diffHunk is one hunk. Lines keep their terminators.
type diffHunk struct {
	line     int // of its header, from 1
	start    int // lines of the old file before it
	old, new []string
}

// ParseGitDiff reads a diff. The error names the line of the diff, and is
// text.ErrBinary where it is about a binary file. An empty diff changes nothing.
func ParseGitDiff(diff string) (*GitDiff, error) {
	p := &diffParser{lines: splitLines([]byte(diff))}
	d := &GitDiff{}
	for !p.done() {
		f, err := p.file()
		if err != nil {
			return nil, fmt.Errorf("diff line %d: %w", p.number(), err)
		}
		d.files = append(d.files, f)
	}
	return d, nil
}

// ChangeSet lays d on what src holds and returns what it changes. Nothing is
// written. Resolve turns the names in the diff into absolute paths, or refuses
// them (see Confine). Unless every hunk fits there is only an error, which
// names the line of the diff; it is ErrNoChange for a diff without files.
func (d *GitDiff) ChangeSet(ctx context.Context, src Source, resolve func(name string) (abs string, err error)) (*ChangeSet, error) {
	if len(d.files) == 0 {
		return nil, fmt.Errorf("diff: %w", ErrNoChange)
	}
	cs := &ChangeSet{}
	for i := range d.files {
		f := &d.files[i]
		change, err := f.change(ctx, src, resolve)
		if err != nil {
			return nil, fmt.Errorf("diff line %d: %w", f.line, err)
		}
		cs.Files = append(cs.Files, change)
	}
	if err := cs.Check(); err != nil {
		return nil, fmt.Errorf("diff: %w", err)
	}
	return cs, nil
}

// change returns what f makes of the files of src.
func (f *diffFile) change(ctx context.Context, src Source, resolve func(string) (string, error)) (FileChange, error) {
	edit, err := f.resolve(resolve)
	if err != nil {
		return FileChange{}, err
	}
	if edit.Before, err = f.read(ctx, src, &edit); err != nil {
		return FileChange{}, err
	}
	if edit.Content, err = f.lay(edit.Before); err != nil {
		return FileChange{}, err
	}
	if f.op == Delete && len(edit.Content) > 0 {
		return FileChange{}, fmt.Errorf("%s is to be deleted, but %d bytes of it would be left", f.from, len(edit.Content))
	}
	if f.op == Modify && len(f.hunks) == 0 {
		return NewModeChange(edit.Path, edit.Before, f.was, f.mode)
	}
	change, err := edit.change()
	change.Was, change.Mode = f.was, f.mode
	return change, err
}

// resolve returns the paths that f is about.
func (f *diffFile) resolve(resolve func(string) (string, error)) (edit FileEdit, err error) {
	edit.Op = f.op
	if edit.Path, err = resolve(f.from); err == nil && f.op == Rename {
		edit.To, err = resolve(f.to)
	}
	return edit, err
}

// read returns the content that f starts from, and sees that nothing is in its
// way.
func (f *diffFile) read(ctx context.Context, src Source, edit *FileEdit) ([]byte, error) {
	if f.op == Create || f.op == Rename {
		target := edit.Path
		if f.op == Rename {
			target = edit.To
		}
		there, err := readNow(ctx, src, target)
		if err != nil {
			return nil, err
		}
		if there != nil {
			return nil, fmt.Errorf("%s is there already", f.to)
		}
	}
	if f.op == Create {
		return nil, nil
	}
	before, err := readNow(ctx, src, edit.Path)
	if err == nil && before == nil {
		err = fmt.Errorf("%s: %w", f.from, fs.ErrNotExist)
	}
	return before, err
}

// lay returns before with the hunks of f made.
func (f *diffFile) lay(before []byte) ([]byte, error) {
	lines := splitLines(before)
	var out strings.Builder
	pos := 0
	for _, h := range f.hunks {
		if h.start < pos || h.start+len(h.old) > len(lines) {
			return nil, fmt.Errorf("%s: the hunk in line %d lies outside its %d lines or on the hunk before", f.from, h.line, len(lines))
		}
		for i, want := range h.old {
			if lines[h.start+i] != want {
				return nil, fmt.Errorf("%s: the hunk in line %d %w: line %d is %q, not %q", f.from, h.line, ErrMisfit, h.start+i+1, abbreviated(lines[h.start+i]), abbreviated(want))
			}
		}
		out.WriteString(strings.Join(lines[pos:h.start], "") + strings.Join(h.new, ""))
		pos = h.start + len(h.old)
	}
	out.WriteString(strings.Join(lines[pos:], ""))
	return []byte(out.String()), nil
}

// abbreviated returns a line for an error.
func abbreviated(line string) string {
	const most = 80 // bytes
	line = strings.TrimRight(line, "\r\n")
	if len(line) > most {
		return strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

// A diffParser reads a diff line by line.
type diffParser struct {
	lines []string
	pos   int
}

func (p *diffParser) done() bool { return p.pos >= len(p.lines) }

// number returns the number of the present line, from 1.
func (p *diffParser) number() int { return p.pos + 1 }

// line returns the present line without its end.
func (p *diffParser) line() string {
	if p.done() {
		return ""
	}
	return strings.TrimSuffix(p.lines[p.pos], "\n")
}

// take returns what follows prefix in the present line, and goes on, if that
// line begins with it.
func (p *diffParser) take(prefix string) (rest string, ok bool) {
	if p.done() {
		return "", false
	}
	if rest, ok = strings.CutPrefix(p.line(), prefix); ok {
		p.pos++
	}
	return rest, ok
}

// file reads one file: its headers, then its hunks.
func (p *diffParser) file() (diffFile, error) {
	f := diffFile{line: p.number(), op: Modify}
	names, ok := strings.CutPrefix(p.line(), "diff --git ")
	if !ok {
		return f, fmt.Errorf("%q is not the beginning of a file: want \"diff --git a/… b/…\"", abbreviated(p.line()))
	}
	p.pos++
	named, err := p.headers(&f)
	if errors.Is(err, text.ErrBinary) {
		return f, fmt.Errorf("%s: %w", abbreviated(names), err)
	}
	if err != nil {
		return f, err
	}
	if !named {
		if f.from, err = sameName(names); err != nil {
			return f, err
		}
		f.to = f.from
	}
	for strings.HasPrefix(p.line(), "@@ ") {
		h, err := p.hunk()
		if err != nil {
			return f, err
		}
		f.hunks = append(f.hunks, h)
	}
	return f, f.check()
}

// check refuses what has the form of a diff but cannot be proposed.
func (f *diffFile) check() error {
	switch {
	case f.from != f.to && f.op == Modify:
		return fmt.Errorf("%s becomes %s without a renaming", f.from, f.to)
	case f.op == Modify && len(f.hunks) == 0 && f.mode == 0:
		return fmt.Errorf("%s: nothing changes", f.from)
	case f.op == Create && len(f.hunks) == 1 && len(f.hunks[0].old) > 0:
		return fmt.Errorf("%s is new, but lines are removed from it", f.to)
	}
	return nil
}

// headers reads the lines between "diff --git" and the first hunk, and
// reports whether they named the file.
func (p *diffParser) headers(f *diffFile) (named bool, err error) {
	for !p.done() && !strings.HasPrefix(p.line(), "diff --git ") && !strings.HasPrefix(p.line(), "@@ ") {
		if strings.HasPrefix(p.line(), "--- ") {
			return true, p.names(f)
		}
		if err := f.header(p.line()); err != nil {
			return false, err
		}
		p.pos++
	}
	return f.op == Rename, nil
}

// header reads one extended header.
func (f *diffFile) header(line string) (err error) {
	value := func(key string) bool {
		rest, ok := strings.CutPrefix(line, key+" ")
		if ok {
			line = rest
		}
		return ok
	}
	switch {
	case value("old mode"):
		f.was, err = parseGitMode(line)
	case value("new mode"):
		f.mode, err = parseGitMode(line)
	case value("new file mode"):
		f.op = Create
		f.mode, err = parseGitMode(line)
	case value("deleted file mode"):
		f.op = Delete
		f.was, err = parseGitMode(line)
	case value("rename from"):
		f.op = Rename
		f.from, err = unquoted(line)
	case value("rename to"):
		f.to, err = unquoted(line)
	case value("copy from"):
		return fmt.Errorf("a copy of %s: ask for a diff without copies", abbreviated(line))
	case value("similarity index"), value("dissimilarity index"), value("index"):
	case strings.HasPrefix(line, "Binary files "), line == "GIT binary patch":
		return fmt.Errorf("%w: only text can be changed; take it out of the diff (git diff -- ':!PATH'), and copy it by hand", text.ErrBinary)
	default:
		return fmt.Errorf("unknown header %q", abbreviated(line))
	}
	return err
}

// parseGitMode returns the permission bits of a mode of git's.
func parseGitMode(mode string) (fs.FileMode, error) {
	switch mode {
	case "100644", "100755":
		bits, err := strconv.ParseUint(mode[3:], 8, 32)
		return fs.FileMode(bits), err
	case "120000":
		return 0, errors.New("a symbolic link cannot be proposed")
	case "160000":
		return 0, errors.New("a submodule cannot be proposed")
	}
	return 0, fmt.Errorf("unknown mode %q", abbreviated(mode))
}

// names reads the lines "--- a/…" and "+++ b/…".
func (p *diffParser) names(f *diffFile) error {
	from, err := sideName(strings.TrimPrefix(p.line(), "--- "), "a/")
	if err != nil {
		return err
	}
	p.pos++
	rest, ok := strings.CutPrefix(p.line(), "+++ ")
	if !ok {
		return errors.New(`want "+++ b/…" behind "--- a/…"`)
	}
	to, err := sideName(rest, "b/")
	if err != nil {
		return err
	}
	if err := f.name(from, to); err != nil {
		return err
	}
	p.pos++
	return nil
}

// name takes the names before and after, "" where there is no file.
func (f *diffFile) name(from, to string) error {
	if f.op == Rename {
		if from != f.from || to != f.to {
			return fmt.Errorf("the names %s and %s are not those of the renaming", from, to)
		}
		return nil
	}
	if (from == "") != (f.op == Create) || (to == "") != (f.op == Delete) {
		return errors.New("/dev/null and the headers contradict each other")
	}
	f.from, f.to = from, to
	switch f.op {
	case Create:
		f.from = to
	case Delete:
		f.to = from
	case Modify, Rename:
	}
	return nil
}

// sideName returns the name in a "---" or "+++" line, "" for /dev/null.
func sideName(field, side string) (string, error) {
	field = strings.TrimSuffix(field, "\t")
	if field == "/dev/null" {
		return "", nil
	}
	name, err := unquoted(field)
	if err != nil {
		return "", err
	}
	rest, ok := strings.CutPrefix(name, side)
	if !ok || rest == "" {
		return "", fmt.Errorf("the name %q does not begin with %s", abbreviated(name), side)
	}
	return rest, nil
}

// sameName returns the name in "a/NAME b/NAME", for files without hunks.
func sameName(names string) (string, error) {
	first, second, ok := strings.Cut(names, `" "`)
	if ok {
		first, second = first+`"`, `"`+second
	} else {
		half := len(names) / 2
		if len(names)%2 == 0 || names[half] != ' ' {
			return "", fmt.Errorf("%q does not name one file", abbreviated(names))
		}
		first, second = names[:half], names[half+1:]
	}
	from, err := sideName(first, "a/")
	if err != nil {
		return "", err
	}
	to, err := sideName(second, "b/")
	if err == nil && (from != to || from == "") {
		err = fmt.Errorf("%q names two files", abbreviated(names))
	}
	return from, err
}

// hunk reads one hunk.
func (p *diffParser) hunk() (diffHunk, error) {
	h := diffHunk{line: p.number()}
	start, old, added, err := parseRanges(p.line())
	if err != nil {
		return h, err
	}
	h.start = start
	p.pos++
	for len(h.old) < old || len(h.new) < added {
		if err := p.hunkLine(&h); err != nil {
			return h, err
		}
	}
	if len(h.old) != old || len(h.new) != added {
		return h, errors.New("the hunk has other lines than its header says")
	}
	return h, nil
}

// hunkLine reads one line of a hunk, and the note that it has no end.
func (p *diffParser) hunkLine(h *diffHunk) error {
	if p.done() {
		return errors.New("the diff ends within a hunk")
	}
	line := p.lines[p.pos]
	if line == "\n" {
		line = " \n" // some tools cut the blank of an empty line
	}
	switch line[0] {
	case ' ':
		h.old, h.new = append(h.old, line[1:]), append(h.new, line[1:])
	case '-':
		h.old = append(h.old, line[1:])
	case '+':
		h.new = append(h.new, line[1:])
	default:
		return fmt.Errorf("%q is no line of a hunk", abbreviated(line))
	}
	p.pos++
	p.endless(h, line[0])
	return nil
}

// endless takes a "\ No newline at end of file" for the line before it, which
// had the mark.
func (p *diffParser) endless(h *diffHunk, mark byte) {
	if _, ok := p.take(`\ `); !ok {
		return
	}
	cut := func(lines []string) { lines[len(lines)-1] = strings.TrimSuffix(lines[len(lines)-1], "\n") }
	if mark != '+' {
		cut(h.old)
	}
	if mark != '-' {
		cut(h.new)
	}
}

// parseRanges reads "@@ -START,COUNT +START,COUNT @@". Start is how many lines
// of the old file come before the hunk.
func parseRanges(line string) (start, old, added int, err error) {
	wrong := fmt.Errorf("%q is no header of a hunk", abbreviated(line))
	rest, ok := strings.CutPrefix(line, "@@ -")
	ranges, _, closed := strings.Cut(rest, " @@")
	from, to, both := strings.Cut(ranges, " +")
	if !ok || !closed || !both {
		return 0, 0, 0, wrong
	}
	start, old, err = parseRange(from)
	if err != nil {
		return 0, 0, 0, wrong
	}
	if _, added, err = parseRange(to); err != nil || old+added == 0 {
		return 0, 0, 0, wrong
	}
	return start, old, added, nil
}

// maxLines bounds the numbers in the header of a hunk.
const maxLines = 1 << 28

// parseRange reads "FIRST,COUNT" or "FIRST", and returns how many lines come
// before. An empty range names the line before it.
func parseRange(s string) (before, count int, err error) {
	first, n, given := strings.Cut(s, ",")
	count = 1
	if given {
		if count, err = strconv.Atoi(n); err != nil {
			return 0, 0, err
		}
	}
	if before, err = strconv.Atoi(first); err != nil {
		return 0, 0, err
	}
	if count > 0 {
		before--
	}
	if before < 0 || count < 0 || before > maxLines || count > maxLines {
		return 0, 0, strconv.ErrRange
	}
	return before, count, nil
}

// unquoted returns a name of a header as it is. Git quotes names with unusual
// characters as C does.
func unquoted(field string) (string, error) {
	if !strings.HasPrefix(field, `"`) {
		return field, nil
	}
	inner, ok := strings.CutSuffix(field[1:], `"`)
	if !ok {
		return "", fmt.Errorf("the name %q is not closed", abbreviated(field))
	}
	var b strings.Builder
	for inner != "" {
		c, rest, err := unquotedByte(inner)
		if err != nil {
			return "", fmt.Errorf("the name %q: %w", abbreviated(field), err)
		}
		b.WriteByte(c)
		inner = rest
	}
	return b.String(), nil
}

// escapes are the letters behind a backslash, and what they mean.
var escapes = map[byte]byte{'a': '\a', 'b': '\b', 't': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r', '"': '"', '\\': '\\'}

// unquotedByte returns the first byte that s, inside quotes, stands for.
func unquotedByte(s string) (c byte, rest string, err error) {
	switch {
	case s[0] == '"':
		return 0, "", errors.New("a quote inside")
	case s[0] != '\\':
		return s[0], s[1:], nil
	case len(s) >= 2 && escapes[s[1]] != 0:
		return escapes[s[1]], s[2:], nil
	case len(s) >= 4:
		octal, err := strconv.ParseUint(s[1:4], 8, 8)
		return byte(octal), s[4:], err
	}
	return 0, "", errors.New("an unfinished escape")
}
