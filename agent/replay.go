package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/agentls/agentls/index"
)

// A Past is what a run had come to when its transcript ended. A task with one
// goes on from there.
type Past struct {
	Task   Task // as it was given, without what is not kept of it
	Model  string
	State  RunState // Running: it did not come to an end
	Reason string   // of that state
	Answer string   // of a run that is done
	Plan   Plan
	Turns  int
	Usage  Usage
	Cost   *float64 // nil where no price was known
	Began  time.Time
	Last   time.Time // of the last record
	Lost   int       // lines of the transcript behind its damage, which are not in it

	items    Items
	pending  *response      // what the last response asks for and was not done
	begun    map[string]int // calls that began, and changed more than the draft; as run.began
	files    map[string]draftFile
	bases    map[string]index.Replacement
	told     contents
	steps    []checkpoint
	accepted bool // Plan, by the user
	rounds   int  // that ended as done
	opening  int
	sized    int // tokens of the last request and its response
	sizedAt  int
	memory   memory
	handed   int     // parts
	choice   *Choice // of the user while it ran; nil: none
}

// Replay returns what records lead to. Nothing is run.
func Replay(records []Record) (*Past, error) {
	if len(records) == 0 || records[0].Task == nil {
		return nil, ErrNoTranscript
	}
	p := newPast()
	for i := range records {
		if err := p.add(&records[i]); err != nil {
			return nil, fmt.Errorf("record %d (%s): %w", i+1, records[i].Kind, err)
		}
	}
	return p, nil
}

func newPast() *Past {
	return &Past{State: Running, begun: map[string]int{}, files: map[string]draftFile{}, bases: map[string]index.Replacement{}, told: contents{}}
}

// add replays the next record.
func (p *Past) add(rec *Record) error {
	if err := p.replay(rec); err != nil {
		return err
	}
	if rec.Kind == TaskGiven {
		p.Began = rec.Time
	}
	if !rec.Time.IsZero() {
		p.Last = rec.Time
	}
	if rec.Cost != nil {
		p.Cost = rec.Cost
	}
	return nil
}

func (p *Past) replay(rec *Record) error {
	switch rec.Kind {
	case TaskGiven:
		if rec.Task == nil || p.Task.ID != "" {
			return errors.New("a second task, or none")
		}
		p.Task, p.Model, p.items, p.opening = *rec.Task, rec.Model, rec.Items, len(rec.Items)
	case Resumed:
		p.State, p.Reason = Running, ""
	case ResponseCame:
		return p.respond(rec)
	case CallBegun:
		p.begin(rec.Call)
	case PartEnded:
		if rec.Usage != nil {
			p.Usage = p.Usage.plus(*rec.Usage)
		}
	case CallAnswered:
		return p.answer(rec)
	case MessageGiven:
		p.hear(rec)
	case PlanMoved:
		if rec.Plan == nil {
			return errors.New("a plan that is none")
		}
		p.Plan, p.accepted = *rec.Plan, rec.Accepted
	case RoundBegun:
		return p.round(rec)
	case StepClosed:
		p.steps = append(p.steps, checkpoint{title: rec.Call, files: cloneFiles(p.files)})
	case Compacted:
		p.compact(rec)
	case RunEnded:
		p.State, p.Reason, p.Answer = rec.State, rec.Reason, rec.Answer
		if rec.State == Done {
			p.pending = nil
		}
	}
	return nil
}

// begin takes note of a call that began, for the first time or anew.
func (p *Past) begin(id string) {
	_, again := p.begun[id]
	isPart := p.pending != nil && slices.ContainsFunc(p.pending.calls, func(c *ToolCall) bool { return c.ID == id && c.Name == delegateTool })
	switch {
	case again:
	case isPart:
		p.handed++
		p.begun[id] = p.handed
	default:
		p.begun[id] = 0
	}
}

// hear takes what was said to the model beside outputs.
func (p *Past) hear(rec *Record) {
	p.items, p.pending = append(p.items, rec.Items...), nil
	if rec.Choice != nil {
		p.choice = rec.Choice
	}
	if rec.Said != "" {
		p.memory.heard(rec.Said)
	}
}

func (p *Past) respond(rec *Record) error {
	if slices.Contains(rec.Calls, nil) {
		return errors.New("a call that is none")
	}
	p.Turns++
	p.items = append(p.items, rec.Items...)
	p.pending = &response{texts: rec.Texts, calls: rec.Calls, complete: true, compacted: -1}
	p.memory.responded(rec.Texts)
	if rec.Usage != nil {
		p.Usage = p.Usage.plus(*rec.Usage)
		p.sized, p.sizedAt = rec.Usage.InputTokens+rec.Usage.OutputTokens, len(p.items)
	}
	return nil
}

