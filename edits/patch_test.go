package edits_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
)

// resolve puts names below /w.
func resolve(name string) (string, error) {
	if strings.HasPrefix(name, "../") {
		return "", fmt.Errorf("path %q: %w", name, edits.ErrOutside)
	}
	return path.Join("/w", name), nil
}

// patched applies a patch to files, by their names below /w.
func patched(t *testing.T, patch string, in files) (files, error) {
	t.Helper()
	p, err := edits.ParsePatch(patch)
	if err != nil {
		return nil, err
	}
	done, err := p.Apply(t.Context(), in, resolve)
	if err != nil {
		return nil, err
	}
	out := files{}
	for path, content := range in {
		out[path] = content
	}
	for _, e := range done {
		if e.Op == edits.Delete || e.Op == edits.Rename {
			delete(out, e.Path)
		}
		switch e.Op {
		case edits.Delete:
		case edits.Rename:
			out[e.To] = string(e.Content)
		case edits.Create, edits.Modify:
			out[e.Path] = string(e.Content)
		}
	}
	return out, nil
}

// body wraps the sections of a patch.
func body(lines ...string) string {
	return "*** Begin Patch\n" + strings.Join(lines, "\n") + "\n*** End Patch"
}

// update wraps the chunks of an update of f.
func update(lines ...string) string { return body(append([]string{"*** Update File: f"}, lines...)...) }

// TestParsePatchRefuses: what is no patch, and the line that says so.
func TestParsePatchRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		patch string
		says  []string
	}{
		"empty":                       {"", []string{"line 1", "*** Begin Patch"}},
		"only the beginning":          {"*** Begin Patch", []string{"line 1", "*** End Patch"}},
		"no beginning":                {"*** Add File: a\n+x\n*** End Patch", []string{"line 1"}},
		"no end":                      {"*** Begin Patch\n*** Add File: a\n+x", []string{"line 3", "*** End Patch"}},
		"case of the beginning":       {"*** begin patch\n*** Add File: a\n*** End Patch", []string{"line 1"}},
		"text before":                 {"here it is\n*** Begin Patch\n*** Add File: a\n*** End Patch", []string{"line 1"}},
		"text behind":                 {"*** Begin Patch\n*** Add File: a\n*** End Patch\ndone", []string{"line 4"}},
		"nothing in it":               {body()[:15] + "\n*** End Patch", []string{"no file"}},
		"unknown section":             {body("*** Copy File: a"), []string{"line 2", "Copy File"}},
		"blank before the first":      {body("", "*** Add File: a"), []string{"line 2"}},
		"environment empty":           {body("*** Environment ID: ", "*** Add File: a"), []string{"line 2", "empty"}},
		"environment twice":           {body("*** Environment ID: x", "*** Environment ID: y", "*** Add File: a"), []string{"line 3"}},
		"environment late":            {body("*** Add File: a", "*** Environment ID: x"), []string{"line 3"}},
		"add without a name":          {body("*** Add File: "), []string{"line 2", "no file"}},
		"blank in an add":             {body("*** Add File: a", "+x", "", "+y"), []string{"line 4"}},
		"context in an add":           {body("*** Add File: a", " x"), []string{"line 3"}},
		"lines in a delete":           {body("*** Delete File: a", "-x"), []string{"line 3"}},
		"update without chunks":       {update(), []string{"line 2", "f has no change"}},
		"move without chunks":         {update("*** Move to: g"), []string{"line 2", "no change"}},
		"move without a name":         {update("*** Move to:", "+x"), []string{"line 3"}},
		"move behind a chunk":         {update("+x", "*** Move to: g"), []string{"line 4"}},
		"mark without a space":        {update("@@x", "+x"), []string{"line 3", "space"}},
		"stacked marks":               {update("@@ a", "@@ b", "+x"), []string{"line 3", "without lines"}},
		"mark without lines":          {update("@@"), []string{"line 3"}},
		"unknown prefix":              {update("+x", "y"), []string{"line 4"}},
		"tab as a prefix":             {update("\tx"), []string{"line 3"}},
		"end of file without lines":   {update("@@", "*** End of File"), []string{"line 3"}},
		"no mark after end of file":   {update("+x", "*** End of File", "+y"), []string{"line 5", "@@"}},
		"a heredoc that never ends":   {"<<EOF\n*** Begin Patch\n*** Add File: a\n*** End Patch", []string{"line 1"}},
		"another word for a heredoc":  {"<<END\n" + body("*** Add File: a") + "\nEND", []string{"line 1"}},
		"lines count within a frame":  {"\n\n<<EOF\n" + body("*** Add File: a", "x") + "\nEOF\n", []string{"line 6"}},
		"blank line behind a delete":  {body("*** Delete File: a", "", "*** Add File: b"), []string{"line 3"}},
		"headers are told by case":    {body("*** add file: a"), []string{"line 2"}},
		"end of file outside updates": {body("*** End of File"), []string{"line 2"}},
	} {
		_, err := edits.ParsePatch(c.patch)
		if err == nil {
			t.Errorf("%s: was accepted", name)
			continue
		}
		for _, say := range c.says {
			if !strings.Contains(err.Error(), say) {
				t.Errorf("%s: %v, want %q", name, err, say)
			}
		}
	}
}

