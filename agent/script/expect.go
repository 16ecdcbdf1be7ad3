package script

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// An expectation is one line of turnN.expect.
type expectation struct {
	line  string
	re    *regexp.Regexp // of /…/
	json  any            // of {…}: contained in the body
	text  string         // of anything else
	never bool           // "!" before a text or /…/: it must not occur
}

func parseExpect(data string) ([]expectation, error) {
	var out []expectation
	for line := range strings.Lines(data) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		e, err := parseExpectation(line)
		if err != nil {
			return nil, fmt.Errorf("expectation %q: %w", line, err)
		}
		out = append(out, e)
	}
	return out, nil
}

func parseExpectation(line string) (e expectation, err error) {
	e.line = line
	e.text, e.never = strings.CutPrefix(line, "!")
	switch {
	case strings.HasPrefix(e.text, "{"):
		err = json.Unmarshal([]byte(e.text), &e.json)
	case len(e.text) > 1 && strings.HasPrefix(e.text, "/") && strings.HasSuffix(e.text, "/"):
		e.re, err = regexp.Compile("(?m)" + e.text[1:len(e.text)-1])
	}
	return e, err
}

// check returns an error unless e holds for a request with the given body,
// whose new items read as news.
func (e *expectation) check(body any, news string) error {
	var found bool
	switch {
	case e.json != nil:
		found = contains(body, e.json)
	case e.re != nil:
		found = e.re.MatchString(news)
	default:
		found = strings.Contains(news, e.text)
	}
	if found != e.never {
		return nil
	}
	if e.json != nil {
		return fmt.Errorf("expected of the request's body: %s", e.line)
	}
	return fmt.Errorf("expected %s of what is new in the request:\n%s", e.line, news)
}

// contains reports whether have is want, or has its keys with such values, or
// its elements in this order with others between.
func contains(have, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		h, ok := have.(map[string]any)
		for key, value := range w {
			ok = ok && contains(h[key], value)
		}
		return ok
	case []any:
		h, ok := have.([]any)
		if !ok {
			return false
		}
		for _, element := range h {
			if len(w) > 0 && contains(element, w[0]) {
				w = w[1:]
			}
		}
		return len(w) == 0
	default:
		return reflect.DeepEqual(have, want)
	}
}
