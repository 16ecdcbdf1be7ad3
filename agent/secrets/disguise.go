package secrets

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/agentls/agentls/edits/text"
)

// A disguise is the lines of a text that show something in another form, as
// they mean it: escapes of programs, of JSON and of addresses decoded, the
// control sequences of terminals between letters gone, a line that goes on
// behind a backslash in one.
type disguise struct {
	text string
	from []int // in the original, of each byte of text
	to   []int // behind that byte, there
}

// form matches what stands for something else, or for nothing: a control
// sequence, a backslash before the end of a line with the indentation of the
// next, \u0041, \x41, %41, the zeroes of UTF-16, a quotation mark or a slash behind
// a backslash, or more of them in a string of a string, and &quot;. A line begins at \n in a string, and where a string of JSON does.
var form = regexp.MustCompile(`^(?:\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)?)|\\\r?\n[+-]?[ \t]*|\\u00([2-7][0-9a-fA-F])|\\x([2-7][0-9a-fA-F])|%([2-7][0-9a-fA-F])|\x00|\\{1,7}(["'/])|(\\n|":[ ]?"|"[,}\]])|&(quot|#34|#x22);)`)

// The places in a match of form of the groups that are no number: the quotation
// mark behind a backslash, what begins a line, and the quotation mark of HTML.
const (
	quote  = 2 * 4
	begin  = 2 * 5
	entity = 2 * 6
)

const maxForm = 1 << 10 // bytes

// disguised returns nil for a text that shows everything as it is.
func disguised(s string) *disguise {
	forms := formsIn(s)
	if len(forms) == 0 {
		return nil
	}
	d := &disguise{}
	out := make([]byte, 0, len(s)/8)
	put := func(c byte, from, to int) {
		out, d.from, d.to = append(out, c), append(d.from, from), append(d.to, to)
	}
	at := 0
	for len(forms) > 0 {
		at = max(at, strings.LastIndexByte(s[:forms[0][0]], '\n')+1)
		end := len(s)
		for at < end { // a line, as it means itself
			if len(forms) > 0 && forms[0][0] == at {
				if c, ok := meant(s, forms[0]); ok {
					put(c, at, forms[0][1])
				}
				at, forms = forms[0][1], forms[1:]
				continue
			}
			put(s[at], at, at+1)
			if at++; s[at-1] == '\n' {
				break
			}
		}
	}
	d.text = string(out)
	return d
}

// formsIn returns where the forms of s are, as regexp's FindAllSubmatchIndex. An
// expression over all of s would take longer than all rules together.
func formsIn(s string) (forms [][]int) {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '\\' && c != '%' && c != 0x1b && c != 0 && c != '"' && c != '&' || c == '\\' && i+1 < len(s) && strings.IndexByte("uxn\r\n\"'/\\", s[i+1]) < 0 {
			continue
		}
		at := form.FindStringSubmatchIndex(s[i:min(len(s), i+maxForm)])
		if at == nil {
			continue
		}
		for k := range at {
			if at[k] >= 0 {
				at[k] += i
			}
		}
		forms = append(forms, at)
		i = at[1] - 1
	}
	return forms
}

// meant returns the character that a form stands for, if it stands for one.
func meant(s string, form []int) (c byte, ok bool) {
	for i := 2; i < len(form); i += 2 {
		switch {
		case form[i] < 0:
		case i == quote:
			return s[form[i]], true
		case i == begin:
			return '\n', true
		case i == entity:
			return '"', true
		default:
			n, err := strconv.ParseUint(s[form[i]:form[i+1]], 16, 8)
			return byte(n), err == nil
		}
	}
	return 0, false
}

// found adds what was found in d, as parts of the lines of s.
func (d *disguise) found(s string, in, found []Found) []Found {
	for _, f := range in {
		first := f.Span.Start
		for i := f.Span.Start + 1; i <= f.Span.End; i++ {
			if i < f.Span.End && !strings.Contains(s[d.to[i-1]:d.from[i]], "\n") {
				continue
			}
			found = append(found, Found{f.Rule, text.Span{Start: d.from[first], End: d.to[i-1]}})
			first = i
		}
	}
	return found
}

// How long a run of base64 is that is looked at, in bytes.
const (
	shortestRun = 20
	longestRun  = 8 << 10
)

// encoded adds the runs of s that are a text in base64 with a secret in it. What
// is no text, as keys and digests are none, is not looked at.
func (d *Detector) encoded(s string, found []Found) []Found {
	for at := 0; at < len(s); at++ {
		end := skip(s, at, len(s), func(c byte) bool { return isWord(c) || c == '+' || c == '/' || c == '-' })
		if n := end - at; n >= shortestRun && n <= longestRun {
			if inner, ok := textIn(s[at:end]); ok && len(d.scan(plain(inner))) > 0 {
				found = append(found, Found{"base64", text.Span{Start: at, End: skip(s, end, 2, func(c byte) bool { return c == '=' })}})
			}
		}
		at = end
	}
	return found
}

var urlAlphabet = strings.NewReplacer("-", "+", "_", "/")

// textIn returns the text that run is the base64 of, in either alphabet.
func textIn(run string) (string, bool) {
	run = urlAlphabet.Replace(run)
	raw, err := base64.RawStdEncoding.DecodeString(run)
	isControl := func(c byte) bool { return c < ' ' && c != '\n' && c != '\t' && c != '\r' || c > '~' }
	return string(raw), err == nil && !slices.ContainsFunc(raw, isControl)
}
