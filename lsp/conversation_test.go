package lsp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
)

// A parrot answers with its question, and notes what it was told was said
// before.
type parrot struct{ told chan []agent.Exchange }

func (p parrot) Run(_ context.Context, _ *index.Snapshot, task agent.Task, _ agent.Sink) (*agent.Result, error) {
	p.told <- task.Earlier
	if task.Prompt == "fail" {
		return nil, errors.New("no")
	}
	return &agent.Result{Answer: task.Wish() + "!", Source: "test"}, nil
}

// TestAfter: a question goes on from an answer, and from those before it.
func TestAfter(t *testing.T) {
	w := mathWorld(t)
	p := parrot{make(chan []agent.Exchange, 1)}
	w.runner = p
	e := w.start(t)
	e.open("math.go")
	at := e.at("math.go", "Add(a")
	ask := func(question, after string) (run string, told []agent.Exchange) {
		t.Helper()
		run = must[startedResult](e, "agentls.ask", askParams{place: at, Question: question, After: after}).Run
		told = <-p.told
		return run, told
	}
	first := must[startedResult](e, "agentls.explain", explainParams{place: at}).Run
	<-p.told
	e.eventOf(RunDone, first)
	second, told := ask("two", first)
	want := []agent.Exchange{{Question: "Explain Add.", Answer: "Explain Add.!"}}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("the second is told (-want +got):\n%s", diff)
	}
	e.eventOf(RunDone, second)
	if _, told := ask("elsewhere", ""); told != nil {
		t.Errorf("a question on its own is told %v", told)
	}
	_, told = ask("three", second)
	if diff := cmp.Diff(append(want, agent.Exchange{Question: "two", Answer: "two!"}), told); diff != "" {
		t.Errorf("the third is told (-want +got):\n%s", diff)
	}
	failed, _ := ask("fail", "")
	e.eventOf(RunFailed, failed)
	for _, run := range []string{failed, "nothing"} {
		_, err := execute[startedResult](e, "agentls.ask", askParams{place: at, After: run})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("no run %q", run)) {
			t.Errorf("after %s: %v", run, err)
		}
	}
}

// TestConversationsAreBounded: what is taken along has an end, and the latest
// is there.
func TestConversationsAreBounded(t *testing.T) {
	var c conversations
	task := agent.Task{}
	for n := range 100 {
		task.ID, task.Prompt = fmt.Sprint(n), strings.Repeat("ä", n*100)
		c.note(task, strings.Repeat("ö", n*100+1))
		said, err := c.upTo(task.ID)
		if err != nil {
			t.Fatal(err)
		}
		task.Earlier = said
	}
	size := 0
	for _, x := range task.Earlier {
		size += len(x.Question) + len(x.Answer)
	}
	if len(task.Earlier) != 1 || size > maxSaid {
		t.Errorf("%d exchanges of %d bytes are taken along", len(task.Earlier), size)
	}
	huge := agent.Task{ID: "huge", Prompt: strings.Repeat("ä", maxSaid), Earlier: task.Earlier}
	c.note(huge, strings.Repeat("ö", maxSaid))
	said, err := c.upTo("huge")
	if err != nil || len(said) != 1 || len(said[0].Question)+len(said[0].Answer) > maxSaid+8 || !strings.HasSuffix(said[0].Answer, "ö…") {
		t.Errorf("%v; %d exchanges", err, len(said))
	}
	if _, err := c.upTo("0"); err == nil {
		t.Error("all runs are kept for ever")
	}
}
