package lsp

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
	"golang.org/x/tools/txtar"

	"github.com/agentls/agentls/edits/text"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// TestArchives plays the archives of testdata. Their files are a
// workspace whose last comments ask for something:
//
//	func Add(a, b int) int { return a + b } //@ hover(Add) references(a#2)
//
// is hover on the first Add of that line, and references on its second a. What
// comes behind a comma is a further argument; a line that is nothing but such
// a comment asks about its whole file. The comments are not in the workspace.
// The file "answers" says what the server answers to each, in their order;
// -update rewrites it. "caps.json" stands for what the client can do.
//
// Each archive is played with both ends of line and in both encodings.
func TestArchives(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("%d archives, %v", len(archives), err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			playArchive(t, path)
		})
	}
}

func playArchive(t *testing.T, path string) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, eol := range []string{"\n", "\r\n"} {
		for _, enc := range []text.Encoding{text.UTF16, text.UTF8} {
			f := newFixture(archive, eol, enc)
			got := f.play(t)
			if want == "" {
				want = f.answers
				if *update {
					rewrite(t, archive, path, got)
					want = got
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("line ends %q, encoding %v (-want +got):\n%s", eol, enc, diff)
			}
		}
	}
}

// A fixture is one archive in one form.
type fixture struct {
	eol     string
	enc     text.Encoding
	caps    string
	files   map[string]string // as the workspace has them
	markers []mark
	answers string

	e *editor
}

// A mark asks for something at a place.
type mark struct {
	name string // of the feature
	file string
	line int // from 0, in the workspace's file
	at   int // byte in the line
	word string
	args []string
}

func newFixture(archive *txtar.Archive, eol string, enc text.Encoding) *fixture {
	f := &fixture{eol: eol, enc: enc, caps: pluginCaps, files: map[string]string{}}
	for _, file := range archive.Files {
		switch file.Name {
		case "answers":
			f.answers = string(file.Data)
		case "caps.json":
			f.caps = string(file.Data)
		default:
			f.add(file.Name, string(file.Data))
		}
	}
	return f
}

var (
	markComment = regexp.MustCompile(`[ \t]*(?://|#|--|<!--|/\*|;)@ (.*?)(?:-->|\*/)?$`)
	markCall    = regexp.MustCompile(`(\w+)\(([^)]*)\)`)
)

// add takes in a file, and the marks out of it.
func (f *fixture) add(name, content string) {
	var lines []string
	for line := range strings.Lines(content) {
		line = strings.TrimSuffix(line, "\n")
		found := markComment.FindStringSubmatchIndex(line)
		if found == nil {
			lines = append(lines, line)
			continue
		}
		code := line[:found[0]]
		for _, call := range markCall.FindAllStringSubmatch(line[found[2]:found[3]], -1) {
			f.markers = append(f.markers, newMark(call[1], name, len(lines), code, call[2]))
		}
		if code != "" {
			lines = append(lines, code)
		}
	}
	f.files[name] = strings.Join(append(lines, ""), f.eol)
}

func newMark(feature, file string, line int, code, args string) mark {
	word, rest, more := strings.Cut(args, ",")
	m := mark{name: feature, file: file, line: line, word: strings.TrimSpace(word)}
	if more {
		for arg := range strings.SplitSeq(rest, ",") {
			m.args = append(m.args, strings.TrimSpace(arg))
		}
	}
	word, nth, _ := strings.Cut(m.word, "#")
	n, _ := strconv.Atoi(nth)
	if code == "" { // the file is meant
		return m
	}
	for range max(n, 1) {
		at := strings.Index(code[m.at:], word)
		if at < 0 {
			panic(fmt.Sprintf("%s:%d has no %s", file, line+1, m.word))
		}
		m.at += at + len(word)
	}
	m.at -= len(word)
	return m
}

// play asks for all that is marked, and returns the answers.
func (f *fixture) play(t *testing.T) string {
	t.Helper()
	w := newWorld(t, f.files)
	w.caps = f.caps
	if f.enc == text.UTF8 {
		w.caps = strings.Replace(w.caps, "{", `{"general": {"positionEncodings": ["utf-16", "utf-8"]},`, 1)
	}
	f.e = w.start(t)
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		f.e.open(name)
	}
	var b strings.Builder
	for _, m := range f.markers {
		ask, ok := features[m.name]
		if !ok {
			t.Fatalf("%s:%d: no feature %q", m.file, m.line+1, m.name)
		}
		fmt.Fprintf(&b, "%s:%d %s(%s)\n", m.file, m.line+1, m.name, strings.Join(append([]string{m.word}, m.args...), ", "))
		for line := range strings.SplitSeq(strings.Join(ask(f, m), "\n"), "\n") {
			b.WriteString(strings.TrimRight("\t"+line, "\t") + "\n")
		}
	}
	return b.String()
}

