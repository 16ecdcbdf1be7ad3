package rpc

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	maxQueued  = 16 << 20 // bytes unread by the peer at which writers wait
	maxUnread  = 64 << 20 // bytes unread by the peer at which the session ends
	chunk      = 64 << 10 // bytes per write, the grain at which progress is seen
	stallLimit = 60 * time.Second
)

// outbox queues frames for one goroutine that writes them. A peer that does
// not read delays that goroutine alone: who queues either waits under its own
// context or not at all.
type outbox struct {
	w       io.Writer
	fail    func(error)   // told once why nothing more is written
	wake    chan struct{} // capacity 1; frames or err changed
	stopped chan struct{} // closed when run has returned

	mu      sync.Mutex
	frames  [][]byte      // guarded by mu; oldest first
	size    int           // guarded by mu; bytes queued and not yet written
	err     error         // guarded by mu; why nothing more is written
	changed chan struct{} // guarded by mu; closed and replaced when size falls or err is set
}

func newOutbox(w io.Writer, fail func(error)) *outbox {
	return &outbox{
		w:       w,
		fail:    fail,
		wake:    make(chan struct{}, 1),
		stopped: make(chan struct{}),
		changed: make(chan struct{}),
	}
}

// push queues a whole frame, whose memory it takes over, and never waits.
// A peer that leaves more than maxUnread bytes unread loses its session; a
// frame for an empty queue always fits.
func (o *outbox) push(frame []byte) error {
	o.mu.Lock()
	err, full := o.err, o.size > 0 && o.size+len(frame) > maxUnread
	if err == nil && !full {
		o.frames = append(o.frames, frame)
		o.size += len(frame)
	}
	o.mu.Unlock()
	if err != nil {
		return err
	}
	if full {
		return o.stop(fmt.Errorf("%w: over %d bytes unread", ErrUnread, maxUnread))
	}
	o.wakeWriter()
	return nil
}

// awaitRoom returns when less than maxQueued bytes are unread, when ctx ends
// or when the session is over.
func (o *outbox) awaitRoom(ctx context.Context) error {
	return o.awaitBelow(ctx, maxQueued)
}

// flush returns when everything queued is written, when ctx ends or when the
// session is over.
func (o *outbox) flush(ctx context.Context) error {
	return o.awaitBelow(ctx, 1)
}

func (o *outbox) awaitBelow(ctx context.Context, limit int) error {
	stalled := time.NewTimer(stallLimit)
	defer stalled.Stop()
	for {
		size, changed, err := o.state()
		if err != nil || size < limit {
			return err
		}
		select {
		case <-changed: // the peer reads
			stalled.Reset(stallLimit)
		case <-stalled.C:
			return o.stop(fmt.Errorf("%w: nothing read for %s", ErrUnread, stallLimit))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (o *outbox) state() (size int, changed <-chan struct{}, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.size, o.changed, o.err
}

// stop drops what is queued, fails every later push with err, and returns it.
// Only the first reason counts.
func (o *outbox) stop(err error) error {
	o.mu.Lock()
	if o.err != nil {
		defer o.mu.Unlock()
		return o.err
	}
	o.err, o.frames = err, nil
	o.signal()
	o.mu.Unlock()
	o.wakeWriter()
	o.fail(err)
	return err
}

// run writes frames in order until stop or the first write error.
func (o *outbox) run() {
	defer close(o.stopped)
	for range o.wake {
		for frame := o.next(); frame != nil; frame = o.next() {
			o.write(frame)
		}
		if _, _, err := o.state(); err != nil {
			return
		}
	}
}

func (o *outbox) next() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.frames) == 0 {
		return nil
	}
	frame := o.frames[0]
	o.frames[0] = nil // do not pin what is written
	o.frames = o.frames[1:]
	return frame
}

func (o *outbox) write(frame []byte) {
	for len(frame) > 0 {
		n, err := o.w.Write(frame[:min(chunk, len(frame))])
		if err != nil {
			_ = o.stop(fmt.Errorf("%w: write: %w", ErrPeerGone, err))
			return
		}
		frame = frame[n:]
		o.written(n)
	}
}

func (o *outbox) written(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.size -= n
	o.signal()
}

// signal tells those who wait that the state changed. o.mu is held.
func (o *outbox) signal() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *outbox) wakeWriter() {
	select {
	case o.wake <- struct{}{}:
	default: // it is awake already
	}
}
