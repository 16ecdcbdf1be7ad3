package lsp

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// findings are what reviews found, here or in earlier sessions, until their
// lines change or the user dismisses them.
type findings struct {
	server *Server
	known  sync.Once  // done when those of earlier sessions are taken up
	saving sync.Mutex // one writer of the files at a time; held while they are written, never inside mu

	mu        sync.Mutex
	open      []agent.Finding // guarded by mu
	dismissed map[string]bool // fingerprints, for good; guarded by mu
}

// add takes in what a review found, but for what was dismissed or is known.
func (f *findings) add(found []agent.Finding) {
	f.known.Do(f.takeUp)
	if len(found) == 0 {
		return
	}
	f.mu.Lock()
	for i := range found {
		same := func(g agent.Finding) bool { return g.Fingerprint == found[i].Fingerprint }
		if !f.dismissed[found[i].Fingerprint] {
			f.open = append(slices.DeleteFunc(f.open, same), found[i])
		}
	}
	f.mu.Unlock()
	f.trySave()
}

// A placedFinding is a finding where it stands now.
type placedFinding struct {
	agent.Finding
	now  []byte // its file
	span text.Span
}

// placed returns the open findings where they stand in snap, and closes those
// whose lines changed.
func (f *findings) placed(ctx context.Context, snap *index.Snapshot) []placedFinding {
	f.known.Do(f.takeUp)
	f.mu.Lock()
	open := slices.Clone(f.open)
	f.mu.Unlock()
	var out []placedFinding
	gone := map[string]bool{}
	for i := range open {
		now, err := snap.ReadFile(ctx, open[i].Path)
		if ctx.Err() != nil {
			return out
		}
		if span, ok := open[i].Place(now); ok && err == nil {
			out = append(out, placedFinding{open[i], now, span})
			continue
		}
		gone[open[i].Fingerprint] = true
	}
	if len(gone) > 0 {
		f.close(gone)
		f.trySave()
	}
	return out
}

func (f *findings) close(fingerprints map[string]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open = slices.DeleteFunc(f.open, func(g agent.Finding) bool { return fingerprints[g.Fingerprint] })
}

// diagnose adds a diagnostic for each finding.
func (f *findings) diagnose(ctx context.Context, snap *index.Snapshot, byFile map[string][]protocol.Diagnostic) {
	severities := []protocol.DiagnosticSeverity{
		protocol.DiagnosticSeverityError, protocol.DiagnosticSeverityWarning, protocol.DiagnosticSeverityWarning, protocol.DiagnosticSeverityInformation,
	}
	for _, p := range f.placed(ctx, snap) {
		lines := text.NewLines(p.now)
		byFile[p.Path] = append(byFile[p.Path], protocol.Diagnostic{
			Range:    toRange(lines, visible(lines, p.span), f.server.client.encoding),
			Severity: severities[p.Priority],
			Source:   protocol.NewOptional(diagnosticSource),
			Code:     protocol.String("review#" + p.Fingerprint),
			Message:  protocol.String(message(&p.Finding)),
		})
	}
}

// message returns what the diagnostic of a finding says.
func message(f *agent.Finding) string {
	doubt := ""
	if f.Verdict == agent.Unverified {
		doubt = ", unverified"
	}
	return fmt.Sprintf("P%d%s: %s\n%s", f.Priority, doubt, f.Title, f.Body)
}

// actions returns what can be done with the findings at a place.
func (f *findings) actions(ctx context.Context, snap *index.Snapshot, at place) ([]*protocol.CodeAction, error) {
	path, err := filePath(at.URI)
	if err != nil {
		return nil, err
	}
	var out []*protocol.CodeAction
	for _, p := range f.placed(ctx, snap) {
		lines := text.NewLines(p.now)
		if p.Path != path || !touches(lines, p.span, toSpan(lines, at.Range, f.server.client.encoding)) {
			continue
		}
		this := findingParams{Finding: p.Fingerprint}
		if p.Fix != nil {
			out = append(out, action("Propose the fix: "+p.Title, kindReview, "agentls.findings.fix", this))
		}
		out = append(out, action("Dismiss for good: "+p.Title, kindReview, "agentls.findings.dismiss", this))
	}
	return out, nil
}