// rewrite puts the answers into the archive.
func rewrite(t *testing.T, archive *txtar.Archive, path, answers string) {
	t.Helper()
	files := slices.DeleteFunc(slices.Clone(archive.Files), func(file txtar.File) bool { return file.Name == "answers" })
	out := txtar.Archive{Comment: archive.Comment, Files: append(files, txtar.File{Name: "answers", Data: []byte(answers)})}
	if err := os.WriteFile(path, txtar.Format(&out), 0o644); err != nil {
		t.Fatal(err)
	}
}

// at returns the position of m.
func (f *fixture) at(m mark) protocol.TextDocumentPositionParams {
	lines := f.lines(m.file)
	p := protocol.TextDocumentPositionParams{Position: toPosition(lines.Point(lines.Start(m.line)+m.at, f.enc))}
	p.TextDocument.URI = f.uri(m)
	return p
}

func (f *fixture) uri(m mark) uri.URI { return fileURI(filepath.Join(f.e.dir, m.file)) }

func (f *fixture) lines(name string) *text.Lines { return text.NewLines([]byte(f.files[name])) }

// show underlines a range of a file in its line; of several lines the first
// and the last.
func (f *fixture) show(u uri.URI, r protocol.Range) string {
	path, err := filePath(u)
	if err != nil {
		return err.Error()
	}
	rel, err := filepath.Rel(f.e.dir, path)
	if name := filepath.ToSlash(rel); err == nil && f.files[name] != "" {
		return name + f.inside(name, r)
	}
	return "outside: " + filepath.Base(path)
}

func (f *fixture) inside(name string, r protocol.Range) string {
	lines := f.lines(name)
	span, first, last := toSpan(lines, r, f.enc), lines.Line(int(r.Start.Line)), lines.Line(int(r.End.Line))
	src := f.files[name]
	if first == last {
		return fmt.Sprintf(":%d: %s«%s»%s", r.Start.Line+1, strings.TrimLeft(src[first.Start:span.Start], " \t"), src[span.Start:span.End], src[span.End:last.End])
	}
	return fmt.Sprintf(":%d-%d: %s«%s … %s»%s", r.Start.Line+1, r.End.Line+1,
		strings.TrimLeft(src[first.Start:span.Start], " \t"), src[span.Start:first.End], strings.TrimLeft(src[last.Start:span.End], " \t"), src[span.End:last.End])
}

func (f *fixture) locations(at []protocol.Location) []string {
	out := make([]string, len(at))
	for i, l := range at {
		out[i] = f.show(l.URI, l.Range)
	}
	return out
}

// changed shows the lines that an edit leads to, and why where it is said.
func (f *fixture) changed(edit *protocol.WorkspaceEdit) []string {
	var out []string
	for _, change := range edit.DocumentChanges {
		doc, ok := change.(*protocol.TextDocumentEdit)
		if !ok {
			out = append(out, fmt.Sprintf("%T", change))
			continue
		}
		out = append(out, f.edited(doc, edit.ChangeAnnotations)...)
	}
	for u, list := range edit.Changes {
		doc := &protocol.TextDocumentEdit{}
		doc.TextDocument.URI = u
		for _, e := range list {
			doc.Edits = append(doc.Edits, &e)
		}
		out = append(out, f.edited(doc, nil)...)
	}
	slices.Sort(out)
	return out
}

func (f *fixture) edited(doc *protocol.TextDocumentEdit, notes map[protocol.ChangeAnnotationIdentifier]protocol.ChangeAnnotation) []string {
	var out []string
	for _, e := range doc.Edits {
		switch e := e.(type) {
		case *protocol.TextEdit:
			out = append(out, f.show(doc.TextDocument.URI, e.Range)+" → "+e.NewText)
		case *protocol.AnnotatedTextEdit:
			note := notes[e.AnnotationID]
			asks := ""
			if is(note.NeedsConfirmation) {
				asks = "?"
			}
			out = append(out, fmt.Sprintf("%s → %s [%s%s]", f.show(doc.TextDocument.URI, e.Range), e.NewText, note.Label, asks))
		}
	}
	return out
}

