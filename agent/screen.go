package agent

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/agentls/agentls/agent/secrets"
	"github.com/agentls/agentls/edits/text"
)

// A Screen is the gate of one conversation. Where a text that leaves has a
// secret, it puts a placeholder, and puts the secret back where the placeholder
// comes back.
//
// The same secret has the same placeholder as long as Gate.Key is the same, and
// the same text leaves the same way each time, so that requests only grow. It
// may be used by several goroutines.
type Screen struct {
	gate *Gate
	read func(path string) ([]byte, error) // what paths hold; nil: nobody knows

	mu      sync.Mutex
	left    map[text.Hash]*string // texts as they left, by what they were; nil: as they were; guarded by mu
	hidden  map[string]string     // placeholders by secret; guarded by mu
	learned map[text.Hash]bool    // contents whose secrets are in hidden; guarded by mu
	alone   []string              // what distinct returns; nil: to be made; guarded by mu
	secrets map[string]string     // by the ends of their placeholders; guarded by mu
	written map[string]bool       // what looks like a placeholder, and stands in a file; guarded by mu
}

// PlaceholderPrefix begins every placeholder.
const PlaceholderPrefix = secrets.Prefix

// A Withholding is something that a screen kept back. It never has the secret.
type Withholding struct {
	Rule  string `json:"rule"`
	Path  string `json:"path,omitempty"` // "": it was in no file, or nobody knows in which
	Count int    `json:"count"`
}

// Screen returns a screen for one conversation. Read returns the content of the
// files whose parts are in its texts, by which a secret is known even where a
// text shows a piece of it; it may be nil.
func (g *Gate) Screen(read func(path string) ([]byte, error)) *Screen {
	return &Screen{gate: g, read: read, left: map[text.Hash]*string{}, hidden: map[string]string{}, learned: map[text.Hash]bool{}, secrets: map[string]string{}, written: map[string]bool{}}
}

// Screen returns a screen for a conversation about d.
func (d *Draft) Screen(ctx context.Context) *Screen {
	return d.gate.Screen(func(path string) ([]byte, error) { return d.ReadFile(ctx, path) })
}

// Clean returns in as it may leave. Paths are the files whose content is in it.
func (s *Screen) Clean(in string, paths ...string) string {
	key := text.HashOf([]byte(in))
	s.mu.Lock()
	defer s.mu.Unlock()
	if out, known := s.left[key]; known {
		return orElse(out, in)
	}
	for _, path := range paths {
		s.learn(path)
	}
	path := ""
	if len(paths) == 1 {
		path = paths[0]
	}
	out := s.replace(in, path, nil)
	s.left[key] = nil
	if out != in {
		s.left[key] = &out
	}
	return out
}

func orElse(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return *s
}

// CleanSince is Clean for the content of the file at path that goes where
// before, an older content of it, already is: what is a secret in that one is
// left as it is.
func (s *Screen) CleanSince(before, in, path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replace(in, path, func(secret string) bool { return strings.Contains(before, secret) })
}

