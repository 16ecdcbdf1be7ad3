package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index/git"
	"github.com/agentls/agentls/remote"
)

const (
	maxBody     = 32 << 20 // bytes of a JSON body
	listed      = 20       // tasks of a page of the list, where the client does not say
	maxListed   = 100
	maxQuestion = 1000 // commits asked about at once
)

// route returns the handler of all paths.
func (s *Server) route() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, "ok\n") })
	for pattern, handle := range map[string]func(w http.ResponseWriter, r *http.Request) (any, error){
		"GET /{$}":                          s.serviceInfo,
		"GET /tasks":                        s.listTasks,
		"POST /tasks":                       s.createTask,
		"GET /tasks/{id}":                   s.showTask,
		"POST /tasks/{id}/cancel":           s.cancelTask,
		"POST /commits":                     s.knownCommits,
		"GET /environments":                 s.listEnvironments,
		"PUT /environments/{name...}":       s.declareEnvironment,
		"DELETE /environments/{name...}":    s.deleteEnvironment,
		"PUT /blobs/{hash}":                 s.putBlob,
		"GET /blobs/{hash}":                 s.getBlob,
		"GET /tasks/{id}/log":               s.showLog,
		"GET /tasks/{id}/events":            s.streamEvents,
		"GET /tasks/{id}/attempts/{n}/diff": s.showDiff,
	} {
		mux.HandleFunc(at(remote.Prefix, pattern), answering(handle))
	}
	for _, prefix := range []string{"/api/codex", "/backend-api/wham"} {
		s.routeCodex(mux, prefix)
	}
	s.routePage(mux)
	return mux
}

// at puts prefix in front of the path of a pattern.
func at(prefix, pattern string) string {
	method, path, _ := strings.Cut(pattern, " ")
	return method + " " + prefix + path
}

// answering makes a handler of a function that returns the body of the answer,
// or nil where it has written one itself.
func answering(handle func(w http.ResponseWriter, r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := handle(w, r)
		switch {
		case err != nil:
			writeProblem(w, status(err), err.Error())
		case body != nil:
			writeJSON(w, http.StatusOK, body)
		}
	}
}

// errBody is in the errors of a request whose body is not what it should be.
var errBody = errors.New("the request's body")

// status returns the status of an answer that is err.
func status(err error) int {
	var large *http.MaxBytesError
	switch {
	case isFull(err):
		return http.StatusInsufficientStorage
	case notFound(err):
		return http.StatusNotFound
	case errors.Is(err, errKeyTaken):
		return http.StatusConflict
	case errors.As(err, &large), errors.Is(err, errBlobLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, remote.ErrSpec), errors.Is(err, git.ErrDamaged), errors.Is(err, errBlobHash), errors.Is(err, edits.ErrOutside):
		return http.StatusUnprocessableEntity
	case errors.Is(err, errBody), errors.Is(err, io.ErrUnexpectedEOF):
		return http.StatusBadRequest
	default:
		return http.StatusInternalServerError
	}
}

func writeProblem(w http.ResponseWriter, status int, message string) {
	if status == http.StatusInsufficientStorage {
		message = "the service's disk is full; make room there and try again: " + message
	}
	var p remote.Problem
	p.Error.Message = message
	writeJSON(w, status, p)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(raw, '\n')) // the client is gone otherwise
}

func writeText(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, body) // the client is gone otherwise
}

// readJSON reads the body of a request.
func readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fmt.Errorf("%w is not said to be application/json", errBody)
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		return fmt.Errorf("%w: %w", errBody, err)
	}
	return nil
}

func (s *Server) serviceInfo(http.ResponseWriter, *http.Request) (any, error) {
	service := remote.Service{Name: remote.ServiceName, Version: s.version}
	if s.commands != nil {
		service.Confine = s.commands.Confinement()
	}
	return service, nil
}

func (s *Server) listTasks(_ http.ResponseWriter, r *http.Request) (any, error) {
	page := remote.Page{Tasks: []remote.Task{}}
	recs, next, err := s.store.tasks(limit(r), r.FormValue("cursor"), in(r.FormValue("environment")))
	if err != nil {
		return nil, err
	}
	page.Cursor = next
	for _, rec := range recs {
		t, err := s.describe(r.Context(), rec)
		if err != nil {
			return nil, err
		}
		for i := range t.Attempts {
			if res := t.Attempts[i].Result; res != nil {
				res.Diff, res.Answer, res.Verified = "", "", nil // the task itself has them
			}
		}
		t.Base.Diff = ""
		page.Tasks = append(page.Tasks, *t)
	}
	return page, nil
}

