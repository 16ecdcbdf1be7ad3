// Package server is the task service: it takes tasks over HTTP, runs an agent
// on a checkout for each, and keeps what came of it, through every crash.
package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/index/git"
	"github.com/agentls/agentls/remote"
)

// Options configure a Server. Dir, Runner, Now and NewID are needed.
type Options struct {
	Dir      string           // where everything is kept; made if it is not there
	Runner   agent.Runner     // does the tasks
	Commands Commands         // runs the environments' commands; nil refuses them
	Tokens   []string         // one of them is asked of every client; none: anybody on this machine may
	Version  string           // for people
	Workers  int              // attempts at once; 0 is 2
	Now      func() time.Time // the clock
	NewID    func() string    // makes short random names
	Log      *slog.Logger     // nil discards
}

// A Server is a task service. It is one http.Handler.
type Server struct {
	dir      string
	runner   agent.Runner
	commands Commands
	tokens   tokens
	version  string
	now      func() time.Time
	newID    func() string
	log      *slog.Logger

	store   *store
	engine  Engine
	close   func() error // of the engine
	shelf   *shelf
	blobs   blobs
	changed *bell
	routes  http.Handler
}

// Open opens the service in the folder of opts, and takes up what a process
// before it left undone once Serve is called. ErrInUse, where one still runs.
func Open(ctx context.Context, opts Options) (*Server, error) {
	s := &Server{
		dir: opts.Dir, runner: opts.Runner, commands: opts.Commands, tokens: newTokens(opts.Tokens), version: opts.Version,
		now: opts.Now, newID: opts.NewID, log: opts.Log, changed: newBell(), blobs: blobs{filepath.Join(opts.Dir, "blobs")},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.shelf = &shelf{dir: filepath.Join(opts.Dir, "git"), blobs: s.blobs}
	if err := s.open(ctx, opts.Workers); err != nil {
		return nil, fmt.Errorf("open task service: %w", err)
	}
	s.routes = s.route()
	return s, nil
}

func (s *Server) open(ctx context.Context, workers int) (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if s.store, err = openStore(ctx, filepath.Join(s.dir, "tasks.db"), s.now); err != nil {
		return err
	}
	engine, err := OpenLocal(ctx, filepath.Join(s.dir, "engine.db"), LocalOptions{Workers: workers, Now: s.now, Log: s.log, Changed: s.changed.ring})
	if err != nil {
		return errors.Join(err, s.store.db.Close())
	}
	s.engine, s.close = engine, engine.Close
	s.sweep(ctx)
	if err := errors.Join(git.Create(ctx, s.shelf.dir), s.startAll(ctx)); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// scratch is the folder of the checkouts.
const scratch = "scratch"

// sweep removes what a process before this one was at when it died.
func (s *Server) sweep(ctx context.Context) {
	s.clean(ctx, filepath.Join(s.dir, scratch))
	for _, half := range s.blobs.unfinished() {
		s.clean(ctx, half)
	}
}

// startAll starts the attempts that a crash kept from the engine.
func (s *Server) startAll(ctx context.Context) error {
	all, _, err := s.store.tasks(-1, "", func(*taskRecord) bool { return true })
	if err != nil {
		return err
	}
	for _, rec := range all {
		_, err := s.engine.Get(ctx, attemptID(rec.ID, rec.attempts()))
		if errors.Is(err, ErrUnknown) {
			err = s.start(ctx, rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close closes the service's files. End Serve first.
func (s *Server) Close() error { return errors.Join(s.close(), s.store.db.Close()) }

// ErrExposed is the end of a service that others could reach without a token.
var ErrExposed = errors.New("the address can be reached from other machines, and there are no tokens")

// How long a client may take.
const (
	headerTime   = 10 * time.Second
	shutdownTime = 3 * time.Second
)

// Serve answers on listener and works until ctx ends. Without tokens listener
// must be on a loopback address: else ErrExposed.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	if at, ok := listener.Addr().(*net.TCPAddr); s.tokens.none() && (!ok || !at.IP.IsLoopback()) {
		return fmt.Errorf("serve on %v: %w", listener.Addr(), ErrExposed)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	web := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTime,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	var work sync.WaitGroup
	var workErr error
	work.Go(func() {
		defer cancel()
		workErr = s.engine.Serve(ctx, s.work)
	})
	work.Go(func() {
		<-ctx.Done()
		stopping, stop := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer stop()
		if web.Shutdown(stopping) != nil {
			_ = web.Close() // a client that does not let go
		}
	})
	err := web.Serve(listener)
	cancel()
	work.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, workErr)
}

// create takes a task: its code first, then the task, then its attempts. Once
// it returns, no crash loses the task.
func (s *Server) create(ctx context.Context, spec remote.Spec) (*taskRecord, error) {
	if spec.Key == "" {
		spec.Key = s.newID()
	}
	if err := spec.Check(); err != nil {
		return nil, err
	}
	known, err := s.store.keyed(spec.Key)
	if err != nil {
		return nil, err
	}
	if known == nil {
		if err := s.admit(ctx, spec); err != nil {
			return nil, err
		}
	}
	rec, err := s.store.create("task_"+s.newID(), spec)
	if err != nil {
		return nil, err
	}
	return rec, s.start(ctx, rec)
}

// admit sees that all is there that a new task needs.
func (s *Server) admit(ctx context.Context, spec remote.Spec) error {
	if spec.Environment != "" {
		if _, err := s.store.environment(spec.Environment); err != nil {
			return err
		}
	}
	if !spec.Base.Overlay.IsZero() {
		content, err := s.blobs.read(spec.Base.Overlay, remote.MaxOverlay)
		if err != nil {
			return fmt.Errorf("%w: the overlay: %w", remote.ErrSpec, err)
		}
		if _, err := remote.ParseOverlay(content); err != nil {
			return fmt.Errorf("%w: %w", remote.ErrSpec, err)
		}
	}
	return s.shelf.take(ctx, spec.Base)
}

// start hands the attempts of a task to the engine.
func (s *Server) start(ctx context.Context, rec *taskRecord) error {
	for n := 1; n <= rec.attempts(); n++ {
		raw := fmt.Appendf(nil, `{"task":%q,"number":%d}`, rec.ID, n)
		if err := s.engine.Start(ctx, attemptID(rec.ID, n), raw); err != nil {
			return err
		}
	}
	return nil
}

// cancel ends all attempts of a task that have not ended.
func (s *Server) cancel(ctx context.Context, id string) (*remote.Task, error) {
	rec, err := s.store.task(id)
	if err != nil {
		return nil, err
	}
	for n := 1; n <= rec.attempts(); n++ {
		if err := s.engine.Cancel(ctx, attemptID(id, n)); err != nil {
			return nil, err
		}
	}
	return s.describe(ctx, rec)
}

// isFull reports whether err is a disk without room.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// notFound reports whether err is about something that is not there.
func notFound(err error) bool {
	return errors.Is(err, errNoTask) || errors.Is(err, errNoEnvironment) || errors.Is(err, errNoBlob) || errors.Is(err, fs.ErrNotExist)
}

// A bell wakes all who wait for a change.
type bell struct {
	mu   sync.Mutex
	next chan struct{}
}

func newBell() *bell { return &bell{next: make(chan struct{})} }

// wait returns a channel that is closed at the next ring.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.next)
	b.next = make(chan struct{})
}
