package server

import (
	"context"
	"errors"
	"time"

	"github.com/agentls/agentls/remote"
)

// An Engine executes work, and goes on with it after a crash. What it accepted
// survives kill -9.
//
// Invariant: an execution is tried at least once; each try has a higher fence,
// and only the present fence may save or end it. How it ended is written once.
// A cancel wins over a retry.
type Engine interface {
	// Start accepts the execution id. A second Start of it does nothing.
	Start(ctx context.Context, id string, input []byte) error
	// Signal tells an execution something. One with an ID that was there
	// already does nothing. ErrEnded, where it comes too late.
	Signal(ctx context.Context, id string, signal Signal) error
	// Cancel ends an execution that has not ended.
	Cancel(ctx context.Context, id string) error
	// Get returns an execution; ErrUnknown where there is none.
	Get(ctx context.Context, id string) (*Execution, error)
	// List returns all executions, by id.
	List(ctx context.Context) ([]*Execution, error)
	// Serve works until ctx ends, and returns when its tries have.
	Serve(ctx context.Context, work Work) error
}

// What an Engine answers.
var (
	ErrUnknown = errors.New("there is no such execution")
	ErrEnded   = errors.New("the execution has ended")
	ErrFenced  = errors.New("another try has taken over")
)

// Why the context of a try ends before the work does.
var (
	errCancelled = errors.New("the task was cancelled")
	errStopping  = errors.New("the service is stopping")
)

// A Signal is something an execution is told while it runs.
type Signal struct {
	ID   string `json:"id"` // by which a second one is known
	Data []byte `json:"data"`
}

// An Execution is what an engine knows of one.
type Execution struct {
	ID         string       `json:"id"`
	Input      []byte       `json:"input"`
	State      remote.State `json:"state"`
	Fence      uint64       `json:"fence"` // of the latest try, from 1; 0 before
	Checkpoint []byte       `json:"checkpoint,omitempty"`
	Signals    []Signal     `json:"signals,omitempty"` // in order
	Begun      int          `json:"begun"`             // tries, but for those that the engine stopped itself
	Reason     string       `json:"reason,omitempty"`  // of the last failure
	NotBefore  time.Time    `json:"notBefore,omitzero"`
	Heartbeat  time.Time    `json:"heartbeat,omitzero"` // of the latest try
	Updated    time.Time    `json:"updated"`
}

// Work does one try. Its context ends when the execution is cancelled, when
// another try takes over, and when the engine stops; its result does not count
// then. An error is tried again, unless it is Final. What came of it, Work has
// kept by the fence: the accepted one is in the Execution.
type Work func(ctx context.Context, try *Try) error

// A Try is one go at an execution.
type Try struct {
	ID         string
	Fence      uint64
	Input      []byte
	Checkpoint []byte // what an earlier try saved

	begun   int // Execution.Begun
	save    func(ctx context.Context, checkpoint []byte) error
	signals func(ctx context.Context) ([]Signal, error)
}

// Save keeps checkpoint for the next try. The error is ErrFenced or ErrEnded
// where this one no longer counts.
func (t *Try) Save(ctx context.Context, checkpoint []byte) error { return t.save(ctx, checkpoint) }

// Signals returns what the execution was told so far, in order.
func (t *Try) Signals(ctx context.Context) ([]Signal, error) { return t.signals(ctx) }

// finalError is an error that trying again does not mend.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// Final marks err as one that trying again does not mend.
func Final(err error) error { return finalError{err} }
