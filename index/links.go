package index

import (
	"bytes"
	"context"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/agentls/agentls/edits/text"
)

// A Link is a place in a Markdown file that leads elsewhere.
type Link struct {
	Span   text.Span // of where it leads, as written
	URL    string    // "" for a link to a file
	Path   string    // absolute; that of the file itself for "#heading"
	Anchor string    // behind the #; "" for the whole file
}

// A heading is a headline of a Markdown file.
type heading struct {
	span   text.Span // of its text
	anchor string    // as GitHub makes it
}

const (
	maxLinks = 5000 // of one file
	maxPages = 5000 // files that are read for the links to one place
)

var (
	inlineLink = regexp.MustCompile(`\]\(\s*<?([^\s()<>]+)>?(?:\s+["'(][^\n]*?["')])?\s*\)`)
	linkTarget = regexp.MustCompile(`^ {0,3}\[[^\]]+\]:\s*<?([^\s<>]+)>?`)
	atxHeading = regexp.MustCompile(`^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$`)
	underline  = regexp.MustCompile(`^ {0,3}(=+|-{2,})[ \t]*$`)
	fence      = regexp.MustCompile("^ {0,3}(```+|~~~+)")
	codeSpan   = regexp.MustCompile("`[^`\n]*`")
)

func isMarkdown(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".md" || ext == ".markdown"
}

// prose calls visit with each line of a Markdown text outside of fenced code,
// without its end, and with where it begins.
func prose(src []byte, visit func(start int, line []byte)) {
	start, closer := 0, ""
	for line := range bytes.Lines(src) {
		bare := bytes.TrimRight(line, "\r\n")
		mark := fence.FindSubmatch(bare)
		switch {
		case closer == "" && mark != nil:
			closer = string(mark[1])
		case closer == "":
			visit(start, bare)
		case mark != nil && strings.HasPrefix(string(mark[1]), closer):
			closer = ""
		}
		start += len(line)
	}
}

// Links returns the links of a Markdown file in order; nil for other files.
// Those that lead out of the workspace's folders are left out.
func (s *Snapshot) Links(ctx context.Context, path string) ([]Link, error) {
	if !isMarkdown(path) {
		return nil, nil
	}
	src, err := s.ReadFile(ctx, path)
	if err != nil {
		return nil, err
	}
	var links []Link
	prose(src, func(start int, line []byte) {
		code := codeSpan.FindAllIndex(line, -1)
		for _, m := range append(inlineLink.FindAllSubmatchIndex(line, -1), linkTarget.FindAllSubmatchIndex(line, -1)...) {
			span := text.Span{Start: m[2], End: m[3]}
			inCode := false
			for _, c := range code {
				inCode = inCode || c[0] <= span.Start && span.End <= c[1]
			}
			if link, ok := s.link(path, string(line[m[2]:m[3]])); ok && !inCode && len(links) < maxLinks {
				link.Span = span.Shift(start)
				links = append(links, link)
			}
		}
	})
	return links, nil
}

// link says where what a file has for a destination leads.
func (s *Snapshot) link(from, destination string) (Link, bool) {
	u, err := url.Parse(destination)
	switch {
	case err != nil:
		return Link{}, false
	case u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "mailto":
		return Link{URL: destination}, true
	case u.Scheme != "" || u.Host != "":
		return Link{}, false
	}
	root, ok := s.root(from)
	to := filepath.FromSlash(u.Path)
	switch {
	case to == "":
		return Link{Path: from, Anchor: u.Fragment}, u.Fragment != ""
	case strings.HasPrefix(u.Path, "/"):
		to = filepath.Join(root, to)
	default:
		to = filepath.Join(filepath.Dir(from), to)
	}
	_, inside := s.root(to)
	return Link{Path: to, Anchor: u.Fragment}, ok && inside
}

// headings returns the headlines of a Markdown text. Of several with one text,
// the later ones are numbered.
func headings(src []byte) []heading {
	var found []heading
	seen := map[string]int{}
	add := func(start int, title []byte) {
		anchor := anchorOf(string(title))
		n := seen[anchor]
		seen[anchor]++
		if n > 0 {
			anchor += "-" + strconv.Itoa(n)
		}
		found = append(found, heading{text.Span{Start: start, End: start + len(title)}, anchor})
	}
	lastStart, last := 0, []byte(nil)
	prose(src, func(start int, line []byte) {
		if m := atxHeading.FindSubmatchIndex(line); m != nil {
			add(start+m[2], line[m[2]:m[3]])
			line = nil
		} else if underline.Match(line) && len(bytes.TrimSpace(last)) > 0 && lastStart+len(last) < start {
			add(lastStart, last)
			line = nil
		}
		lastStart, last = start, line
	})
	return found
}

// anchorOf returns the name by which links know a headline, as GitHub makes it.
func anchorOf(title string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == ' ':
			return '-'
		case c == '-' || c == '_' || unicode.IsLetter(c) || unicode.IsNumber(c):
			return unicode.ToLower(c)
		default:
			return -1
		}
	}, strings.TrimSpace(title))
}

// anchor returns the headline of a file that a link leads to; of no anchor, or
// an unknown one, the file's beginning.
func (s *Snapshot) anchor(ctx context.Context, l Link) (text.Span, error) {
	src, err := s.ReadFile(ctx, l.Path)
	if err != nil {
		return text.Span{}, err
	}
	for _, h := range headings(src) {
		if h.anchor == l.Anchor {
			return h.span, nil
		}
	}
	return text.Span{}, nil
}

// Target returns where in its file a link leads: to a headline, or the
// beginning. The errors are those of ReadFile.
func (s *Snapshot) Target(ctx context.Context, l Link) (text.Span, error) {
	if l.Anchor == "" || !isMarkdown(l.Path) {
		return text.Span{}, nil
	}
	return s.anchor(ctx, l)
}

// linkAt returns what offset of a Markdown file is about: where the link there
// leads, or the headline there.
func (s *Snapshot) linkAt(ctx context.Context, path string, offset int) (Link, bool, error) {
	links, err := s.Links(ctx, path)
	if err != nil {
		return Link{}, false, err
	}
	for _, l := range links {
		if l.Span.Contains(offset) && l.URL == "" {
			return l, true, nil
		}
	}
	src, err := s.ReadFile(ctx, path)
	if err != nil {
		return Link{}, false, err
	}
	for _, h := range headings(src) {
		if h.span.Contains(offset) {
			return Link{Path: path, Anchor: h.anchor}, true, nil
		}
	}
	return Link{}, false, nil
}

// LinkedFrom returns where the link or headline at offset of a Markdown file
// leads, as a definition, and the links of all files that lead there too.
func (s *Snapshot) LinkedFrom(ctx context.Context, path string, offset int) ([]Reference, error) {
	if !isMarkdown(path) {
		return nil, nil
	}
	to, ok, err := s.linkAt(ctx, path, offset)
	if err != nil || !ok {
		return nil, err
	}
	var refs []Reference
	if span, err := s.Target(ctx, to); err == nil { // else it leads to nothing
		refs = append(refs, Reference{Path: to.Path, Span: span, Certainty: Certain, Definition: true})
	}
	pages := 0
	for page := range s.Files() {
		if !isMarkdown(page) || pages == maxPages {
			continue
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		pages++
		links, err := s.Links(ctx, page)
		if err != nil {
			continue // it went since it was indexed
		}
		for _, l := range links {
			if l.Path == to.Path && l.Anchor == to.Anchor {
				refs = append(refs, Reference{Path: page, Span: l.Span, Certainty: Certain})
			}
		}
	}
	return refs, nil
}