// compact takes items in the place of those before. Where the model's server made
// them, not even the beginning stays.
func (p *Past) compact(rec *Record) {
	if p.pending != nil {
		p.opening = 0
	}
	p.items, p.sized = rec.Items, 0
	p.opening = min(p.opening, len(p.items))
}

// answer takes the output of a call, and what it did to the draft.
func (p *Past) answer(rec *Record) error {
	if p.pending == nil {
		return errors.New("an output without a call")
	}
	p.items = append(p.items, rec.Items...)
	if out, ok := firstOutput(rec.Items); ok && p.pending.answered < len(p.pending.calls) {
		p.memory.answered(p.pending.calls[p.pending.answered], out, rec.Failed)
	}
	p.pending.answered++
	if err := p.change(rec.Files); err != nil {
		return err
	}
	if len(p.pending.calls) > 0 && p.pending.answered >= len(p.pending.calls) {
		p.pending = nil
	}
	return nil
}

// round begins anew with what the user left of the draft.
func (p *Past) round(rec *Record) error {
	p.items, p.pending, p.steps = append(p.items, rec.Items...), nil, nil
	p.rounds++
	p.memory.heard(rec.Said)
	clear(p.files)
	clear(p.bases)
	return p.change(rec.Files)
}

func (p *Past) change(files []FileRecord) error {
	for i := range files {
		f := &files[i]
		if f.Base != nil {
			base := index.Replacement{Path: f.Path, Gone: f.Base.Gone}
			if !base.Gone {
				var err error
				if base.Content, err = p.told.read(f.Path, &f.Base.Body); err != nil {
					return err
				}
			}
			p.bases[f.Path] = base
		}
		file := draftFile{mode: f.Mode, was: f.Was, gone: f.Gone, from: f.From, overwrites: f.Overwrites}
		if !file.gone {
			var err error
			if file.content, err = p.told.read(f.Path, &f.Body); err != nil {
				return err
			}
		}
		p.files[f.Path] = file
	}
	return nil
}

func firstOutput(items Items) (ToolOutput, bool) {
	if len(items) == 0 {
		return ToolOutput{}, false
	}
	out, ok := items[0].(ToolOutput)
	return out, ok
}

// ErrDone is the end of resuming a run that is done, without a word on how to
// go on.
var ErrDone = errors.New("the run is done: say how it is to go on")

// takeUp makes r go on from p.
func (r *run) takeUp(p *Past) {
	r.req.Items = slices.Clone(p.items)
	r.usage, r.plan, r.steps, r.round = p.Usage, p.Plan, slices.Clone(p.steps), p.rounds
	r.opened, r.sized, r.sizedAt, r.memory = p.opening, p.sized, p.sizedAt, p.memory
	r.began, r.accepted, r.handed = maps.Clone(p.begun), p.accepted, p.handed
	if p.pending != nil {
		pending := *p.pending
		r.pending = &pending
	}
	r.draft.base = r.draft.base.With(slices.Collect(maps.Values(p.bases))...)
	for path, f := range p.files {
		r.draft.set(path, f)
	}
	r.kept, r.contents = cloneFiles(p.files), maps.Clone(p.told)
	r.note(&Record{Kind: Resumed, Format: transcriptFormat})
}

// changes returns how the draft differs from what was noted of it, and counts
// that as noted. What is gone is in front: what was moved is told by it.
func (r *run) changes(ctx context.Context) []FileRecord {
	if r.transcript == nil {
		return nil
	}
	var gone, there []string
	for _, path := range r.draft.Changed() {
		f, before := r.draft.changed[path], r.kept[path]
		if _, known := r.kept[path]; known && f.same(&before) {
			continue
		}
		if f.gone {
			gone = append(gone, path)
		} else {
			there = append(there, path)
		}
	}
	var out []FileRecord
	for _, path := range append(gone, there...) {
		out = append(out, r.fileRecord(ctx, path))
	}
	return out
}

// fileRecord tells what the draft has at path.
func (r *run) fileRecord(ctx context.Context, path string) FileRecord {
	f := r.draft.changed[path]
	rec := FileRecord{Path: path, Mode: f.mode, Was: f.was, Gone: f.gone, From: f.from, Overwrites: f.overwrites}
	if _, known := r.kept[path]; !known {
		rec.Base = r.baseOf(ctx, path)
	}
	if !f.gone {
		rec.Body = r.contents.tell(path, f.from, f.content)
	}
	r.kept[path] = f
	return rec
}

func (r *run) baseOf(ctx context.Context, path string) *FileBase {
	content, err := r.draft.Base(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return &FileBase{Gone: true}
	}
	if err != nil {
		return nil // it cannot be read: the change set will say so
	}
	return &FileBase{Body: r.contents.tell(path, "", content)}
}

func (f *draftFile) same(g *draftFile) bool {
	return f.mode == g.mode && f.was == g.was && f.gone == g.gone && f.from == g.from && f.overwrites == g.overwrites &&
		bytes.Equal(f.content, g.content)
}
