// Package transcripts keeps the transcripts of runs, a file each, so that a run
// can go on when its process has ended.
//
// Invariant: a run has one process at a time that writes its transcript. The
// lock on the file goes with the process, however that ends.
package transcripts

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/agentls/agentls/agent"
)

// The errors of runs that cannot be had.
var (
	ErrNoRun   = errors.New("no such run")
	ErrRunning = errors.New("the run is under way in another process")
)

const (
	suffix  = ".jsonl"
	damaged = ".damaged" // behind the name of a transcript: as it was before what cannot be read of it was cut off
	most    = 200        // transcripts that are kept
)

// A Store keeps transcripts in a folder. Several processes may use it.
type Store struct{ dir string }

// Open returns the store in dir, which is made when first needed.
func Open(dir string) *Store { return &Store{dir: dir} }

func (s *Store) path(id string) (string, error) {
	isLetter := func(r rune) bool {
		return r == '-' || r == '_' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if id == "" || id[0] == '.' || strings.TrimFunc(id, isLetter) != "" || len(id) > 100 {
		return "", fmt.Errorf("%q: %w", id, ErrNoRun)
	}
	return filepath.Join(s.dir, id+suffix), nil
}

// A File is a transcript that its run writes to, locked until it is closed.
type File struct{ *os.File }

// Close lets go of the transcript, and forgets one that says nothing.
func (f *File) Close() error {
	stat, err := f.Stat()
	if err == nil && stat.Size() == 0 {
		err = os.Remove(f.Name()) //nolint:forbidigo // its own file
	}
	return errors.Join(err, f.File.Close())
}

// Begin returns the transcript of a new run, empty and locked, for the caller
// to close. The oldest transcripts go, when there are too many.
func (s *Store) Begin(id string) (*File, error) {
	path, err := s.path(id)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("begin transcript: %w", err)
	}
	s.prune()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("begin transcript: %w", err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("begin transcript %s: %w", id, err), f.Close())
	}
	return &File{f}, nil
}

// Resume returns what the run had come to, and its transcript, locked, for the
// run to go on in and the caller to close. Where lines of it are lost the whole is
// kept beside it, with ".damaged" behind its name. The errors are ErrNoRun and
// ErrRunning.
func (s *Store) Resume(id string) (*agent.Past, *File, error) {
	path, err := s.path(id)
	if err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s: %w", id, ErrNoRun)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("resume run: %w", err)
	}
	past, err := takeUp(f)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("resume run %s: %w", id, err), f.Close())
	}
	return past, &File{f}, nil
}

// Part is Resume for a part of a run, or Begin where nothing is kept of it.
func (s *Store) Part(id string) (*agent.Past, *File, error) {
	past, file, err := s.Resume(id)
	if errors.Is(err, ErrNoRun) {
		file, err = s.Begin(id)
	}
	return past, file, err
}

// takeUp locks f, reads it, and cuts off what of it cannot be read.
func takeUp(f *os.File) (*agent.Past, error) {
	if err := lock(f); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	_, past, size, err := read(content)
	if err != nil {
		return nil, err
	}
	if past.Lost > 0 {
		if err := os.WriteFile(f.Name()+damaged, content, 0o600); err != nil { //nolint:forbidigo // its own file
			return nil, err
		}
	}
	return past, f.Truncate(size)
}

// read returns what a transcript says, and how many bytes of it say it.
func read(content []byte) (records []agent.Record, past *agent.Past, size int64, err error) {
	records, size, err = agent.ReadTranscript(bytes.NewReader(content))
	if err != nil {
		return nil, nil, 0, err
	}
	if past, err = agent.Replay(records); err != nil {
		return nil, nil, 0, err
	}
	past.Lost = bytes.Count(content[size:], []byte("\n"))
	return records, past, size, nil
}

// A Run is a kept one.
type Run struct {
	ID      string
	Past    *agent.Past    // of List: its outline
	Records []agent.Record // of List: none
}

// Load returns a run. Its state is Running only if a process has it.
func (s *Store) Load(id string) (*Run, error) {
	return s.load(id, func(run *Run, content []byte) (err error) {
		run.Records, run.Past, _, err = read(content)
		return err
	})
}

// outline is Load for a list.
func (s *Store) outline(id string) (*Run, error) {
	return s.load(id, func(run *Run, content []byte) (err error) {
		run.Past, err = agent.Outline(content)
		return err
	})
}

func (s *Store) load(id string, read func(run *Run, content []byte) error) (*Run, error) {
	path, err := s.path(id)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(content) == 0 {
		return nil, fmt.Errorf("%s: %w", id, ErrNoRun)
	}
	if err != nil {
		return nil, fmt.Errorf("load run: %w", err)
	}
	run := &Run{ID: id}
	if err := read(run, content); err != nil {
		return nil, fmt.Errorf("load run %s: %w", id, err)
	}
	if run.Past.State == agent.Running && !isLocked(path) {
		run.Past.State = agent.CutOff
	}
	return run, nil
}

// List returns the outlines of all runs, the one written last in front. Damaged
// ones are left out; the error names them, and comes with the rest.
func (s *Store) List() ([]*Run, error) {
	names, err := s.byAge()
	if err != nil {
		return nil, err
	}
	var out []*Run
	var damaged []error
	for _, name := range slices.Backward(names) {
		run, err := s.outline(strings.TrimSuffix(name, suffix))
		switch {
		case errors.Is(err, ErrNoRun): // removed in between
		case err != nil:
			damaged = append(damaged, err)
		default:
			out = append(out, run)
		}
	}
	return out, errors.Join(damaged...)
}

// byAge returns the names of the files, the one written last at the end.
func (s *Store) byAge() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	written := map[string]time.Time{}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !strings.HasSuffix(e.Name(), suffix) {
			continue
		}
		written[e.Name()] = info.ModTime()
		names = append(names, e.Name())
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Or(written[a].Compare(written[b]), strings.Compare(a, b))
	})
	return names, nil
}

// prune removes the oldest transcripts, but for those of runs under way. What
// cannot be removed stays.
func (s *Store) prune() {
	names, err := s.byAge()
	if err != nil {
		return
	}
	for _, name := range names[:max(len(names)-most+1, 0)] {
		if path := filepath.Join(s.dir, name); !isLocked(path) {
			_ = os.Remove(path)           //nolint:forbidigo // its own file; the next one tries again
			_ = os.Remove(path + damaged) //nolint:forbidigo // as above; it is seldom there
		}
	}
}

// isLocked reports whether a process writes to the transcript at path.
func isLocked(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // nothing was written
	return errors.Is(lock(f), ErrRunning)
}
