package remote

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/agentls/agentls/agent"
)

// This file is the client of an endpoint that has the Codex tasks API alone.

// codexCreate hands spec over: its code is the branch of the environment, with
// its diff on it.
func (c *Client) codexCreate(ctx context.Context, spec Spec) (*Task, error) {
	if spec.Environment == "" {
		return nil, fmt.Errorf("%w: name an environment of it for the task: %s", ErrUnsupported, c.url)
	}
	in := CodexCreate{
		NewTask:    CodexNewTask{Environment: spec.Environment, Branch: spec.Base.Branch, QA: !spec.Mode.Edits()},
		InputItems: []CodexItem{CodexMessage("user", codexPrompt(&spec))},
	}
	if spec.Base.Diff != "" {
		in.InputItems = append(in.InputItems, CodexItem{Type: "pre_apply_patch", OutputDiff: &CodexDiff{Diff: spec.Base.Diff}})
	}
	if spec.Attempts > 1 {
		in.Metadata = &CodexMetadata{BestOf: spec.Attempts}
	}
	var created CodexCreated
	if err := c.call(ctx, http.MethodPost, c.codexPath("/tasks"), in, &created); err != nil {
		return nil, err
	}
	if created.Task.ID == "" {
		return nil, fmt.Errorf("%s takes the task, but does not name it: %w", c.url, ErrNotService)
	}
	return &Task{ID: created.Task.ID, Prompt: spec.Prompt, Mode: spec.Mode, Environment: spec.Environment, Base: spec.Base, State: Pending}, nil
}

// codexPrompt returns the prompt with the focus in words.
func codexPrompt(spec *Spec) string {
	prompt := spec.Prompt
	if prompt == "" {
		prompt = "Explain the code in focus."
	}
	if spec.Focus != nil {
		prompt += strings.TrimRight(fmt.Sprintf("\n\n(In focus: %s %s", spec.Focus.Path, spec.Focus.Symbol), " ") + ")"
	}
	return prompt
}

// codexTask returns a task with all its attempts.
func (c *Client) codexTask(ctx context.Context, id string) (*Task, error) {
	var d CodexDetails
	if err := c.call(ctx, http.MethodGet, c.codexPath("/tasks/"+url.PathEscape(id)), nil, &d); err != nil {
		return nil, err
	}
	t := &Task{ID: id, Title: d.Task.Title, Environment: d.Task.Environment, Mode: agent.Edit, State: stateOf(d.Status), Created: moment(d.Task.Created), Updated: moment(d.Task.Updated)}
	if d.User != nil {
		for _, item := range d.User.Input {
			t.Prompt += item.Text()
		}
	}
	if d.Assistant == nil {
		return t, nil
	}
	turns := []CodexTurn{*d.Assistant}
	if d.Assistant.ID != "" {
		var siblings CodexSiblings
		path := fmt.Sprintf("/tasks/%s/turns/%s/sibling_turns", url.PathEscape(id), url.PathEscape(d.Assistant.ID))
		if err := c.call(ctx, http.MethodGet, c.codexPath(path), nil, &siblings); err != nil {
			return nil, err
		}
		turns = append(turns, siblings.Turns...)
	}
	for i := range turns {
		t.Attempts = append(t.Attempts, *turns[i].attempt())
	}
	if diff := d.Diff.UnifiedDiff(); diff != "" && t.Attempts[0].Result != nil {
		t.Attempts[0].Result.Diff = diff
	}
	slices.SortStableFunc(t.Attempts, func(a, b Attempt) int { return a.Number - b.Number })
	return t, nil
}

// attempt returns a turn of the assistant as an attempt.
func (t *CodexTurn) attempt() *Attempt {
	a := &Attempt{ID: t.ID, Number: t.Placement + 1, State: turnState(t.Status), Tries: 1}
	if !a.State.Ended() || a.State == Cancelled {
		return a
	}
	a.Result = &Result{Diff: t.UnifiedDiff(), Failure: t.Error, Source: "codex"}
	var answers []string
	for _, item := range t.Output {
		if item.Type == "message" {
			answers = append(answers, item.Text())
		}
	}
	a.Result.Answer = strings.Join(answers, "\n\n")
	return a
}

func turnState(status string) State {
	switch status {
	case "completed":
		return Done
	case "failed":
		return Failed
	case "cancelled":
		return Cancelled
	case "in_progress":
		return Running
	default:
		return Pending
	}
}

// stateOf prefers the turn's status; the task's is the fallback.
func stateOf(s *CodexStatus) State {
	switch {
	case s == nil:
		return Pending
	case s.Turn.Status != "":
		return turnState(s.Turn.Status)
	case s.State == "ready", s.State == "applied":
		return Done
	case s.State == "error":
		return Failed
	default:
		return Pending
	}
}

func moment(seconds float64) time.Time { return time.UnixMilli(int64(seconds * 1000)).UTC() }

func (c *Client) codexTasks(ctx context.Context, cursor string) (*Page, error) {
	path := "/tasks/list?limit=20&task_filter=current"
	if cursor != "" {
		path += "&cursor=" + url.QueryEscape(cursor)
	}
	var list CodexList
	if err := c.call(ctx, http.MethodGet, c.codexPath(path), nil, &list); err != nil {
		return nil, err
	}
	page := &Page{}
	if list.Cursor != nil {
		page.Cursor = *list.Cursor
	}
	for _, item := range list.Items {
		page.Tasks = append(page.Tasks, Task{ID: item.ID, Title: item.Title, State: stateOf(item.Status), Created: moment(item.Created), Updated: moment(item.Updated)})
	}
	return page, nil
}

func (c *Client) codexEnvironments(ctx context.Context) ([]Environment, error) {
	var list []CodexEnvironment
	if err := c.call(ctx, http.MethodGet, c.codexPath("/environments"), nil, &list); err != nil {
		return nil, err
	}
	var all []Environment
	for _, env := range list {
		all = append(all, Environment{Name: env.ID})
	}
	return all, nil
}

// poll asks for a task until it has ended, and makes events of what changed.
func (c *Client) poll(ctx context.Context, id string, sink func(Event)) (*Task, error) {
	var last State
	var waited time.Duration
	for seq := uint64(1); ; seq++ {
		t, err := c.codexTask(ctx, id)
		switch {
		case err == nil:
			waited = 0
		case !mayPass(err) || waited > c.opts.Patience:
			return nil, err
		default:
			waited += c.opts.Poll
		}
		if err == nil && t.State != last {
			last = t.State
			sink(Event{Seq: seq, Attempt: 1, Kind: Stage, Text: string(t.State)})
		}
		if err == nil && t.State.Ended() {
			t.retell(sink)
			return t, nil
		}
		if err := sleep(ctx, c.opts.Poll); err != nil {
			return nil, err
		}
	}
}

// retell makes events of the answers of t.
func (t *Task) retell(sink func(Event)) {
	for _, a := range t.Attempts {
		if a.Result != nil && a.Result.Answer != "" {
			sink(Event{Attempt: a.Number, Kind: Text, Text: a.Result.Answer})
		}
	}
}
