package secrets

import (
	"regexp"
	"slices"
	"strings"

	"github.com/agentls/agentls/edits/text"
)

// A setting is a value that a rule takes for a secret because of the name before
// it: `DB_PASSWORD=hunter2`. Most of what stands there in programs is no secret
// but code, or says what it is.
type setting struct {
	name   string // "DB_PASSWORD", "config.password"
	value  string
	quoted bool
	spaced bool   // by an = with a blank before it, as in programs
	rest   string // of the line, behind value
}

// settingAt returns the value in s at span with the name before it.
func settingAt(s string, span text.Span) setting {
	end := span.Start
	for end > 0 && strings.IndexByte(" \t\r\n'\"`=:>|?,])\\", s[end-1]) >= 0 {
		end--
	}
	start := end
	for start > 0 && (isWord(s[start-1]) || s[start-1] == '.' || s[start-1] == '-') {
		start--
	}
	rest := s[span.End:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	value := s[span.Start:span.End]
	quoted := span.Start > 0 && strings.IndexByte("'\"`", s[span.Start-1]) >= 0
	spaced := strings.HasPrefix(s[end:], " = ") || strings.HasPrefix(s[end:], " := ")
	return setting{name: s[start:end], value: value, quoted: quoted, spaced: spaced, rest: rest}
}

// isCode reports whether the value is plainly no secret.
func (s setting) isCode() bool {
	if isNumber.MatchString(s.value) || isFormat(s.value) || s.isProse() || s.isNumbered() || s.isDigest() {
		return true
	}
	if s.quoted {
		return isRoute(s.value) || s.isEcho() || s.isKeyName()
	}
	return s.isExpression() || (strings.IndexByte("/.~", s.value[0]) >= 0 || strings.Count(s.value, "/") > 1) && isRoute(s.value)
}

// isNumber matches a number as programs write it. One of more than 64 bits may
// be a key, and one of digits alone a password.
var isNumber = regexp.MustCompile(`^[-+]?(?:0[xX][0-9a-fA-F]{1,16}|\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)$`)

var (
	verb  = regexp.MustCompile(`(^|[ _.:-])%[-+#0]?\d?[sdvqxTw]($|[ _.:-])`)
	named = regexp.MustCompile(`^[A-Za-z_ .:-]*$`)
)

// isFormat reports whether value is words around the verbs of a format: the
// "token-%d" of a test.
func isFormat(value string) bool {
	return verb.MatchString(value) && named.MatchString(verb.ReplaceAllString(value, "$1$2"))
}

var (
	sentence = regexp.MustCompile(`^(?:[A-Z][a-z]+|[A-Z]+|[A-Z]?[a-z]+[.,]?)(?:[ \t]+\(?[A-Za-z'-]+\)?[.,:]?){2,}`)
	particle = regexp.MustCompile(`(?i)\b(?:an?|the|of|to|is|are|in|for|with|that|and|or|not|by|from|this|if|has|have|be|cannot|must)\b`)
)

// isProse reports whether a sentence begins with the value, as behind a name in
// documentation. The words of a passphrase are no sentence.
func (s setting) isProse() bool {
	line := s.value
	if !s.quoted {
		line += s.rest
	}
	return s.value[0] >= 'A' && s.value[0] <= 'Z' && sentence.MatchString(line) && particle.MatchString(line)
}

var numbered = regexp.MustCompile(`^(?:[a-z]+-)*(?:token|bearer)(?:-[a-z]+)*-\d{1,3}$`)

// isNumbered reports whether a token is a word and a number, as tests call
// theirs: tokens are made by machines, other than passwords.
func (s setting) isNumbered() bool {
	return numbered.MatchString(s.value) && !s.isPassword()
}

var digested = regexp.MustCompile(`(?i)(?:sha-?\d(?:-?\d+)*|md5|fingerprint|checksum|digest|integrity)$`)

// isDigest reports whether the name says that the value is a digest: of a key,
// it is public; of a password, it can be guessed at.
func (s setting) isDigest() bool {
	return digested.MatchString(s.name) && !s.isPassword() && !strings.Contains(strings.ToLower(s.name), "secret")
}

// isPassword reports whether the name says that a person chose the value.
func (s setting) isPassword() bool {
	name := strings.ToLower(s.name)
	return strings.Contains(name, "pass") || strings.Contains(name, "pwd")
}

var (
	segment = regexp.MustCompile(`^(?:~|(?:[a-z_-]*\d?\.)*[a-z_-]*\d?|v\d+(?:\.\d+)?(?:alpha|beta)?\d?|\d{1,9}|[a-z]+(?:[A-Z][a-z]+)+)$`)
	between = regexp.MustCompile(`[/:#]`)
)

// isRoute reports whether value is a path of a file or an address, made of
// words: "/oauth2/v2.0/token".
func isRoute(value string) bool {
	parts := between.Split(value, -1)
	return len(parts) > 1 && strings.Contains(value, "/") &&
		!slices.ContainsFunc(parts, func(part string) bool { return !segment.MatchString(part) })
}

// isEcho reports whether the value says the words of its name again, as the
// constants of programs do: WEAK_PASSWORD = "weak-password".
func (s setting) isEcho() bool {
	value := s.value
	if i := strings.LastIndexAny(value, "/:#"); i >= 0 {
		value = value[i+1:]
	}
	said, name := words(value), words(last(s.name))
	if len(said) < 2 || len(name) < 2 || !isWordy(s.value) {
		return false
	}
	isNew := func(word string) bool { return !slices.Contains(name, word) }
	if value != s.value && len(said) >= len(name) && slices.Equal(said[:len(name)], name) {
		return true
	}
	return !slices.ContainsFunc(said, isNew)
}

var identifier = regexp.MustCompile(`^[A-Za-z]+(?:_[A-Za-z]+)*$`)

// isKeyName reports whether the value is the name of a key or a token, which
// are made by machines: ACCESS_KEY = "aws_access_key_id".
func (s setting) isKeyName() bool {
	name, said := words(s.name), words(s.value)
	return len(name) > 0 && slices.Contains([]string{"key", "token", "credential"}, name[len(name)-1]) && !s.isPassword() &&
		len(said) > 1 && identifier.MatchString(s.value) && isWordy(s.value) && saysSecret(s.value)
}

var (
	chain    = regexp.MustCompile(`^[A-Za-z_$][\w$]*(?:(?:\?\.|!?\.|::|->)[A-Za-z_$][\w$]*)+[!(]?$`)
	call     = regexp.MustCompile(`^([A-Za-z_$][\w$.?:]*)[(\[{<]`)
	let      = regexp.MustCompile(`^[A-Za-z_$][\w$.]*=[A-Za-z_$][\w$.]*$`)
	typeName = regexp.MustCompile(`^(?:Big)?(?:Uint|Int|Float)\d+(?:Clamped)?Array$`)
	another  = regexp.MustCompile(`^[A-Za-z_$][\w$]*$`)
)

// isExpression reports whether the value, which is not in quotes, is an
// expression of a program: another variable, its field, a call. The words of
// names tell it from a token with a dot in it.
func (s setting) isExpression() bool {
	value := strings.TrimLeft(s.value, "(&*!")
	closed := strings.TrimRight(value, ")]}:;,")
	goesOn := s.goesOn() || closed != value || strings.HasSuffix(value, "(")
	if !strings.ContainsAny(closed, "([{") {
		value = closed
	}
	switch {
	case typeName.MatchString(value), value != s.value && isExample(value):
		return true
	case call.MatchString(value):
		callee := call.FindStringSubmatch(value)[1]
		isMethod := strings.Contains(callee, ".") && strings.HasSuffix(s.value, ")")
		return isWordy(callee) || isMethod || len(callee) < 4 && !strings.ContainsAny(callee, "0123456789")
	case chain.MatchString(value):
		return last(value) == last(s.name) || isWordy(value) && (goesOn || saysSecret(value))
	case another.MatchString(value):
		return s.isField() || isWordy(value) && s.isAnother(value, goesOn)
	}
	left, _, isLet := strings.Cut(value, "=")
	return isLet && let.MatchString(value) && isWordy(value) && (strings.Contains(left, ".") || !saysSecret(left))
}

// goesOn reports whether behind the value stands what does in programs alone.
func (s setting) goesOn() bool { return s.rest != "" && strings.IndexByte(",;)}({[", s.rest[0]) >= 0 }

// isField reports whether the value is given to a field in a statement:
// this.password = arg2;
func (s setting) isField() bool {
	return strings.Contains(s.name, ".") && s.spaced && strings.HasPrefix(s.rest, ";")
}

// isAnother reports whether value, which is one name, is that of a variable.
func (s setting) isAnother(value string, goesOn bool) bool {
	return strings.HasPrefix(s.rest, "(") || saysSecret(value) && (goesOn || s.spaced && !s.isPassword())
}

// last returns the last part of the name of a field: "c" of "a.b.c".
func last(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

var about = []string{"password", "passwd", "passphrase", "pass", "pwd", "secret", "token", "key", "credential", "auth", "api"}

// saysSecret reports whether one of the words of a name says that what it names
// is a secret.
func saysSecret(name string) bool {
	return slices.ContainsFunc(words(name), func(word string) bool { return slices.Contains(about, word) })
}

// words returns the words that a name is made of, in lower case and in the
// singular: "INVALID_API_KEYS" and "invalidApiKey" have the same ones.
func words(name string) []string {
	var out []string
	for _, word := range humps(name) {
		if kindOf(word[0]) == digit {
			continue
		}
		if word = strings.ToLower(word); !strings.HasSuffix(word, "ss") {
			word = strings.TrimSuffix(word, "s")
		}
		out = append(out, word)
	}
	return out
}

// humps returns the words and the numbers of a name.
func humps(name string) []string {
	var out []string
	start := 0
	for i := 1; i <= len(name); i++ {
		if i < len(name) && !isSeam(name, i) {
			continue
		}
		if isWord(name[start]) && name[start] != '_' {
			out = append(out, name[start:i])
		}
		start = i
	}
	return out
}

// isSeam reports whether a word or a number of a name begins or ends at i.
func isSeam(name string, i int) bool {
	before, at := kindOf(name[i-1]), kindOf(name[i])
	if before == at {
		return at == other || at == upper && i+1 < len(name) && kindOf(name[i+1]) == lower
	}
	return before != upper || at != lower
}

type letter int

const (
	other letter = iota
	lower
	upper
	digit
)

func kindOf(c byte) letter {
	switch {
	case c >= 'a' && c <= 'z':
		return lower
	case c >= 'A' && c <= 'Z':
		return upper
	case c >= '0' && c <= '9':
		return digit
	}
	return other
}

// isWordy reports whether s is made of words, and not of letters and digits by
// chance: those change between cases and digits every other letter. The k of a
// constant does not count.
func isWordy(s string) bool {
	letters, parts := 0, humps(s)
	if len(parts) > 1 && len(parts[0]) == 1 {
		parts = parts[1:]
	}
	for _, part := range parts {
		if kindOf(part[0]) != digit {
			letters += len(part)
		}
	}
	return 2*letters >= 5*len(parts)
}
