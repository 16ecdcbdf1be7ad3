package secrets

import (
	_ "embed"
	"fmt"
	"math"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// The rules of gitleaks v8.30.1, as they are, and ours.
var (
	//go:embed gitleaks.toml
	gitleaksRules []byte
	//go:embed own.toml
	ownRules []byte
)

// A rule finds secrets of one kind.
type rule struct {
	ID         string      `toml:"id"`
	Regex      string      `toml:"regex"`
	Group      int         `toml:"secretGroup"` // of Regex; 0: the first that matches
	Entropy    float64     `toml:"entropy"`     // bits a character; a secret has more
	Varied     bool        `toml:"varied"`      // a secret has two of letters, digits and signs
	Named      bool        `toml:"named"`       // what Regex finds is known by the name before it alone
	Keywords   []string    `toml:"keywords"`    // in lower case; one is near each secret
	Allowlists []allowlist `toml:"allowlists"`

	assigns bool // Regex wants a value behind a keyword and an operator
	regex   func() *regexp.Regexp
}

// An allowlist names what looks like a secret and is none.
type allowlist struct {
	Target    string   `toml:"regexTarget"` // what Regexes are held against: "", which is the secret, "match" or "line"
	Regexes   []string `toml:"regexes"`
	Stopwords []string `toml:"stopwords"` // in lower case; a secret has none in it
	Paths     []string `toml:"paths"`     // of files; a text has none, so such a list counts for nothing

	compiled func() []*regexp.Regexp
}

type ruleFile struct {
	Allowlist allowlist `toml:"allowlist"` // for all rules
	Rules     []rule    `toml:"rules"`
}

// assignment is what gitleaks puts between a keyword and a value.
const assignment = `[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)`

// load reads both files. A regular expression is compiled when it is first
// needed: all of them take 50 ms, and most texts need a few.
func load() (rules []rule, general allowlist, err error) {
	var theirs, ours ruleFile
	if err := toml.Unmarshal(gitleaksRules, &theirs); err != nil {
		return nil, general, fmt.Errorf("rules of gitleaks: %w", err)
	}
	if err := toml.Unmarshal(ownRules, &ours); err != nil {
		return nil, general, fmt.Errorf("own rules: %w", err)
	}
	for _, r := range append(ours.Rules, theirs.Rules...) {
		if r.Regex == "" || r.ID == "private-key" || r.ID == "kubernetes-secret-yaml" {
			continue // a rule about names of files; or of several lines: see blocks.go
		}
		r.Named = r.Named || r.ID == "generic-api-key" || r.ID == "hashicorp-tf-password"
		r.prepare()
		rules = append(rules, r)
	}
	theirs.Allowlist.prepare()
	return rules, theirs.Allowlist, nil
}

func (r *rule) prepare() {
	r.assigns = strings.Contains(r.Regex, assignment)
	r.regex = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(r.Regex) })
	for i := range r.Allowlists {
		r.Allowlists[i].prepare()
	}
}

func (a *allowlist) prepare() {
	a.compiled = sync.OnceValue(func() []*regexp.Regexp {
		out := make([]*regexp.Regexp, len(a.Regexes))
		for i, source := range a.Regexes {
			out[i] = regexp.MustCompile(source)
		}
		return out
	})
}

// allows reports whether a says that secret, in match, in line, is none.
func (a *allowlist) allows(secret, match, line string) bool {
	if len(a.Paths) > 0 && a.Target != "" {
		return false // it holds for files of some kind alone
	}
	subject := secret
	switch a.Target {
	case "match":
		subject = match
	case "line":
		subject = line
	}
	for _, re := range a.compiled() {
		if re.MatchString(subject) {
			return true
		}
	}
	lower := strings.ToLower(secret)
	for _, word := range a.Stopwords {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// accepts reports whether secret, which r's expression found in match, is one.
func (r *rule) accepts(secret, match, line string) bool {
	if r.Entropy > 0 && entropy(secret) <= r.Entropy || r.Varied && !isVaried(secret) {
		return false
	}
	for i := range r.Allowlists {
		if r.Allowlists[i].allows(secret, match, line) {
			return false
		}
	}
	return true
}

// entropy returns Shannon's, in bits a character.
func entropy(s string) float64 {
	counts := map[rune]int{}
	for _, r := range s {
		counts[r]++
	}
	bits, n := 0.0, float64(utf8.RuneCountInString(s))
	for _, count := range counts {
		p := float64(count) / n
		bits -= p * math.Log2(p)
	}
	return bits
}

// isVaried reports whether s has two of letters, digits and signs.
func isVaried(s string) bool {
	var letters, digits, signs bool
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits = true
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			letters = true
		case r != '_' && r != '-' && r != '.':
			signs = true
		}
	}
	return letters && digits || letters && signs || digits && signs
}
