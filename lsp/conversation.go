package lsp

import (
	"slices"
	"strings"
	"sync"

	"github.com/agentls/agentls/agent"
)

// What is kept of earlier answers.
const (
	maxAnswered  = 50       // runs that a question can go on from
	maxExchanges = 12       // that a question takes along
	maxSaid      = 48 << 10 // bytes of them
)

// conversations are the runs of this session that answered, for questions that
// go on from one of them.
type conversations struct {
	mu       sync.Mutex
	answered []answered // the oldest first; guarded by mu
}

// An answered run is what was said up to its answer.
type answered struct {
	run  string
	said []agent.Exchange // never changes
}

// note keeps the answer of a run, and what it went on from.
func (c *conversations) note(task agent.Task, answer string) {
	if strings.TrimSpace(answer) == "" {
		return
	}
	said := append(slices.Clone(task.Earlier), agent.Exchange{Question: task.Wish(), Answer: answer})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered = append(c.answered, answered{run: task.ID, said: recent(said)})
	if over := len(c.answered) - maxAnswered; over > 0 {
		c.answered = slices.Delete(c.answered, 0, over)
	}
}

// upTo returns what was said up to the answer of a run. Nothing was, for "".
func (c *conversations) upTo(run string) ([]agent.Exchange, error) {
	if run == "" {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.answered, func(a answered) bool { return a.run == run })
	if i < 0 {
		return nil, badParams("no run %q of this session answered, or it is too long ago: ask without %q", run, "after")
	}
	return c.answered[i].said, nil
}

// recent returns the last exchanges, as many as are taken along. An answer
// that alone is too long loses its end.
func recent(said []agent.Exchange) []agent.Exchange {
	said = said[max(0, len(said)-maxExchanges):]
	size := 0
	for i := len(said) - 1; i >= 0; i-- {
		if size += len(said[i].Question) + len(said[i].Answer); size <= maxSaid {
			continue
		}
		if i < len(said)-1 {
			return said[i+1:]
		}
		last := &said[i]
		last.Question = cut(last.Question, maxSaid/2)
		last.Answer = cut(last.Answer, maxSaid-len(last.Question))
		return said[i:]
	}
	return said
}

// cut returns the first n bytes of s, by whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
