package edits_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/edits"
)

func TestProposals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "proposals")
	p := edits.OpenProposals(dir)
	if got, err := p.List(); err != nil || len(got) > 0 {
		t.Errorf("without a folder: %v, %v", got, err)
	}
	first, second := changeSet(modify(t, "a\n", "b\n")), changeSet(modify(t, "b\n", "ü\n"))
	first.ID, second.ID = "first", "second"
	first.Files[0].Hunks[0].State = edits.Rejected
	for i, cs := range []*edits.ChangeSet{first, second} {
		if err := p.Save(cs); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(filepath.Join(dir, cs.ID+".json"), at, at); err != nil {
			t.Fatal(err)
		}
	}
	writeTree(t, dir, map[string]string{"torn.json": `{"id":"torn","fi`, "other.json": `{"id":"first"}`, "notes.txt": "", ".hidden.json": "{"})
	got, err := p.List()
	if err == nil || !strings.Contains(err.Error(), "torn.json is damaged") || !strings.Contains(err.Error(), "other.json is damaged") {
		t.Errorf("damaged ones: %v", err)
	}
	if diff := cmp.Diff([]*edits.ChangeSet{first, second}, got); diff != "" {
		t.Error(diff)
	}
	if err := p.Remove("first"); err != nil {
		t.Fatal(err)
	}
	if err := p.Remove("first"); err != nil {
		t.Errorf("removed twice: %v", err)
	}
	if _, err := p.Load("first"); !errors.Is(err, edits.ErrNoProposal) {
		t.Errorf("load a removed one: %v", err)
	}
	loaded, err := p.Load("second")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second, loaded); diff != "" {
		t.Error(diff)
	}
}

func TestProposalsRefuse(t *testing.T) {
	p := edits.OpenProposals(t.TempDir())
	for _, id := range []string{"", "../up", "a/b", ".hidden", "a b", strings.Repeat("x", 300)} {
		cs := changeSet(modify(t, "a\n", "b\n"))
		cs.ID = id
		if err := p.Save(cs); err == nil {
			t.Errorf("saved %q", id)
		}
		if _, err := p.Load(id); !errors.Is(err, edits.ErrNoProposal) {
			t.Errorf("load %q: %v", id, err)
		}
	}
	broken := changeSet(modify(t, "a\n", "b\n"))
	broken.Files[0].Path = "relative"
	if err := p.Save(broken); err == nil {
		t.Error("saved a change set that breaks an invariant")
	}
}