// Rules returns the rules by which in holds secrets, each once, sorted. It keeps
// nothing of them.
func (s *Screen) Rules(in string) []string {
	var rules []string
	for _, f := range secrets.Default().Find(in) {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// Learn notes the secrets of content, so that Restore knows their placeholders.
func (s *Screen) Learn(content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(content)
}

// maxLearned is how many bytes of a file are looked through for the secrets of
// a text that shows parts of it.
const maxLearned = 4 << 20

// learn notes the secrets of the file at path. mu is held.
func (s *Screen) learn(path string) {
	if s.read == nil {
		return
	}
	if content, err := s.read(path); err == nil { // a file that is gone shows nothing more
		s.note(content)
	}
}

// note is Learn. mu is held.
func (s *Screen) note(content []byte) {
	key := text.HashOf(content)
	if len(content) > maxLearned || s.learned[key] {
		return
	}
	s.learned[key] = true
	whole := string(content)
	for _, p := range held.FindAllString(whole, -1) {
		s.written[p] = true
	}
	for _, f := range secrets.Default().Find(whole) {
		s.placeholder(whole[f.Span.Start:f.Span.End], f.Rule)
	}
}

// replace returns in with placeholders, but for what is open to all where in
// goes, and has what it kept back recorded. Open may be nil. mu is held.
func (s *Screen) replace(in, path string, open func(secret string) bool) string {
	found := secrets.Default().Find(in)
	if open != nil {
		isOpen := func(f secrets.Found) bool { return open(in[f.Span.Start:f.Span.End]) }
		found = slices.DeleteFunc(slices.Clone(found), isOpen)
	}
	for _, f := range found {
		s.placeholder(in[f.Span.Start:f.Span.End], f.Rule)
	}
	var out strings.Builder
	counts := map[string]int{}
	at := 0
	for _, f := range found {
		out.WriteString(s.replaceKnown(in[at:f.Span.Start], counts, open))
		out.WriteString(s.placeholder(in[f.Span.Start:f.Span.End], f.Rule))
		counts[f.Rule]++
		at = f.Span.End
	}
	out.WriteString(s.replaceKnown(in[at:], counts, open))
	for rule, count := range counts {
		s.gate.record(Withholding{Rule: rule, Path: path, Count: count})
	}
	return out.String()
}

// known is the rule of what is no secret by itself, but was one elsewhere.
const known = "known-secret"

// replaceKnown returns in with placeholders for the secrets that were found
// before, where they stand alone. mu is held.
func (s *Screen) replaceKnown(in string, counts map[string]int, open func(string) bool) string {
	if len(s.hidden) == 0 || in == "" {
		return in
	}
	n := 0
	for _, secret := range s.distinct() {
		if !strings.Contains(in, secret) || open != nil && open(secret) {
			continue
		}
		in = replaceAlone(in, secret, s.hidden[secret], &n)
	}
	if n > 0 {
		counts[known] += n
	}
	return in
}

// replaceAlone returns in with new for old, where that stands alone, and adds
// to n how often.
func replaceAlone(in, old, new string, n *int) string {
	var out strings.Builder
	for {
		i := strings.Index(in, old)
		if i < 0 {
			return out.String() + in
		}
		end := i + len(old)
		if standsAlone(in, i, end) {
			out.WriteString(in[:i] + new)
			*n++
		} else {
			out.WriteString(in[:end])
		}
		in = in[end:]
	}
}

// distinct returns the secrets that are known where nothing around them says
// what they are, the longest first. mu is held.
func (s *Screen) distinct() []string {
	if s.alone != nil {
		return s.alone
	}
	out := []string{}
	for secret := range s.hidden {
		if isDistinct(secret) {
			out = append(out, secret)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	s.alone = out
	return out
}

// isDistinct reports whether a text that has secret in it means the secret. A
// word, such as a password that is the name of a month, may be anything.
func isDistinct(secret string) bool {
	const short, long = 8, 16 // bytes
	isWordy := !strings.ContainsAny(secret, "0123456789!@#$%^&*+/=~")
	return len(secret) >= long || len(secret) >= short && !isWordy
}

// standsAlone reports whether in[start:end] is no part of a longer word.
func standsAlone(in string, start, end int) bool {
	isWord := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	return (start == 0 || !isWord(in[start-1]) || !isWord(in[start])) && (end == len(in) || !isWord(in[end]) || !isWord(in[end-1]))
}

// placeholder returns what takes the place of secret. mu is held.
func (s *Screen) placeholder(secret, rule string) string {
	if p, ok := s.hidden[secret]; ok {
		return p
	}
	mac := hmac.New(sha256.New, s.gate.Key)
	mac.Write([]byte(secret))
	sum := hex.EncodeToString(mac.Sum(nil)[:sumLength/2])
	p := secrets.Prefix + strings.ReplaceAll(rule, "-", "_") + "_" + sum
	s.hidden[secret], s.secrets[sum], s.alone = p, secret, nil
	return p
}

const sumLength = 12 // of the end of a placeholder, in hexadecimal digits

// held matches a placeholder. What it is made of the secret by is its end: the
// rule is that of the place where a conversation had the secret first.
var held = regexp.MustCompile(secrets.Prefix + `[a-z0-9_]+?_([0-9a-f]{12})`)

// Restore returns s with the secrets for their placeholders.
func (s *Screen) Restore(in string) string {
	return s.restore(in, func(secret string) string { return secret })
}

// RestoreJSON is Restore for the strings of a JSON text.
func (s *Screen) RestoreJSON(in json.RawMessage) json.RawMessage {
	return json.RawMessage(s.restore(string(in), inJSON))
}

func (s *Screen) restore(in string, as func(secret string) string) string {
	if !strings.Contains(in, secrets.Prefix) {
		return in
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return held.ReplaceAllStringFunc(in, func(p string) string {
		if secret, ok := s.secrets[p[len(p)-sumLength:]]; ok {
			return as(secret)
		}
		return p
	})
}

// Unknown returns a placeholder in a text of the model that stands for no secret
// known here and is not what a file says; "" where there is none.
func (s *Screen) Unknown(in string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range held.FindAllString(in, -1) {
		if _, ok := s.secrets[p[len(p)-sumLength:]]; !ok && !s.written[p] {
			return p
		}
	}
	return ""
}

// inJSON returns s as it stands in a string of JSON.
func inJSON(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return s
	}
	return string(raw[1 : len(raw)-1])
}
