package index

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/agentls/agentls/edits/text"
)

// A Match is one line that a pattern matched.
type Match struct {
	Path string
	Line int       // from 0
	Span text.Span // of the first match in the line, in bytes of the file
	Text string    // the line without its ending, at most 1,000 bytes
}

const maxMatchText = 1000 // bytes

// Grep returns the lines that re matches in the indexed files at or below the
// folder or file under ("" for all), at most limit, by path and line. Open
// documents count in place of the disk. Binary files, and those that cannot be
// read, are left out.
func (s *Snapshot) Grep(ctx context.Context, re *regexp.Regexp, under string, limit int) ([]Match, error) {
	var paths []string
	for path := range s.filesFrom(under) {
		if under != "" && !strings.HasPrefix(path, under) {
			break
		}
		if under == "" || below(path, under) {
			paths = append(paths, path)
		}
	}
	return s.GrepFiles(ctx, re, paths, limit)
}

// GrepFiles is Grep for the files at paths, in the order of paths.
func (s *Snapshot) GrepFiles(ctx context.Context, re *regexp.Regexp, paths []string, limit int) ([]Match, error) {
	g := &grep{snap: s, re: re, multi: inText(re), limit: limit, found: make([][]Match, len(paths)), ended: make([]bool, len(paths))}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, path := range paths {
		if g.enough() || gctx.Err() != nil {
			break
		}
		group.Go(func() error { return g.file(gctx, i, path) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil && !g.enough() {
		return nil, context.Cause(ctx)
	}
	all := slices.Concat(g.found...)
	return all[:min(len(all), max(limit, 0))], nil
}

// A grep is one Grep.
type grep struct {
	snap  *Snapshot
	re    *regexp.Regexp
	multi *regexp.Regexp // see inText
	limit int

	mu    sync.Mutex
	found [][]Match // by file
	done  int       // files in a row from the first; their matches count
	ended []bool
	sum   int // of matches in those
}

// enough reports whether the first files alone have as many matches as wanted.
func (g *grep) enough() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sum >= g.limit
}

func (g *grep) file(ctx context.Context, i int, path string) error {
	if g.enough() {
		return nil
	}
	content, err := g.snap.peek(ctx, path)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var found []Match
	if err == nil && !errors.Is(text.Check(content), text.ErrBinary) {
		found = g.lines(path, content)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.found[i], g.ended[i] = found, true
	for g.done < len(g.ended) && g.ended[g.done] {
		g.sum += len(g.found[g.done])
		g.done++
	}
	return nil
}

// peek is ReadFile for content that is not kept: pinning a whole workspace
// would hold it in memory.
func (s *Snapshot) peek(ctx context.Context, path string) ([]byte, error) {
	_, pinned := s.memo.pins.Load(path)
	if pinned || s.docs[path] != nil {
		return s.ReadFile(ctx, path)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.readDisk(path)
}

// inText returns re as it must be to find candidates in a whole text, where
// every line that re matches begins; nil if there is no such expression.
func inText(re *regexp.Regexp) *regexp.Regexp {
	if strings.Contains(re.String(), `\A`) || strings.Contains(re.String(), `\z`) {
		return nil
	}
	multi, err := regexp.Compile("(?m:" + re.String() + ")")
	if err != nil {
		return nil
	}
	return multi
}

// lines returns the lines of content that match. It searches the whole text
// for the next candidate, which is much faster than line by line.
func (g *grep) lines(path string, content []byte) []Match {
	multi := g.multi
	if bytes.IndexByte(content, '\r') >= 0 { // a $ before it is one for a line only
		multi = nil
	}
	if multi != nil && !multi.Match(content) {
		return nil
	}
	var found []Match
	lines := text.NewLines(content)
	for i := 0; i < lines.Count() && len(found) < g.limit; i++ {
		if multi != nil {
			at := multi.FindIndex(content[lines.Start(i):])
			if at == nil {
				break
			}
			i = lines.LineAt(lines.Start(i) + at[0])
		}
		span := lines.Line(i)
		if at := g.re.FindIndex(lines.Text(span)); at != nil {
			found = append(found, Match{Path: path, Line: i, Span: text.Span{Start: at[0], End: at[1]}.Shift(span.Start), Text: clipLine(lines.Text(span))})
		}
	}
	return found
}

func clipLine(line []byte) string {
	return strings.ToValidUTF8(string(line[:min(len(line), maxMatchText)]), "\uFFFD")
}
