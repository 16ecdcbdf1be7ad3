package transcripts_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/transcripts"
)

const (
	given = `{"kind":"task","task":{"id":"a","mode":"edit","prompt":"Go on."},"items":[{"user":{"Text":"Go on."}}]}` + "\n"
	ended = `{"kind":"ended","state":"done","answer":"ok"}` + "\n"
)

func begin(t *testing.T, s *transcripts.Store, id, content string) *transcripts.File {
	t.Helper()
	f, err := s.Begin(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(content); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestStates: a run whose transcript nobody holds was cut off.
func TestStates(t *testing.T) {
	s := transcripts.Open(filepath.Join(t.TempDir(), "runs"))
	begin(t, s, "running", given)
	if err := begin(t, s, "cut", given+`{"kind":"resp`).Close(); err != nil {
		t.Fatal(err)
	}
	if err := begin(t, s, "done", given+ended).Close(); err != nil {
		t.Fatal(err)
	}
	runs, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]agent.RunState{}
	for _, run := range runs {
		got[run.ID] = run.Past.State
	}
	want := map[string]agent.RunState{"running": agent.Running, "cut": agent.CutOff, "done": agent.Done}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, _, err := s.Resume("running"); !errors.Is(err, transcripts.ErrRunning) {
		t.Errorf("resumed what runs: %v", err)
	}
}

// TestResume: half a line is cut off, and what is written comes behind the rest.
func TestResume(t *testing.T) {
	s := transcripts.Open(t.TempDir())
	if err := begin(t, s, "a", given+`{"kind":"resp`).Close(); err != nil {
		t.Fatal(err)
	}
	past, f, err := s.Resume("a")
	if err != nil || past.Task.Prompt != "Go on." {
		t.Fatal(past, err)
	}
	if _, err := f.WriteString(ended); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	run, err := s.Load("a")
	if err != nil || run.Past.State != agent.Done || len(run.Records) != 2 {
		t.Errorf("%+v, %v", run, err)
	}
}

// TestDamaged: of a transcript with a damaged line the rest is kept aside, and how
// much that is is said.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	s := transcripts.Open(dir)
	whole := given + "\x00\x00\x00\n" + ended + "half"
	if err := begin(t, s, "a", whole).Close(); err != nil {
		t.Fatal(err)
	}
	run, err := s.Load("a")
	if err != nil || run.Past.Lost != 2 {
		t.Fatalf("%+v, %v", run, err)
	}
	past, f, err := s.Resume("a")
	if err != nil || past.Lost != 2 {
		t.Fatalf("%+v, %v", past, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a.jsonl": given, "a.jsonl.damaged": whole} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	if runs, err := s.List(); err != nil || len(runs) != 1 || runs[0].Past.Lost != 0 {
		t.Errorf("%v, %v", runs, err)
	}
}

func TestNoRun(t *testing.T) {
	s := transcripts.Open(t.TempDir())
	for _, id := range []string{"", "nowhere", "../a", "a/b", `a\b`, ".a"} {
		if _, err := s.Load(id); !errors.Is(err, transcripts.ErrNoRun) {
			t.Errorf("load %q: %v", id, err)
		}
		if _, _, err := s.Resume(id); !errors.Is(err, transcripts.ErrNoRun) {
			t.Errorf("resume %q: %v", id, err)
		}
	}
	if err := begin(t, s, "bad", "no\n").Close(); err != nil {
		t.Fatal(err)
	}
	if runs, err := s.List(); !errors.Is(err, agent.ErrNoTranscript) || len(runs) != 0 {
		t.Errorf("%v, %v", runs, err)
	}
}

// TestEmpty: a run that came to nothing leaves nothing.
func TestEmpty(t *testing.T) {
	s := transcripts.Open(t.TempDir())
	f := begin(t, s, "a", "")
	if runs, err := s.List(); err != nil || len(runs) != 0 {
		t.Errorf("%v, %v", runs, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin("a"); err != nil {
		t.Error(err)
	}
}

// TestPrune: the oldest go, and none that runs.
func TestPrune(t *testing.T) {
	s := transcripts.Open(t.TempDir())
	begin(t, s, "running", given)
	for i := range 205 {
		if err := begin(t, s, fmt.Sprintf("r%03d", i), given).Close(); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := s.List()
	if err != nil || len(runs) > 201 {
		t.Errorf("%d runs are kept: %v", len(runs), err)
	}
	if _, err := s.Load("running"); err != nil {
		t.Error(err)
	}
	if _, err := s.Load("r000"); !errors.Is(err, transcripts.ErrNoRun) {
		t.Errorf("the oldest is kept: %v", err)
	}
}
