package server

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/agentls/agentls/remote"
)

// The page is for people: the list of tasks, and a task with its log and diff.
//
//go:embed page
var pageFiles embed.FS

// policy lets a page load its own style and script, and nothing else: what a
// model or a diff says is text and cannot become anything more.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"trim": func(s string) string { return strings.Trim(s, "\n") },
	"when": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
}).ParseFS(pageFiles, "page/*.html"))

func (s *Server) routePage(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.pageList)
	mux.HandleFunc("GET /tasks/{id}", s.pageTask)
	mux.HandleFunc("POST /tasks/{id}/cancel", s.pageCancel)
	mux.HandleFunc("GET /codex/tasks/{id}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, taskPath(r.PathValue("id")), http.StatusFound)
	})
	for _, name := range []string{"page.css", "page.js"} {
		mux.HandleFunc("GET /page/"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, pageFiles, "page/"+name)
		})
	}
}

func taskPath(id string) string { return "/tasks/" + url.PathEscape(id) }

func (s *Server) pageList(w http.ResponseWriter, r *http.Request) {
	recs, next, err := s.store.tasks(limit(r), r.FormValue("cursor"), in(r.FormValue("environment")))
	if err != nil {
		s.pageError(w, err)
		return
	}
	view := struct {
		Tasks []*remote.Task
		Next  string
		Live  bool
	}{Next: next}
	for _, rec := range recs {
		t, err := s.describe(r.Context(), rec)
		if err != nil {
			s.pageError(w, err)
			return
		}
		view.Live = view.Live || !t.State.Ended()
		view.Tasks = append(view.Tasks, t)
	}
	s.render(w, http.StatusOK, "list.html", view)
}

// A taskView is what the page of a task shows.
type taskView struct {
	*remote.Task
	Live     bool
	After    uint64 // the last event in Attempts
	Attempts []attemptView
}

// An attemptView is an attempt with its log.
type attemptView struct {
	remote.Attempt
	Log  []logEntry
	Diff []diffLine
}

// A logEntry is one event for people, or several that are pieces of one text.
type logEntry struct {
	Kind remote.Kind
	Text string
}

func (s *Server) pageTask(w http.ResponseWriter, r *http.Request) {
	t, err := s.named(r)
	if err != nil {
		s.pageError(w, err)
		return
	}
	view := taskView{Task: t, Live: !t.State.Ended()}
	for _, a := range t.Attempts {
		shown := attemptView{Attempt: a}
		if a.Result != nil {
			shown.Diff = diffLines(a.Result.Diff)
		}
		view.Attempts = append(view.Attempts, shown)
	}
	if err := s.fillLog(&view); err != nil {
		s.pageError(w, err)
		return
	}
	s.render(w, http.StatusOK, "task.html", view)
}

// fillLog puts the events so far into view.
func (s *Server) fillLog(view *taskView) error {
	for {
		events, err := s.store.events(view.ID, view.After, batch)
		if err != nil || len(events) == 0 {
			return err
		}
		for i := range events {
			ev := &events[i]
			view.After = ev.Seq
			if n := ev.Attempt - 1; n >= 0 && n < len(view.Attempts) {
				view.Attempts[n].log(ev)
			}
		}
	}
}

// log adds an event, and takes back what it makes void.
func (a *attemptView) log(ev *remote.Event) {
	for i := len(a.Log) - 1; i >= 0 && ev.Void > 0; i-- {
		if e := &a.Log[i]; e.Kind == remote.Text {
			cut := min(ev.Void, len(e.Text))
			e.Text = e.Text[:len(e.Text)-cut]
			ev.Void -= cut
		}
	}
	text := logText(ev)
	if text == "" {
		return
	}
	if n := len(a.Log); n > 0 && a.Log[n-1].Kind == ev.Kind && flows(ev.Kind) {
		a.Log[n-1].Text += text
		return
	}
	a.Log = append(a.Log, logEntry{ev.Kind, text})
}

// logText returns an event in words. page.js says the same.
func logText(ev *remote.Event) string {
	switch ev.Kind {
	case remote.Step:
		return "• " + ev.Title
	case remote.StepDone:
		if ev.Failed == "" {
			return ""
		}
		return "  failed: " + ev.Failed
	case remote.Verified:
		if ev.Check.Passed {
			return "✓ " + ev.Check.Command
		}
		return "✗ " + ev.Check.Command
	case remote.Stage, remote.Waiting:
		return "… " + ev.Text
	case remote.Text, remote.Reasoning, remote.Output:
	}
	return ev.Text
}

// A diffLine is a line of a diff and what kind it is.
type diffLine struct{ Kind, Text string }

func diffLines(diff string) []diffLine {
	var lines []diffLine
	for line := range strings.Lines(diff) {
		kind := "same"
		switch {
		case strings.HasPrefix(line, "diff --git "):
			kind = "file"
		case strings.HasPrefix(line, "@@ "):
			kind = "hunk"
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
			kind = "head"
		case strings.HasPrefix(line, "+"):
			kind = "added"
		case strings.HasPrefix(line, "-"):
			kind = "removed"
		}
		lines = append(lines, diffLine{kind, line})
	}
	return lines
}

func (s *Server) pageCancel(w http.ResponseWriter, r *http.Request) {
	if _, err := s.cancel(r.Context(), r.PathValue("id")); err != nil {
		s.pageError(w, err)
		return
	}
	http.Redirect(w, r, taskPath(r.PathValue("id")), http.StatusSeeOther)
}

func (s *Server) pageError(w http.ResponseWriter, err error) {
	s.render(w, status(err), "error.html", err.Error())
}

// render writes a page, whole or not at all.
func (s *Server) render(w http.ResponseWriter, status int, name string, view any) {
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, name, view); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Referrer-Policy", "same-origin")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the client is gone otherwise
}