// limit returns how many tasks r asks for.
func limit(r *http.Request) int {
	n, err := strconv.Atoi(r.FormValue("limit"))
	if err != nil || n < 1 {
		return listed
	}
	return min(n, maxListed)
}

// in returns what keeps the tasks of an environment; "" keeps all.
func in(environment string) func(*taskRecord) bool {
	return func(rec *taskRecord) bool { return environment == "" || rec.Spec.Environment == environment }
}

func (s *Server) createTask(w http.ResponseWriter, r *http.Request) (any, error) {
	var spec remote.Spec
	if err := readJSON(w, r, &spec); err != nil {
		return nil, err
	}
	rec, err := s.create(r.Context(), spec)
	if err != nil {
		return nil, err
	}
	return s.describe(r.Context(), rec)
}

// named returns the task that the path of r names.
func (s *Server) named(r *http.Request) (*remote.Task, error) {
	rec, err := s.store.task(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return s.describe(r.Context(), rec)
}

func (s *Server) showTask(_ http.ResponseWriter, r *http.Request) (any, error) { return s.named(r) }

func (s *Server) cancelTask(_ http.ResponseWriter, r *http.Request) (any, error) {
	return s.cancel(r.Context(), r.PathValue("id"))
}

func (s *Server) showDiff(w http.ResponseWriter, r *http.Request) (any, error) {
	t, err := s.named(r)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 1 || n > len(t.Attempts) {
		return nil, fmt.Errorf("attempt %s: %w", r.PathValue("n"), errNoTask)
	}
	if res := t.Attempts[n-1].Result; res != nil {
		writeText(w, res.Diff)
		return nil, nil
	}
	return nil, fmt.Errorf("attempt %d has no result: it is %s: %w", n, t.Attempts[n-1].State, errNoTask)
}

func (s *Server) showLog(_ http.ResponseWriter, r *http.Request) (any, error) {
	rec, err := s.store.task(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	after, err := lastEvent(r)
	if err != nil {
		return nil, err
	}
	events, err := s.store.events(rec.ID, after, batch)
	if events == nil {
		events = []remote.Event{}
	}
	return remote.Log{Events: events}, err
}

func (s *Server) knownCommits(w http.ResponseWriter, r *http.Request) (any, error) {
	var asked remote.Commits
	if err := readJSON(w, r, &asked); err != nil {
		return nil, err
	}
	if len(asked.Commits) > maxQuestion {
		return nil, fmt.Errorf("%w asks for %d commits; %d are allowed", errBody, len(asked.Commits), maxQuestion)
	}
	known := remote.Commits{Commits: []string{}}
	newest, err := s.shelf.newest(r.Context(), asked.Commits)
	if newest != "" { // all that are older are there with it
		known.Commits = append(known.Commits, newest)
	}
	return known, err
}

func (s *Server) listEnvironments(http.ResponseWriter, *http.Request) (any, error) {
	all, err := s.store.environments()
	if all == nil {
		all = []remote.Environment{}
	}
	return all, err
}

func (s *Server) declareEnvironment(w http.ResponseWriter, r *http.Request) (any, error) {
	var env remote.Environment
	if err := readJSON(w, r, &env); err != nil {
		return nil, err
	}
	env.Name = r.PathValue("name")
	if err := env.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", remote.ErrSpec, err)
	}
	return env, s.store.putEnvironment(env)
}

func (s *Server) deleteEnvironment(_ http.ResponseWriter, r *http.Request) (any, error) {
	env, err := s.store.environment(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return env, s.store.removeEnvironment(env.Name)
}

// blobHash returns the hash that the path of r names.
func blobHash(r *http.Request) (hash text.Hash, err error) {
	if err := hash.UnmarshalText([]byte(r.PathValue("hash"))); err != nil || hash.IsZero() {
		return hash, fmt.Errorf("%q is no hash: %w", r.PathValue("hash"), errNoBlob)
	}
	return hash, nil
}

func (s *Server) putBlob(w http.ResponseWriter, r *http.Request) (any, error) {
	hash, err := blobHash(r)
	if err != nil {
		return nil, err
	}
	if err := s.blobs.put(hash, r.Body); err != nil {
		return nil, err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

func (s *Server) getBlob(w http.ResponseWriter, r *http.Request) (any, error) {
	hash, err := blobHash(r)
	if err != nil {
		return nil, err
	}
	if !s.blobs.has(hash) {
		return nil, fmt.Errorf("%v: %w", hash, errNoBlob)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeFile(w, r, s.blobs.path(hash))
	return nil, nil
}