// features are what a mark can ask for.
var features = map[string]func(f *fixture, m mark) []string{
	"definition": func(f *fixture, m mark) []string {
		got, err := f.e.Definition(f.e.t.Context(), &protocol.DefinitionParams{TextDocumentPositionParams: f.at(m)})
		places, _ := got.(protocol.LocationSlice)
		return said(f.locations(places), err)
	},
	"references": func(f *fixture, m mark) []string {
		p := &protocol.ReferenceParams{TextDocumentPositionParams: f.at(m)}
		p.Context.IncludeDeclaration = !slices.Contains(m.args, "others")
		got, err := f.e.References(f.e.t.Context(), p)
		return said(f.locations(got), err)
	},
	"hover": func(f *fixture, m mark) []string {
		got, err := f.e.Hover(f.e.t.Context(), &protocol.HoverParams{TextDocumentPositionParams: f.at(m)})
		if err != nil || got == nil {
			return said(nil, err)
		}
		content, _ := got.Contents.(*protocol.MarkupContent)
		return []string{f.show(f.uri(m), *got.Range), content.Value}
	},
	"symbols": func(f *fixture, m mark) []string {
		p := &protocol.DocumentSymbolParams{}
		p.TextDocument.URI = f.uri(m)
		got, err := f.e.DocumentSymbol(f.e.t.Context(), p)
		tree, _ := got.(protocol.DocumentSymbolSlice)
		return said(outlined(tree, ""), err)
	},
	"search": func(f *fixture, m mark) []string {
		got, err := f.e.Symbols(f.e.t.Context(), &protocol.WorkspaceSymbolParams{Query: m.word})
		var out []string
		switch list := got.(type) {
		case protocol.SymbolInformationSlice:
			for _, s := range list {
				out = append(out, fmt.Sprintf("%s in %q: %s", s.Name, deref(s.ContainerName), f.show(s.Location.URI, s.Location.Range)))
			}
		case protocol.WorkspaceSymbolSlice:
			for _, s := range list {
				whole, err := f.e.WorkspaceSymbolResolve(f.e.t.Context(), &s)
				if err != nil {
					return said(nil, err)
				}
				at, _ := whole.Location.(*protocol.Location)
				out = append(out, fmt.Sprintf("%s, resolved: %s", s.Name, f.show(at.URI, at.Range)))
			}
		}
		return said(out, err)
	},
	"declaration": func(f *fixture, m mark) []string {
		got, err := f.e.Declaration(f.e.t.Context(), &protocol.DeclarationParams{TextDocumentPositionParams: f.at(m)})
		places, _ := got.(protocol.LocationSlice)
		return said(f.locations(places), err)
	},
	"type": func(f *fixture, m mark) []string {
		got, err := f.e.TypeDefinition(f.e.t.Context(), &protocol.TypeDefinitionParams{TextDocumentPositionParams: f.at(m)})
		places, _ := got.(protocol.LocationSlice)
		return said(f.locations(places), err)
	},
	"implementation": func(f *fixture, m mark) []string {
		got, err := f.e.Implementation(f.e.t.Context(), &protocol.ImplementationParams{TextDocumentPositionParams: f.at(m)})
		places, _ := got.(protocol.LocationSlice)
		return said(f.locations(places), err)
	},
	"highlight": func(f *fixture, m mark) []string {
		got, err := f.e.DocumentHighlight(f.e.t.Context(), &protocol.DocumentHighlightParams{TextDocumentPositionParams: f.at(m)})
		out := make([]string, len(got))
		for i, h := range got {
			out[i] = []string{"", "text ", "read ", "write"}[h.Kind] + " " + f.show(f.uri(m), h.Range)
		}
		return said(out, err)
	},
	"folds": func(f *fixture, m mark) []string {
		p := &protocol.FoldingRangeParams{}
		p.TextDocument.URI = f.uri(m)
		got, err := f.e.FoldingRanges(f.e.t.Context(), p)
		out := make([]string, len(got))
		for i, r := range got {
			lines := f.lines(m.file)
			out[i] = fmt.Sprintf("%d-%d %s: %s", r.StartLine+1, r.EndLine+1, r.Kind, lines.Text(lines.Line(int(r.StartLine))))
		}
		return said(out, err)
	},
	"selection": func(f *fixture, m mark) []string {
		p := &protocol.SelectionRangeParams{Positions: []protocol.Position{f.at(m).Position}}
		p.TextDocument.URI = f.uri(m)
		got, err := f.e.SelectionRange(f.e.t.Context(), p)
		if err != nil {
			return said(nil, err)
		}
		var out []string
		for r := &got[0]; r != nil; r = r.Parent {
			out = append(out, f.show(f.uri(m), r.Range))
		}
		return out
	},
	"links": func(f *fixture, m mark) []string {
		p := &protocol.DocumentLinkParams{}
		p.TextDocument.URI = f.uri(m)
		got, err := f.e.DocumentLink(f.e.t.Context(), p)
		out := make([]string, len(got))
		for i, l := range got {
			out[i] = f.show(f.uri(m), l.Range) + " → " + strings.ReplaceAll(string(*l.Target), string(fileURI(f.e.dir)), "…")
		}
		return said(out, err)
	},
	"rename": func(f *fixture, m mark) []string {
		at := f.at(m)
		ready, err := f.e.PrepareRename(f.e.t.Context(), &protocol.PrepareRenameParams{TextDocumentPositionParams: at})
		if err != nil {
			return said(nil, err)
		}
		if p, _ := ready.(*protocol.PrepareRenamePlaceholder); !strings.HasPrefix(m.word, p.Placeholder) {
			return []string{"prepared for " + p.Placeholder}
		}
		got, err := f.e.Rename(f.e.t.Context(), &protocol.RenameParams{TextDocumentPositionParams: at, NewName: m.args[0]})
		if err != nil {
			return said(nil, err)
		}
		return f.changed(got)
	},
	"calls": func(f *fixture, m mark) []string {
		items, err := f.e.PrepareCallHierarchy(f.e.t.Context(), &protocol.CallHierarchyPrepareParams{TextDocumentPositionParams: f.at(m)})
		var out []string
		for _, it := range items {
			out = append(out, f.item(item(it)))
			in, err := f.e.IncomingCalls(f.e.t.Context(), &protocol.CallHierarchyIncomingCallsParams{Item: it})
			if err != nil {
				return said(nil, err)
			}
			for _, c := range in {
				out = append(out, fmt.Sprintf("  from %s: %d", f.item(item(c.From)), len(c.FromRanges)))
			}
			to, err := f.e.OutgoingCalls(f.e.t.Context(), &protocol.CallHierarchyOutgoingCallsParams{Item: it})
			if err != nil {
				return said(nil, err)
			}
			for _, c := range to {
				out = append(out, fmt.Sprintf("  to %s: %d", f.item(item(c.To)), len(c.FromRanges)))
			}
		}
		return said(out, err)
	},
	"types": func(f *fixture, m mark) []string {
		items, err := f.e.PrepareTypeHierarchy(f.e.t.Context(), &protocol.TypeHierarchyPrepareParams{TextDocumentPositionParams: f.at(m)})
		var out []string
		for _, it := range items {
			out = append(out, f.item(item(it)))
			up, err := f.e.Supertypes(f.e.t.Context(), &protocol.TypeHierarchySupertypesParams{Item: it})
			if err != nil {
				return said(nil, err)
			}
			for _, it := range up {
				out = append(out, "  above "+f.item(item(it)))
			}
			down, err := f.e.Subtypes(f.e.t.Context(), &protocol.TypeHierarchySubtypesParams{Item: it})
			if err != nil {
				return said(nil, err)
			}
			for _, it := range down {
				out = append(out, "  below "+f.item(item(it)))
			}
		}
		return said(out, err)
	},
}

