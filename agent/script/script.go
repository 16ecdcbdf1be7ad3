// Package script is a model that says what a text file tells it to: a server
// of the Responses API over real HTTP, for tests and the demo.
//
// Invariant: whatever a script expects, every request is checked for what must
// always hold (see check.go); one that fails gets no answer.
package script

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"
)

// A Script is one conversation, read from a txtar archive. See README.md for
// its format.
type Script struct {
	Name     string
	Files    map[string]string // the workspace before: sections "files/PATH"
	Want     map[string]string // and after: sections "want/PATH"
	Gone     []string          // files that are not there after: sections "gone/PATH"
	delta    int               // bytes of a delta
	pause    time.Duration     // between deltas
	canary   []string          // texts that no request may contain
	compacts bool              // a request may begin anew, with a summary of those before
	turns    []turn
}

// A turn is one request that gets an answer, after those that fault spoils.
type turn struct {
	expect []expectation
	reply  *reply // nil: the fault is all there is
	fault  *fault // nil: none
}

const defaultDelta = 12 // bytes

// Load reads the script in the file name of fsys.
func Load(fsys fs.FS, name string) (*Script, error) {
	content, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("load script: %w", err)
	}
	return Parse(name, content)
}

// Parse reads a script; name is for messages.
func Parse(name string, content []byte) (*Script, error) {
	archive := txtar.Parse(content)
	s := &Script{Name: name, Files: map[string]string{}, Want: map[string]string{}, delta: defaultDelta}
	if err := s.header(string(archive.Comment)); err != nil {
		return nil, fmt.Errorf("script %s: %w", name, err)
	}
	for _, section := range archive.Files {
		if err := s.section(section.Name, string(section.Data)); err != nil {
			return nil, fmt.Errorf("script %s: section %s: %w", name, section.Name, err)
		}
	}
	for i, t := range s.turns {
		if t.reply == nil && t.fault == nil {
			return nil, fmt.Errorf("script %s: turn %d has neither reply nor fault", name, i+1)
		}
	}
	if len(s.turns) == 0 {
		return nil, fmt.Errorf("script %s: no turns; a turn is a section like %q", name, "-- turn1.reply --")
	}
	return s, nil
}

// header reads the settings among the lines of the archive's comment.
func (s *Script) header(comment string) error {
	for line := range strings.Lines(comment) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		var err error
		switch key {
		case "delta":
			s.delta, err = positive(value)
		case "pause":
			s.pause, err = time.ParseDuration(value)
		case "compacts":
			s.compacts, err = strconv.ParseBool(value)
		case "canary":
			s.canary = append(s.canary, value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func positive(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err == nil && n < 1 {
		err = fmt.Errorf("%d is less than 1", n)
	}
	return n, err
}

func (s *Script) section(name, data string) error {
	folder, rest, inFolder := strings.Cut(name, "/")
	switch {
	case inFolder && folder == "files":
		s.Files[path.Clean(rest)] = data
		return nil
	case inFolder && folder == "want":
		s.Want[path.Clean(rest)] = data
		return nil
	case inFolder && folder == "gone":
		s.Gone = append(s.Gone, path.Clean(rest))
		return nil
	}
	number, part, _ := strings.Cut(strings.TrimPrefix(name, "turn"), ".")
	n, err := positive(number)
	if err != nil || !strings.HasPrefix(name, "turn") {
		return errors.New("its name is none of turnN.expect, turnN.reply, turnN.fault, files/PATH, want/PATH and gone/PATH")
	}
	if n > len(s.turns)+1 {
		return fmt.Errorf("turn %d follows turn %d", n, len(s.turns))
	}
	if n > len(s.turns) {
		s.turns = append(s.turns, turn{})
	}
	return s.turns[n-1].part(part, data)
}

func (t *turn) part(name, data string) (err error) {
	switch name {
	case "expect":
		t.expect, err = parseExpect(data)
	case "reply":
		t.reply, err = parseReply(data)
	case "fault":
		t.fault, err = parseFault(data)
	default:
		return fmt.Errorf("%q is none of expect, reply and fault", name)
	}
	return err
}

// Check returns an error for each file that is not as the script wants it
// after its conversation. Read takes paths as in the script, with slashes; its
// error for one that does not exist is fs.ErrNotExist.
func (s *Script) Check(read func(name string) ([]byte, error)) error {
	var errs []error
	for _, name := range sortedKeys(s.Want) {
		got, err := read(name)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		case string(got) != s.Want[name]:
			errs = append(errs, fmt.Errorf("%s is\n%s\nbut should be\n%s", name, got, s.Want[name]))
		}
	}
	for _, name := range s.Gone {
		if _, err := read(name); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("%s should be gone", name))
		}
	}
	return errors.Join(errs...)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
