package script

import (
	"errors"
	"fmt"
	"strings"
)

// A fault is how a turn goes wrong before it goes right.
type fault struct {
	times  int // how many requests it spoils
	status int // 0: the answer starts as it should
	header [][2]string
	body   string // of an answer that is no stream
	plain  bool   // body is the answer
	after  int    // events that still come
	then   string // what comes after them: "cut", "reset", "stall", "done", "raw" or "inject"
	raw    string // the bytes of "raw", after which nothing comes, and of "inject", after which the rest does
}

// parseFault reads one directive to a line; "body:", "raw N:" and
// "inject N:" take the lines that follow.
func parseFault(data string) (*fault, error) {
	f := &fault{times: 1}
	for data != "" {
		var line string
		line, data, _ = strings.Cut(data, "\n")
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		var err error
		switch verb {
		case "":
		case "times":
			f.times, err = positive(rest)
		case "status":
			f.status, err = positive(rest)
			f.plain = true
		case "header":
			name, value, _ := strings.Cut(rest, ":")
			f.header = append(f.header, [2]string{name, strings.TrimSpace(value)})
		case "html":
			f.plain, f.body = true, "<!DOCTYPE html>\n<html><title>Sign in</title></html>\n"
			f.header = append(f.header, [2]string{"Content-Type", "text/html; charset=utf-8"})
		case "cut", "reset", "stall", "done", "raw", "inject":
			f.then = verb
			f.after, err = positive(strings.TrimSuffix(rest, ":"))
			if verb == "raw" || verb == "inject" {
				f.raw, data = data, ""
			}
		case "body:":
			f.plain, f.body, data = true, data, ""
		default:
			err = fmt.Errorf("none of times, status, header, html, body:, cut, reset, stall, done, raw and inject")
		}
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", line, err)
		}
	}
	if !f.plain && f.then == "" {
		return nil, errors.New("it does not say what goes wrong")
	}
	return f, nil
}

// spoils reports whether the request with the given number, from 1, of a turn
// gets f in place of an answer.
func (f *fault) spoils(attempt int) bool {
	return f != nil && f.then != "inject" && attempt <= f.times
}