func (f *fixture) item(it item) string {
	return fmt.Sprintf("%s (%s, %s)", it.Name, kindName(it.Kind), deref(it.Detail))
}

// said is what the server answered: lines, or an error, or nothing.
func said(lines []string, err error) []string {
	switch {
	case err != nil:
		return []string{"error: " + err.Error()}
	case len(lines) == 0:
		return []string{"nothing"}
	default:
		return lines
	}
}

func outlined(tree []protocol.DocumentSymbol, indent string) []string {
	var out []string
	for _, s := range tree {
		line := fmt.Sprintf("%s%s (%s) %d-%d", indent, s.Name, kindName(s.Kind), s.Range.Start.Line+1, s.Range.End.Line+1)
		if d := deref(s.Detail); d != "" {
			line += " of " + d
		}
		out = append(append(out, line), outlined(s.Children, indent+"  ")...)
	}
	return out
}

func kindName(k protocol.SymbolKind) string {
	for ours, theirs := range symbolKinds {
		if theirs == k {
			return ours.String()
		}
	}
	return fmt.Sprint(k)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// TestMarksAreRead: what the archives ask for is asked, at the right place.
func TestMarksAreRead(t *testing.T) {
	f := newFixture(txtar.Parse([]byte("-- a.go --\npackage a\n//@ symbols()\nvar b = b //@ hover(b#2) rename(b, c)\n")), "\r\n", text.UTF8)
	want := []mark{
		{name: "symbols", file: "a.go", line: 1},
		{name: "hover", file: "a.go", line: 1, at: 8, word: "b#2"},
		{name: "rename", file: "a.go", line: 1, at: 4, word: "b", args: []string{"c"}},
	}
	if diff := cmp.Diff(want, f.markers, cmp.AllowUnexported(mark{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := f.files["a.go"]; got != "package a\r\nvar b = b\r\n" {
		t.Errorf("the workspace has %q", got)
	}
}
