package secrets

import (
	"regexp"
	"strings"
)

// plain returns s with blanks for the control sequences of terminals, and for
// the escapes of JSON and of programs, which hide where a secret ends. No byte
// moves.
func plain(s string) string {
	if strings.IndexByte(s, '\x1b') < 0 && strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, '\r') < 0 {
		return s
	}
	out := []byte(s)
	for i := 0; i < len(out); i++ {
		switch {
		case out[i] == '\x1b':
			i = blank(out, i, i+sequence(s[i:])) - 1
		case out[i] == '\\' && i+1 < len(out) && strings.IndexByte("nrt", out[i+1]) >= 0:
			i = blank(out, i, i+2) - 1
		case out[i] == '\\' && i+1 < len(out) && (out[i+1] == '"' || out[i+1] == '\''):
			out[i] = ' '
			if i > 0 && (out[i-1] == ':' || out[i-1] == '=' || out[i-1] == ' ') {
				i++
				continue
			}
			out[i], out[i+1] = out[i+1], ' ' // the quotation mark closes: it stands behind its text
			i++
		}
	}
	return string(out)
}

func blank(out []byte, from, to int) int {
	for i := from; i < min(to, len(out)); i++ {
		out[i] = ' '
	}
	return to
}

var sequences = regexp.MustCompile(`^\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?`)

// sequence returns how many bytes the control sequence at the beginning of s
// has.
func sequence(s string) int { return len(sequences.FindString(s[:min(len(s), 512)])) }

// Prefix begins every placeholder.
const Prefix = "WITHHELD_"

var (
	placeholder = regexp.MustCompile(`^` + Prefix + `[a-z0-9_]+_[0-9a-f]{12}$`)
	examples    = regexp.MustCompile(`(?i)^(?:` +
		`s\.[A-Za-z]+\d?[A-Za-z]+|EXAMPLE[_-]?[A-Z]*|<.*>?|\$(?:[a-z_]+|(?-i:[A-Z_][A-Z0-9_]*)|[a-z_]+[.:][\w.:-]*|\{[\w.:-]*}?)|\$\(.*|%(?:[a-z_]+%|\(\w+\)?s?|[sdvqx])|\{\{.*|\{[\w.]*}?|\[[\w -]*]?|\*+|x{3,}|\.{3,}.*|-+|_+|` +
		`(?:your|my|the|some|an?|insert|enter|put|use|replace)[_ -][a-z _-]*|(?:example|sample|dummy|fake|placeholder|redacted|hidden|masked|change[-_ ]?(?:me|it|this)|secret|password|token|none|null|nil|true|false|undefined|string|bool|int|required|optional|test|todo)[\w!*]?)$`)
)

func isPlaceholder(secret string) bool { return placeholder.MatchString(secret) }

// isExample reports whether secret is what documents and templates write where
// a secret goes.
func isExample(secret string) bool { return examples.MatchString(secret) || published[secret] }

// published are the secrets of examples in standards and manuals, which
// programs' documentation repeats.
var published = map[string]bool{
	// RFC 5849
	"9djdj82h48djs9d2": true, "kkk9d7dh3k39sjv7": true, "j49sk3j29djd": true, "dh893hdasih9": true,
	// RFC 6749
	"2YotnFZFEjr1zCsicMWpAA": true, "tGzv3JOkF0XG5Qx2TlKWIA": true, "czZCaGRSa3F0MzpnWDFmQmF0M2JW": true, "gX1fBat3bV": true, "7Fjfp0ZBr1KtDRbnfVdmIw": true, "SplxlOBeZQQYbYS6WxSbIA": true, "h480djs93hd8": true,
	// RFC 6750, RFC 7009
	"mF_9.B5f-4.1JqM": true, "45ghiukldjahdnhzdauz": true,
	// Amazon Web Services
	"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": true, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY": true,
}
