package agent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrTooLong is in the error of a request that the model's window cannot hold.
var ErrTooLong = errors.New("the conversation is too long for this model")

// A Windowed model knows how many tokens it can take in; 0: it does not. One
// that compacts makes conversations shorter by itself before they fill that.
type Windowed interface {
	Window() (tokens int, compacts bool)
}

const (
	defaultWindow = 128_000 // tokens, where nobody knows
	fill          = 0.8     // of the window, before a conversation is made shorter
	tailShare     = 0.1     // of the window, that stays as it was
	imageBytes    = 5_000   // of text that take as many tokens as a picture
)

// Bounds of a summary.
const (
	maxDecisions = 30
	maxDecision  = 600      // bytes
	maxOpen      = 20       // failures
	maxSaid      = 24 << 10 // bytes of the user's words, before they are shortened
	maxNames     = 100      // of files
)

// A memory is what a summary of the conversation is made of. It outlives all
// compactions.
type memory struct {
	words     []string // the user's, beside the task, as they were
	decisions []string // the model's messages
	open      []failing
	seen      []string // files that were shown to the model
}

// A failing is something that did not succeed, and was not done again.
type failing struct{ what, how string }

func (m *memory) heard(words string) { m.words = append(m.words, words) }

func (m *memory) responded(texts []string) {
	for _, text := range texts {
		m.decisions = append(m.decisions, abbreviate(text, maxDecision))
	}
	m.decisions = m.decisions[max(len(m.decisions)-maxDecisions, 0):]
}

// answered takes note of a call, by its name and input.
func (m *memory) answered(call *ToolCall, out ToolOutput, failure string) {
	if call.Name == "ask_user" && failure == "" {
		m.heard(abbreviate(call.Input, maxDecision) + " → " + out.Text)
	}
	for _, path := range out.Paths {
		m.seen = slices.DeleteFunc(m.seen, func(s string) bool { return s == path })
		m.seen = append(m.seen, path)
	}
	m.seen = m.seen[max(len(m.seen)-maxNames, 0):]
	what := call.Name + " " + abbreviate(call.Input, 200)
	m.open = slices.DeleteFunc(m.open, func(f failing) bool { return f.what == what })
	if isShell := call.Name == "shell"; isShell && !strings.HasPrefix(out.Text, outcome(0, "")) {
		failure = lastLines(out.Text, maxDecision)
	}
	if failure != "" {
		m.open = append(m.open, failing{what, abbreviate(failure, maxDecision)})
	}
	m.open = m.open[max(len(m.open)-maxOpen, 0):]
}

// window returns how many tokens the model takes in, and whether it makes
// conversations shorter by itself.
func (a *Agent) window() (tokens int, compacts bool) {
	if model, ok := a.model.(Windowed); ok {
		tokens, compacts = model.Window()
	}
	if tokens <= 0 {
		tokens = defaultWindow
	}
	return tokens, compacts
}

// tokens returns about how many the next request has.
func (r *run) tokens() int {
	known, from := r.sized, r.sizedAt
	if known == 0 || from > len(r.req.Items) {
		known, from = 0, 0
	}
	return known + r.agent.tokens.Of(bytesOf(r.req.Items[from:]))
}

func bytesOf(items []Item) int {
	n := 0
	for _, item := range items {
		switch it := item.(type) {
		case UserMessage:
			n += len(it.Text)
		case ModelItem:
			n += len(it.Raw)
		case ToolOutput:
			n += len(it.Text) + len(it.Images)*imageBytes
		}
	}
	return n
}

// shorten makes the conversation shorter where the window fills, unless the
// model does that.
func (r *run) shorten() {
	window, compacts := r.agent.window()
	if !compacts && float64(r.tokens()) >= fill*float64(window) {
		r.compact(window)
	}
}

// compact puts a summary in the place of the conversation so far. What it began
// with stays, and so does the end, as far as it is short. It reports whether
// that made the conversation shorter.
func (r *run) compact(window int) bool {
	opening := r.beginning()
	tail := tailOf(r.req.Items[r.opened:], int(tailShare*float64(window)*bytesPerToken))
	items := slices.Concat(opening, Items{r.summary()}, tail)
	if bytesOf(items) >= bytesOf(r.req.Items) {
		return false
	}
	step := StepStarted{ID: fmt.Sprintf("compact %d", r.spent.turns), Tool: "compact", Title: "make the conversation shorter"}
	r.sink(step)
	before := r.tokens()
	r.replaceItems(items)
	r.sink(StepDone{ID: step.ID, Tool: step.Tool, Title: step.Title, Detail: fmt.Sprintf("from about %d tokens to %d", before, r.tokens())})
	return true
}

func (r *run) replaceItems(items []Item) {
	r.req.Items, r.sized = items, 0
	r.note(&Record{Kind: Compacted, Items: items})
}

// tailOf returns the last responses of items with what answered them, as many as
// have at most limit bytes.
func tailOf(items []Item, limit int) []Item {
	from := len(items)
	for i := len(items) - 1; i >= 0 && bytesOf(items[i:]) <= limit; i-- {
		if _, isModels := items[i].(ModelItem); isModels && (i == 0 || !isModelItem(items[i-1])) {
			from = i
		}
	}
	return items[from:]
}

func isModelItem(item Item) bool {
	_, ok := item.(ModelItem)
	return ok
}

// summary tells the model what came before, in what it has to know to go on.
func (r *run) summary() UserMessage {
	var b strings.Builder
	b.WriteString("The conversation was made shorter. What follows is a summary of what is left out, made from its records; read again what you need to see.\n")
	list := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n%s\n- %s\n", title, strings.Join(lines, "\n- "))
		}
	}
	list("What the user said beside the task, the oldest first (it holds):", boundedWords(r.memory.words))
	if len(r.plan.Steps) > 0 {
		fmt.Fprintf(&b, "\nYour plan:\n%s", r.plan.String())
	}
	var changed, failures []string
	for _, path := range r.draft.Changed() {
		if r.draft.mayName(path) && len(changed) < maxNames {
			changed = append(changed, r.draft.snap.Rel(path)+gone(r.draft.changed[path]))
		}
	}
	list("Files you changed:", changed)
	var seen []string
	for _, path := range r.memory.seen {
		seen = append(seen, r.draft.snap.Rel(path))
	}
	list("Files you saw something of:", seen)
	for _, f := range r.memory.open {
		failures = append(failures, f.what+": "+f.how)
	}
	list("What failed, and was not done since:", failures)
	list("What you said (your own words, shortened):", r.memory.decisions)
	return UserMessage{Text: b.String(), Paths: slices.Clone(r.memory.seen)}
}

func gone(f draftFile) string {
	if f.gone {
		return " (removed)"
	}
	return ""
}

// boundedWords returns words, the longest shortened where they are too many
// bytes: none is left out.
func boundedWords(words []string) []string {
	size := 0
	for _, w := range words {
		size += len(w)
	}
	if size <= maxSaid {
		return words
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = abbreviate(w, max(maxSaid/len(words), 80))
	}
	return out
}
