package lsp

import (
	"context"
	"io"
	"os"
	"slices"
	"sync"

	"go.lsp.dev/uri"

	"github.com/agentls/agentls/agent"
)

// chosen is what the user says about what a run begins with.
type chosen struct {
	Output string   `json:"output,omitempty"` // of a terminal, that the user hands over
	Drop   []string `json:"drop,omitempty"`   // pieces not to send, by id
	Pin    []string `json:"pin,omitempty"`    // pieces to send whatever the budget

	Images []uri.URI `json:"images,omitempty"` // that the user shows
}

// in returns task with what the user says about it.
func (c chosen) in(task agent.Task) (agent.Task, error) {
	task.Output, task.Choice = c.Output, agent.Choice{Drop: c.Drop, Pin: c.Pin}
	for _, image := range c.Images {
		path, err := filePath(image)
		if err != nil {
			return task, err
		}
		content, err := readImage(path)
		if err != nil {
			return task, badParams("%v", err)
		}
		attached, err := agent.NewAttachment(path, content)
		if err != nil {
			return task, badParams("%v", err)
		}
		task.Attached = append(task.Attached, attached)
	}
	return task, nil
}

// maxImageRead is how much of a file is read that is said to be an image; a
// model is shown less.
const maxImageRead = 16 << 20 // bytes

func readImage(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	return io.ReadAll(io.LimitReader(file, maxImageRead))
}

type contextParams struct {
	place
	chosen
	Mode     agent.Mode `json:"mode,omitempty"`     // absent: ask
	Question string     `json:"question,omitempty"` // what will be asked or told
}

type contextResult struct {
	URI    uri.URI       `json:"uri"` // of the document that shows it
	Pieces []agent.Piece `json:"pieces"`
	Tokens int           `json:"tokens"`
	Budget int           `json:"budget"`
}

// listContext says what a run would begin with, and asks no model.
func (s *Server) listContext(ctx context.Context, p *contextParams) (*contextResult, error) {
	setup := s.setup.Load()
	if setup.Context == nil {
		return nil, badParams("agentls.context: there is no agent")
	}
	task, err := p.in(agent.Task{Mode: p.Mode, Prompt: p.Question, Editor: s.editor.Load()})
	if err != nil {
		return nil, err
	}
	if task.Mode == "" {
		task.Mode = agent.Ask
	}
	if !slices.Contains([]agent.Mode{agent.Ask, agent.Explain, agent.Edit, agent.PlanFirst}, task.Mode) {
		return nil, badParams("agentls.context: %q is no mode: ask, explain, edit or plan", string(task.Mode))
	}
	snap := snapshot(ctx)
	f, err := s.focusOf(ctx, snap, p.place)
	if err != nil {
		return nil, err
	}
	task.Focus = &f.Focus
	m, err := setup.Context(ctx, snap, task)
	if err != nil {
		return nil, err
	}
	path, err := s.keep("context", "context.md", []byte(m.Markdown()))
	if err != nil {
		return nil, err
	}
	return &contextResult{fileURI(path), m.Pieces, m.Tokens, m.Budget}, nil
}

// requests are the last ones that runs sent.
type requests struct {
	mu   sync.Mutex
	last map[string]*agent.Request // by run; guarded by mu
	runs []string                  // the oldest first; guarded by mu
}

// maxRequests is of how many runs the last request is kept.
const maxRequests = 8

// note keeps req as the last one of a run.
func (r *requests) note(run string, req *agent.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last = map[string]*agent.Request{}
	}
	r.runs = append(slices.DeleteFunc(r.runs, func(id string) bool { return id == run }), run)
	r.last[run] = req
	if len(r.runs) > maxRequests {
		delete(r.last, r.runs[0])
		r.runs = r.runs[1:]
	}
}

// of returns the last request of a run, or of the last one for "".
func (r *requests) of(run string) *agent.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	if run == "" && len(r.runs) > 0 {
		run = r.runs[len(r.runs)-1]
	}
	return r.last[run]
}

type requestParams struct {
	Run string `json:"run,omitempty"` // absent: the last that sent one
}

type requestResult struct {
	URI uri.URI `json:"uri"`
}

// lastRequest shows what a run sent last, all of it, as it left.
func (s *Server) lastRequest(ctx context.Context, p *requestParams) (*requestResult, error) {
	req := s.sent.of(p.Run)
	if req == nil {
		return nil, badParams("no request is known of that run: it sent none here, or is too long ago")
	}
	path, err := s.keep("context", "request.md", []byte(req.Markdown()))
	if err != nil {
		return nil, err
	}
	if !s.client.events {
		s.client.show(ctx, path, "The last request")
	}
	return &requestResult{fileURI(path)}, nil
}