// TestPatch has a case for each rule of the format.
func TestPatch(t *testing.T) {
	const abc = "a\nb\nc\n"
	for name, c := range map[string]struct {
		patch string
		f     string // content of f before
		want  string
	}{
		"replace":                      {update("@@", " a", "-b", "+B", " c"), abc, "a\nB\nc\n"},
		"no mark on the first chunk":   {update("-b", "+B"), abc, "a\nB\nc\n"},
		"mark with trailing spaces":    {update("@@   ", "-b", "+B"), abc, "a\nB\nc\n"},
		"padding around the patch":     {"\n\n  " + update("-b", "+B") + "  \n\n", abc, "a\nB\nc\n"},
		"padding on the frame":         {"*** Begin Patch  \n*** Update File: f  \n-b\n+B\n  *** End Patch", abc, "a\nB\nc\n"},
		"padding on a header":          {body("   *** Update File:   f   ", "-b", "+B"), abc, "a\nB\nc\n"},
		"heredoc":                      {"<<EOF\n" + update("-b", "+B") + "\nEOF", abc, "a\nB\nc\n"},
		"heredoc, quoted":              {"<<'EOF'\n" + update("-b", "+B") + "\nEOF\n", abc, "a\nB\nc\n"},
		"heredoc, double quotes":       {"<<\"EOF\"\n" + update("-b", "+B") + "\nEOF", abc, "a\nB\nc\n"},
		"environment":                  {body("*** Environment ID: x", "*** Update File: f", "-b", "+B"), abc, "a\nB\nc\n"},
		"CRLF in the patch":            {strings.ReplaceAll(update("-b", "+B"), "\n", "\r\n"), abc, "a\nB\nc\n"},
		"two chunks":                   {update("@@", "-a", "+A", "@@", "-c", "+C"), abc, "A\nb\nC\n"},
		"blank line between chunks":    {update("@@", "-a", "+A", "", "@@", "-c", "+C"), "a\n\nb\nc\n", "A\n\nb\nC\n"},
		"blank line behind a chunk":    {update("@@", "-b", "+B", ""), abc, "a\nB\nc\n"},
		"empty line is context":        {update(" a", "", "-b", "+B"), "a\n\nb\n", "a\n\nB\n"},
		"lines extend a chunk":         {update("-a", "+A", " b", "-c", "+C"), abc, "A\nb\nC\n"},
		"header":                       {update("@@ two", "-x", "+y"), "one\nx\ntwo\nx\n", "one\nx\ntwo\ny\n"},
		"header is a whole line":       {update("@@ func two() {", "-x", "+y"), "func two() { }\nx\nfunc two() {\nx\n", "func two() { }\nx\nfunc two() {\ny\n"},
		"header, first of several":     {update("@@ h", "-x", "+y"), "h\nx\nh\nx\n", "h\ny\nh\nx\n"},
		"header, trailing space":       {update("@@ h", "-x", "+y"), "x\nh  \nx\n", "x\nh  \ny\n"},
		"header, indented":             {update("@@ h", "-x", "+y"), "x\n\th\nx\n", "x\n\th\ny\n"},
		"header, folded":               {update("@@ h-i", "-x", "+y"), "x\nh–i\nx\n", "x\nh–i\ny\n"},
		"numbers are a header":         {update("@@ -1,3 +1,3 @@", "-x", "+y"), "x\n-1,3 +1,3 @@\nx\n", "x\n-1,3 +1,3 @@\ny\n"},
		"header, then addition":        {update("@@ a", "+x"), abc, "a\nb\nc\nx\n"},
		"addition goes to the end":     {update("+d", "+e"), abc, "a\nb\nc\nd\ne\n"},
		"addition before a final line": {update("+d"), "a\n\n", "a\nd\n\n"},
		"additions keep their order":   {update("+d", "@@", "+e"), abc, "a\nb\nc\nd\ne\n"},
		"addition to an empty file":    {update("+d"), "", "d\n"},
		"addition, unfinished file":    {update("+d"), "a", "a\nd\n"},
		"exact, first of several":      {update("-b", "+B"), "a\nb\nb\n", "a\nB\nb\n"},
		"behind the cursor":            {update("@@", "-b", "+B", "@@", "-b", "+BB"), "b\na\nb\n", "B\na\nBB\n"},
		"trailing space ignored":       {update("-b", "+B"), "a\nb  \nc\n", "a\nB\nc\n"},
		"trailing space of the patch":  {update("-b\t", "+B"), abc, "a\nB\nc\n"},
		"both ends ignored":            {update("-b", "+B"), "a\n  b \nc\n", "a\nB\nc\n"},
		"folded: dashes":               {update("-a-b-c", "+x"), "a‐b−c\n", "x\n"},
		"folded: quotes":               {update("-'a' \"b\"", "+x"), "‘a’ “b”\n", "x\n"},
		"folded: spaces":               {update("-a b c d", "+x"), "a\u00a0b\u2009c\u3000d\n", "x\n"},
		"folded in the patch":          {update("-“b”", "+x"), "\"b\"\n", "x\n"},
		"later exact beats fuzzy":      {update("-b", "+B"), " b\na\nb\n", " b\na\nB\n"},
		"context keeps its bytes":      {update(" a-z", "-b", "+B"), "\ta–z \nb\n", "\ta–z \nB\n"},
		"added lines go in verbatim":   {update(" a", "+  “x” "), "a\n", "a\n  “x” \n"},
		"end of file":                  {update("-x", "+y", "*** End of File"), "x\na\nx\n", "x\na\ny\n"},
		"end of file, then more":       {update("-a", "+A", "@@", "-c", "+C", "*** End of File"), abc, "A\nb\nC\n"},
		"final empty line of a block":  {update(" a", "-b", "+B", ""), "a\nb\n", "a\nB\n"},
		"removed empty line too many":  {update("-b", "-", "+B", "+"), "a\nb\n", "a\nB\n"},
		"kept empty line, then added":  {update(" b", " ", "+c"), "a\nb\n", "a\nb\n\nc\n"},
		"final newline is added":       {update("-b", "+B"), "a\nb", "a\nB\n"},
		"final newline, kept line":     {update("-a", "+A"), "a\nb", "A\nb\n"},
		"all lines deleted":            {update("-a", "-b", "-c"), abc, ""},
		"CRLF":                         {update(" a", "-b", "+B", "+BB"), "a\r\nb\r\nc\r\n", "a\r\nB\r\nBB\r\nc\r\n"},
		"CRLF, unfinished":             {update("-b", "+B"), "a\r\nb", "a\r\nB\r\n"},
		"CR":                           {update(" a", "-b", "+B"), "a\rb\rc\r", "a\rB\rc\r"},
		"mixed, LF first":              {update(" a", "-b", "+B"), "a\nb\r\nc\r\n", "a\nB\nc\r\n"},
		"mixed, CRLF first":            {update("-c", "+C"), "a\r\nb\nc\n", "a\r\nb\nC\r\n"},
		"indented marker is context":   {update(" *** End Patch", "-b", "+B"), "*** End Patch\nb\n", "*** End Patch\nB\n"},
		"move onto itself":             {update("*** Move to: ./f", "-b", "+B"), abc, "a\nB\nc\n"},
		"touched twice":                {body("*** Update File: f", "-b", "+B", "*** Update File: f", "-B", "+BB"), abc, "a\nBB\nc\n"},
		"add over a file":              {body("*** Add File: f", "+x"), abc, "x\n"},
		"delete, then add":             {body("*** Delete File: f", "*** Add File: f", "+x"), abc, "x\n"},
	} {
		got, err := patched(t, c.patch, files{"/w/f": c.f})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(files{"/w/f": c.want}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestPatchBOM: a patch need not know of a byte order mark, which stays; one
// that names it has it for a part of line 1.
func TestPatchBOM(t *testing.T) {
	for name, c := range map[string]struct{ patch, f, want string }{
		"BOM named by the patch": {update("-\ufeffa", "+A"), "\ufeffa\nb\n", "A\nb\n"},
		"BOM, line 1":            {update("-a", "+A", " b"), "\ufeffa\nb\n", "\ufeffA\nb\n"},
		"BOM, before line 1":     {update("+0", " a"), "\ufeffa\nb\n", "\ufeff0\na\nb\n"},
		"BOM, header in line 1":  {update("@@ a", "-b", "+B"), "\ufeffa\r\nb\r\n", "\ufeffa\r\nB\r\n"},
		"BOM, all lines deleted": {update("-a", "-b"), "\ufeffa\nb\n", ""},
		"BOM alone":              {update("+a"), "\ufeff", "\ufeffa\n"},
		"BOM of the patch":       {"\ufeff" + update("-b", "+B"), "a\nb\nc\n", "a\nB\nc\n"},
		"BOM stays":              {update("-b", "+B"), "\ufeffa\nb\n", "\ufeffa\nB\n"},
	} {
		got, err := patched(t, c.patch, files{"/w/f": c.f})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(files{"/w/f": c.want}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestPatchRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		patch string
		f     string
		is    error
		says  []string
	}{
		"no such header":       {update("@@ def x", "-b", "+B"), "b\n", nil, []string{"line 2", "line 3", "failed to find context 'def x'", "f"}},
		"header of a part":     {update("@@ func", "-b", "+B"), "func x\nb\n", nil, []string{"failed to find context 'func'"}},
		"header before cursor": {update("-b", "+B", "@@ a", "+c"), "a\nb\n", nil, []string{"line 5", "context 'a'"}},
		"no such lines":        {update("-x", "-y", "+B"), "b\n", nil, []string{"failed to find expected lines", "x\ny"}},
		"not contiguous":       {update("-a", "-c"), "a\nb\nc\n", nil, []string{"expected lines"}},
		"behind the cursor":    {update("-b", "+B", "@@", "-a", "+A"), "a\nb\n", nil, []string{"expected lines"}},
		"overlap":              {update("-a", "-b", "+x", "@@", "-b", "+y"), "a\nb\n", nil, []string{"expected lines"}},
		"end of file, earlier": {update("-a", "+x", "*** End of File"), "a\nb\n", nil, []string{"expected lines"}},
		"ambiguous, trailing":  {update("-b", "+B"), "b \na\nb \n", nil, []string{"lines 1, 3", "more context"}},
		"ambiguous, ends":      {update("-b", "+B"), " b\na\n\tb\n", nil, []string{"lines 1, 3"}},
		"ambiguous, folded":    {update("-a-b", "+B"), "a–b\na—b\n", nil, []string{"lines 1, 2"}},
		"ambiguous header":     {update("@@ h", "-b", "+B"), " h\nb\n h\nb\n", nil, []string{"context 'h'", "lines 1, 3"}},
		"deleted is missing":   {body("*** Delete File: g"), "", fs.ErrNotExist, []string{"line 2", "g"}},
		"updated is missing":   {body("*** Update File: g", "+x"), "", fs.ErrNotExist, []string{"line 2", "g"}},
		"updated was deleted":  {body("*** Delete File: f", "*** Update File: f", "+x"), "", fs.ErrNotExist, []string{"line 3"}},
		"updated was moved":    {body("*** Update File: f", "*** Move to: g", "-a", "+b", "*** Update File: f", "+x"), "a\n", fs.ErrNotExist, []string{"line 6"}},
		"not UTF-8":            {update("+x"), "\xff", text.ErrNotUTF8, []string{"f"}},
		"binary":               {update("+x"), "\x00", text.ErrBinary, []string{"f"}},
		"adds what is binary":  {body("*** Add File: g", "+\x00"), "", text.ErrBinary, []string{"g"}},
		"deletes what is":      {body("*** Delete File: f"), "\x00", text.ErrBinary, []string{"line 2", "f"}},
		"takes its place":      {body("*** Add File: f", "+x"), "\x00", text.ErrBinary, []string{"line 2", "f"}},
		"moves onto it":        {body("*** Add File: g", "+a", "*** Update File: g", "*** Move to: f", "-a", "+b"), "\x00", text.ErrBinary, []string{"f"}},
		"adds what is not":     {update("+\xff"), "", text.ErrNotUTF8, []string{"patch"}},
		"outside":              {body("*** Add File: ../x"), "", edits.ErrOutside, []string{"line 2", "../x"}},
		"moves outside":        {update("*** Move to: ../x", "+x"), "", edits.ErrOutside, []string{"../x"}},
		"file and folder":      {body("*** Add File: g", "*** Add File: g/h"), "", nil, []string{"/w/g", "folder"}},
		"a later section":      {body("*** Add File: g", "*** Update File: f", "-x"), "a\n", nil, []string{"line 3"}},
	} {
		_, err := patched(t, c.patch, files{"/w/f": c.f})
		if err == nil || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %v", name, err, c.is)
			continue
		}
		for _, say := range c.says {
			if !strings.Contains(err.Error(), say) {
				t.Errorf("%s: %v, want %q", name, err, say)
			}
		}
	}
}

// TestPatchFiles: what becomes of several files.
func TestPatchFiles(t *testing.T) {
	in := files{"/w/f": "a\nb\n", "/w/g": "g\n"}
	f, g := []byte("a\nb\n"), []byte("g\n")
	for name, c := range map[string]struct {
		patch string
		want  []edits.FileEdit
	}{
		"add": {body("*** Add File: new/h", "+x", "+", "*** Add File: empty"), []edits.FileEdit{
			{Op: edits.Create, Path: "/w/new/h", Content: []byte("x\n\n")}, {Op: edits.Create, Path: "/w/empty", Content: []byte("")},
		}},
		"add over": {body("*** Add File: g", "+x"), []edits.FileEdit{
			{Op: edits.Modify, Path: "/w/g", Before: g, Content: []byte("x\n"), Overwrote: true},
		}},
		"delete": {body("*** Delete File: g"), []edits.FileEdit{{Op: edits.Delete, Path: "/w/g", Before: g}}},
		"spaces in a name": {body("*** Add File: a file.txt "), []edits.FileEdit{
			{Op: edits.Create, Path: "/w/a file.txt", Content: []byte("")},
		}},
		"move": {update("*** Move to: h", "-b", "+B"), []edits.FileEdit{
			{Op: edits.Rename, Path: "/w/f", To: "/w/h", Before: f, Content: []byte("a\nB\n")},
		}},
		"move over": {update("*** Move to: g", "-b", "+B"), []edits.FileEdit{
			{Op: edits.Delete, Path: "/w/f", Before: f},
			{Op: edits.Modify, Path: "/w/g", Before: g, Content: []byte("a\nB\n"), Overwrote: true},
		}},
		"move and update": {
			body("*** Update File: f", "*** Move to: h", "-b", "+B", "*** Update File: h", "-a", "+A"),
			[]edits.FileEdit{{Op: edits.Rename, Path: "/w/f", To: "/w/h", Before: f, Content: []byte("A\nB\n")}},
		},
		"move twice": {
			body("*** Update File: f", "*** Move to: h", "-b", "+B", "*** Update File: h", "*** Move to: i", "-a", "+A"),
			[]edits.FileEdit{{Op: edits.Rename, Path: "/w/f", To: "/w/i", Before: f, Content: []byte("A\nB\n")}},
		},
		"move and back": {
			body("*** Update File: f", "*** Move to: h", "-b", "+B", "*** Update File: h", "*** Move to: f", "-a", "+A"),
			[]edits.FileEdit{{Op: edits.Modify, Path: "/w/f", Before: f, Content: []byte("A\nB\n")}},
		},
		"move, add in its place": {
			body("*** Update File: f", "*** Move to: h", "-b", "+B", "*** Add File: f", "+x"),
			[]edits.FileEdit{
				{Op: edits.Modify, Path: "/w/f", Before: f, Content: []byte("x\n")}, {Op: edits.Create, Path: "/w/h", Content: []byte("a\nB\n")},
			},
		},
		"add and move":     {body("*** Add File: h", "+x", "*** Update File: h", "*** Move to: i", "-x", "+y"), []edits.FileEdit{{Op: edits.Create, Path: "/w/i", Content: []byte("y\n")}}},
		"add and delete":   {body("*** Add File: h", "+x", "*** Delete File: h"), nil},
		"nothing changes":  {update("-b", "+b"), nil},
		"there and back":   {body("*** Update File: f", "-b", "+B", "*** Update File: f", "-B", "+b"), nil},
		"move and delete":  {body("*** Update File: f", "*** Move to: h", "-b", "+B", "*** Delete File: h"), []edits.FileEdit{{Op: edits.Delete, Path: "/w/f", Before: f}}},
		"move an emptied":  {update("*** Move to: h", "-a", "-b"), []edits.FileEdit{{Op: edits.Rename, Path: "/w/f", To: "/w/h", Before: f, Content: []byte("")}}},
		"padded move":      {update("  *** Move to:  h ", "-b", "+B"), []edits.FileEdit{{Op: edits.Rename, Path: "/w/f", To: "/w/h", Before: f, Content: []byte("a\nB\n")}}},
		"delete, then add": {body("*** Delete File: f", "*** Add File: f", "+x"), []edits.FileEdit{{Op: edits.Modify, Path: "/w/f", Before: f, Content: []byte("x\n")}}},
	} {
		p, err := edits.ParsePatch(c.patch)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := p.Apply(t.Context(), in, resolve)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		sameChangeSet(t, name, p, in, c.want)
	}
}

// sameChangeSet compares the change set of p with its file edits.
func sameChangeSet(t *testing.T, name string, p *edits.Patch, in files, done []edits.FileEdit) {
	t.Helper()
	cs, err := p.ChangeSet(t.Context(), in, resolve)
	if len(done) == 0 {
		if !errors.Is(err, edits.ErrNoChange) {
			t.Errorf("%s: %v, want ErrNoChange", name, err)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := cs.Check(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	want := files{}
	for i, e := range done {
		if cs.Files[i].Overwrites != e.Overwrote {
			t.Errorf("%s: overwrites: %t", name, !e.Overwrote)
		}
		if e.Op == edits.Rename {
			want[e.To] = string(e.Content)
		} else if e.Op != edits.Delete {
			want[e.Path] = string(e.Content)
		}
	}
	if diff := cmp.Diff(want, made(cs, files{})); diff != "" {
		t.Errorf("%s: the change set leads elsewhere: %s", name, diff)
	}
}

// FuzzParsePatch: no input is fatal, what applies is a good change set, and a
// patch that fails gives nothing.
func FuzzParsePatch(f *testing.F) {
	f.Add(update("@@ a", " b", "-c", "+d", "*** End of File"), "a\nb\nc\n")
	f.Add(body("*** Add File: x", "+y", "*** Delete File: f", "*** Update File: x", "*** Move to: f", "-y", "+z"), "a\r\nb")
	f.Add("<<'EOF'\n"+update("*** Move to: g", " ", "+x", "")+"\nEOF", "\r\r")
	f.Add(update("-", "+", ""), "\n\n")
	f.Fuzz(func(t *testing.T, patch, content string) {
		p, err := edits.ParsePatch(patch)
		if err != nil {
			return
		}
		in := files{"/w/f": content}
		done, err := p.Apply(t.Context(), in, resolve)
		if err != nil && done != nil {
			t.Fatalf("failed with %v, and gave %+v", err, done)
		}
		if len(in) != 1 || in["/w/f"] != content {
			t.Fatalf("changed its source: %q", in)
		}
		if err != nil || len(done) == 0 {
			return
		}
		cs, err := p.ChangeSet(t.Context(), in, resolve)
		if err != nil {
			if text.Check([]byte(content)) == nil && !strings.ContainsAny(patch, "\x00") {
				t.Fatalf("applies, but gives no change set: %v", err)
			}
			return
		}
		rebased(t, cs, in)
	})
}