type reviewParams struct {
	place
	where
	Focus string `json:"focus,omitempty"` // what to look for above all
}

// reviewPlace has a model review what is at a place, as a run whose findings
// become diagnostics.
func (s *Server) reviewPlace(ctx context.Context, p *reviewParams) (*startedResult, error) {
	if p.Remote {
		return nil, badParams("agentls.review: reviews run here: leave out %q", "remote")
	}
	if s.setup.Load().Model == "" {
		return nil, agent.ErrNoModel
	}
	task := agent.Task{Mode: agent.Review}
	if p.Focus != "" {
		task.Prompt = "Review the code in focus. Look for this above all: " + p.Focus
	}
	return s.begin(ctx, p.place, p.where, task, "Review")
}

type findingParams struct {
	Finding string `json:"finding"` // its fingerprint
}

// find returns the open finding that p names, where it stands.
func (f *findings) find(ctx context.Context, p *findingParams) (*placedFinding, error) {
	placed := f.placed(ctx, snapshot(ctx))
	i := slices.IndexFunc(placed, func(g placedFinding) bool { return g.Fingerprint == p.Finding })
	if i < 0 {
		return nil, badParams("no finding %q is open: its lines changed, or it was dismissed", p.Finding)
	}
	return &placed[i], nil
}

type fixResult struct {
	ChangeSet string `json:"changeSet"` // the proposal
}

// fixFinding makes the fix of a finding a proposal, which the user decides on
// as on any other.
func (s *Server) fixFinding(ctx context.Context, p *findingParams) (*fixResult, error) {
	found, err := s.findings.find(ctx, p)
	if err != nil {
		return nil, err
	}
	cs, err := found.ChangeSet(s.NewID(), found.now)
	switch {
	case err != nil:
		return nil, err
	case cs == nil:
		return nil, badParams("the finding %q offers no fix", found.Title)
	}
	return &fixResult{cs.ID}, s.review.add(ctx, cs)
}

type dismissResult struct {
	Dismissed string `json:"dismissed"` // the title
}

// dismissFinding closes a finding, and every one like it that a later review
// makes.
func (s *Server) dismissFinding(ctx context.Context, p *findingParams) (*dismissResult, error) {
	found, err := s.findings.find(ctx, p)
	if err != nil {
		return nil, err
	}
	s.findings.mu.Lock()
	s.findings.dismissed[p.Finding] = true
	s.findings.mu.Unlock()
	s.findings.close(map[string]bool{p.Finding: true})
	if err := s.findings.save(); err != nil {
		return nil, err
	}
	s.review.draw(context.WithoutCancel(ctx))
	return &dismissResult{found.Title}, nil
}

type findingsParams struct{}

type findingsResult struct {
	Findings []findingLine `json:"findings"`
}

type findingLine struct {
	Finding    string         `json:"finding"` // its fingerprint
	URI        uri.URI        `json:"uri"`
	Range      protocol.Range `json:"range"`
	Title      string         `json:"title"`
	Body       string         `json:"body"` // Markdown
	Priority   int            `json:"priority"`
	Confidence float64        `json:"confidence"`
	Fixable    bool           `json:"fixable"`           // it offers a fix
	Verdict    agent.Verdict  `json:"verdict,omitempty"` // of the second pass; absent where there was none
	Reason     string         `json:"reason,omitempty"`  // of the verdict
}

// listFindings returns the open findings where they stand, the most urgent
// first.
func (s *Server) listFindings(ctx context.Context, _ *findingsParams) (*findingsResult, error) {
	out := &findingsResult{Findings: []findingLine{}}
	for _, p := range s.findings.placed(ctx, snapshot(ctx)) {
		lines := text.NewLines(p.now)
		out.Findings = append(out.Findings, findingLine{
			p.Fingerprint, fileURI(p.Path), toRange(lines, visible(lines, p.span), s.client.encoding), p.Title, p.Body, p.Priority, p.Confidence, p.Fix != nil, p.Verdict, p.Reason,
		})
	}
	slices.SortStableFunc(out.Findings, func(a, b findingLine) int { return a.Priority - b.Priority })
	return out, nil
}
