package lsp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index"
	"github.com/agentls/agentls/remote"
)

// A where is where a run is to be: here, or at the task service.
type where struct {
	Remote bool `json:"remote,omitempty"`
}

// suffix is what titles end in that say where.
func (w where) suffix() string {
	if w.Remote {
		return " remotely"
	}
	return ""
}

// runner returns who does tasks there, and the address of the service, "" for
// here.
func (s *Server) runner(where where) (runner agent.Runner, address string, err error) {
	if !where.Remote {
		return s.setup.Load().Runner, "", nil
	}
	service, err := s.service()
	if err != nil {
		return nil, "", err
	}
	return service, service.URL(), nil
}

// service returns the task service, or why there is none.
func (s *Server) service() (*remote.Client, error) {
	setup := s.setup.Load()
	return setup.Remote, setup.RemoteErr
}

type tasksParams struct {
	Cursor string `json:"cursor,omitempty"` // absent: the newest
}

type tasksResult struct {
	URL    string       `json:"url"`
	Tasks  []listedTask `json:"tasks"`            // newest first
	Cursor string       `json:"cursor,omitempty"` // of those that follow; absent at the end
}

// A listedTask is a task at the service, for a list. The numbers of its change
// are of the attempt that stands for it.
type listedTask struct {
	ID       string       `json:"id"`
	Title    string       `json:"title"`
	State    remote.State `json:"state"`
	Mode     agent.Mode   `json:"mode"`
	Created  time.Time    `json:"created"`
	Updated  time.Time    `json:"updated"`
	Attempts int          `json:"attempts"`
	Files    int          `json:"files,omitempty"`
	Added    int          `json:"added,omitempty"`   // lines
	Removed  int          `json:"removed,omitempty"` // lines
}

// listTasks answers with a part of the tasks at the service.
func (s *Server) listTasks(ctx context.Context, p *tasksParams) (*tasksResult, error) {
	service, err := s.service()
	if err != nil {
		return nil, err
	}
	page, err := service.Tasks(ctx, p.Cursor)
	if err != nil {
		return nil, err
	}
	out := &tasksResult{URL: service.URL(), Tasks: make([]listedTask, 0, len(page.Tasks)), Cursor: page.Cursor}
	for i := range page.Tasks {
		out.Tasks = append(out.Tasks, listed(&page.Tasks[i]))
	}
	return out, nil
}

func listed(t *remote.Task) listedTask {
	out := listedTask{
		ID: t.ID, Title: t.Title, State: t.State, Mode: t.Mode,
		Created: t.Created, Updated: t.Updated, Attempts: len(t.Attempts),
	}
	if best, err := t.Attempt(t.Best()); err == nil {
		out.Files, out.Added, out.Removed = best.Result.Files, best.Result.Added, best.Result.Removed
	}
	return out
}

type taskParams struct {
	Task string `json:"task"`
}

// followTask follows a task at the service from its beginning, whoever handed
// it over, as a run.
func (s *Server) followTask(ctx context.Context, p *taskParams) (*startedResult, error) {
	service, err := s.named("agentls.tasks.follow", p)
	if err != nil {
		return nil, err
	}
	t, err := service.Task(ctx, p.Task)
	if err != nil {
		return nil, err
	}
	x := execution{
		task:  agent.Task{ID: s.NewID(), Mode: t.Mode, Prompt: t.Prompt},
		title: t.Title, runner: rejoined{service, t.ID}, remote: service.URL(),
	}
	return s.start(snapshot(ctx), x), nil //nolint:contextcheck // a run outlives its request
}

type cancelResult struct {
	State remote.State `json:"state"`
}

// cancelTask ends a task at the service, if it has not ended.
func (s *Server) cancelTask(ctx context.Context, p *taskParams) (*cancelResult, error) {
	service, err := s.named("agentls.tasks.cancel", p)
	if err != nil {
		return nil, err
	}
	t, err := service.Cancel(ctx, p.Task)
	if err != nil {
		return nil, err
	}
	return &cancelResult{State: t.State}, nil
}

// named returns the service, for a command that names a task of it.
func (s *Server) named(command string, p *taskParams) (*remote.Client, error) {
	if p.Task == "" {
		return nil, badParams("%s: name the task, in %q", command, "task")
	}
	return s.service()
}

// A rejoined task was handed over before. As a runner it does just that task.
type rejoined struct {
	service *remote.Client
	id      string
}

// Run implements agent.Runner. Stopping it leaves the task.
func (r rejoined) Run(ctx context.Context, snap *index.Snapshot, _ agent.Task, sink agent.Sink) (*agent.Result, error) {
	result, err := r.service.Rejoin(ctx, snap, r.id, sink)
	if errors.Is(err, errStopped) {
		err = fmt.Errorf("%w: %w", errStopped, remote.ErrLeft)
	}
	return result, err
}
