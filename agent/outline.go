package agent

import (
	"bytes"
	"encoding/json"
	"time"
)

// Outline returns what a transcript leads to but for its conversation and its
// files: enough for a list, at a small part of the time and memory of
// ReadTranscript and Replay. The errors are theirs.
func Outline(content []byte) (*Past, error) {
	p := newPast()
	size := 0
	for line := range bytes.Lines(content) {
		rec, ok := outlined(line)
		if !ok || line[len(line)-1] != '\n' {
			break
		}
		if err := rec.readable(); err != nil {
			return nil, err
		}
		if size == 0 && (rec.Kind != TaskGiven || rec.Task == nil) {
			return nil, ErrNoTranscript
		}
		if err := p.add(&rec); err != nil {
			return nil, err
		}
		p.forget()
		size += len(line)
	}
	if size == 0 {
		return nil, ErrNoTranscript
	}
	p.Lost = bytes.Count(content[size:], []byte("\n"))
	return p, nil
}

// forget leaves what a list shows.
func (p *Past) forget() { p.items, p.pending, p.memory = nil, nil, memory{} }

// outlined returns a record as far as an outline needs it, and whether it is one:
// of kinds that only add to the conversation and the files it is the time.
func outlined(line []byte) (rec Record, ok bool) {
	head, ok := bytes.CutPrefix(line, []byte(`{"kind":"`))
	kind, rest, closed := bytes.Cut(head, []byte(`"`))
	if !ok || !closed {
		return rec, false
	}
	switch RecordKind(kind) {
	case CallBegun, CallAnswered, MessageGiven, StepClosed, Compacted, RoundBegun:
		stamp, timed := bytes.CutPrefix(rest, []byte(`,"time":"`))
		stamp, _, closed = bytes.Cut(stamp, []byte(`"`))
		if timed && closed {
			rec.Time, _ = time.Parse(time.RFC3339Nano, string(stamp)) // one that is none is as none
		}
		return rec, true
	default:
		return rec, json.Unmarshal(line, &rec) == nil
	}
}
