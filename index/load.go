package index

import (
	"os"

	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/lang"
	"github.com/agentls/agentls/index/syntax"
)

// How one file on disk becomes one of the index: from the cache, by a glance, or
// parsed.

// An origin says where a file came from.
type origin uint8

const (
	vanished origin = iota
	parsed
	cached
	skimmed // for now: to be parsed
)

// loaded is what a worker made of an entry.
type loaded struct {
	entry  entry
	file   *file
	origin origin
	blob   []byte // for the cache; nil: it has this
}

// glance makes a file of e without parsing. It reads the content only if the
// cache does not know it by size and time.
func (w *Workspace) glance(e entry) loaded {
	language := lang.Of(e.path, "")
	old := w.cache.load(e.path, language)
	if old != nil && old.size == e.size && old.modTime == e.modTime {
		return loaded{entry: e, file: old, origin: cached}
	}
	content, known := w.read(e, language, old)
	if known != nil {
		return *known
	}
	f := &file{path: e.path, size: e.size, modTime: e.modTime, lang: language}
	if language != nil && sniff(content) == notSkipped {
		f.hold(skim(language, content))
	}
	return loaded{entry: e, file: f, origin: skimmed}
}

// read returns the content of e; or, where nothing new is in it, what e is
// without.
func (w *Workspace) read(e entry, language *lang.Language, old *file) (content []byte, known *loaded) {
	var as loaded
	if why := unread(e, language); why != notSkipped {
		as = nameOnly(e, language, why)
		return nil, &as
	}
	content, err := os.ReadFile(e.path)
	switch {
	case err != nil:
		as = loaded{entry: e, origin: vanished}
	case old != nil && old.hash == text.HashOf(content):
		as = w.unchanged(e, old)
	default:
		return content, nil
	}
	return nil, &as
}

// unread says why the content of e is of no use to the index.
func unread(e entry, language *lang.Language) skip {
	switch {
	case language == nil && !isManifest(e.path):
		return skipLanguage
	case e.size > maxSkim:
		return skipLarge
	default:
		return notSkipped
	}
}

func nameOnly(e entry, language *lang.Language, why skip) loaded {
	return loaded{entry: e, file: &file{path: e.path, size: e.size, modTime: e.modTime, lang: language, skipped: why}, origin: parsed}
}

// unchanged is old, whose content is that of e, with the time of e.
func (w *Workspace) unchanged(e entry, old *file) loaded {
	packed, blob := old.at(e.modTime).pack()
	return loaded{entry: e, file: packed, origin: cached, blob: w.cache.wanted(blob)}
}

// isProvisional reports whether f was skimmed and is still to be parsed.
func (f *file) isProvisional() bool { return f.hash.IsZero() && f.skipped == notSkipped }

// reread makes a file of the content of e, which it parses if it is not that
// of old, which may be nil.
func (w *Workspace) reread(p *syntax.Parser, e entry, old *file) loaded {
	language := lang.Of(e.path, "")
	content, known := w.read(e, language, old)
	if known != nil {
		return *known
	}
	f := parseFile(p, e.path, language, content)
	f.modTime = e.modTime
	f.outline().place(content)
	packed, blob := f.pack()
	return loaded{entry: e, file: packed, origin: parsed, blob: w.cache.wanted(blob)}
}
