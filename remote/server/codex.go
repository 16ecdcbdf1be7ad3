package server

import (
	"net/http"
	"strings"
	"time"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/remote"
)

// routeCodex adds the Codex tasks API below prefix.
func (s *Server) routeCodex(mux *http.ServeMux, prefix string) {
	for pattern, handle := range map[string]func(w http.ResponseWriter, r *http.Request) (any, error){
		"GET /tasks/list": s.codexList,
		"POST /tasks":     s.codexCreate,
		"GET /tasks/{id}": s.codexShow,
		"GET /tasks/{id}/turns/{turn}/sibling_turns":          s.codexSiblings,
		"GET /environments":                                   s.codexEnvironments,
		"GET /environments/by-repo/{provider}/{owner}/{repo}": s.codexEnvironments,
	} {
		mux.HandleFunc(at(prefix, pattern), answering(handle))
	}
}

func (s *Server) codexList(_ http.ResponseWriter, r *http.Request) (any, error) {
	list := remote.CodexList{Items: []remote.CodexListed{}}
	recs, next, err := s.store.tasks(limit(r), r.FormValue("cursor"), in(r.FormValue("environment_id")))
	if err != nil {
		return nil, err
	}
	if next != "" {
		list.Cursor = &next
	}
	for _, rec := range recs {
		t, err := s.describe(r.Context(), rec)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, remote.CodexListed{
			ID: t.ID, Title: t.Title, Updated: seconds(t.Updated), Created: seconds(t.Created), Status: codexStatus(t),
		})
	}
	return list, nil
}

func (s *Server) codexCreate(w http.ResponseWriter, r *http.Request) (any, error) {
	var in remote.CodexCreate
	if err := readJSON(w, r, &in); err != nil {
		return nil, err
	}
	rec, err := s.create(r.Context(), codexSpec(&in))
	if err != nil {
		return nil, err
	}
	return remote.CodexCreated{Task: remote.CodexID{ID: rec.ID}}, nil
}

// codexSpec returns what in asks for.
func codexSpec(in *remote.CodexCreate) remote.Spec {
	spec := remote.Spec{Mode: agent.Edit, Environment: in.NewTask.Environment, Base: remote.Base{Branch: in.NewTask.Branch}}
	if in.NewTask.QA {
		spec.Mode = agent.Ask
	}
	if in.Metadata != nil {
		spec.Attempts = in.Metadata.BestOf
	}
	var prompt []string
	for _, item := range in.InputItems {
		switch {
		case item.Type == "message" && item.Role == "user":
			prompt = append(prompt, item.Text())
		case item.Type == "pre_apply_patch" && item.OutputDiff != nil:
			spec.Base.Diff = item.OutputDiff.Diff
		}
	}
	spec.Prompt = strings.Join(prompt, "\n\n")
	return spec
}

func (s *Server) codexShow(_ http.ResponseWriter, r *http.Request) (any, error) {
	t, err := s.named(r)
	if err != nil {
		return nil, err
	}
	shown := best(t)
	turn := codexTurn(t, shown)
	details := remote.CodexDetails{
		Task: remote.CodexTask{
			ID: t.ID, Title: t.Title, Updated: seconds(t.Updated), Created: seconds(t.Created), Environment: t.Environment,
		},
		Status:    codexStatus(t),
		User:      &remote.CodexTurn{Input: []remote.CodexItem{remote.CodexMessage("user", t.Prompt)}},
		Assistant: &turn,
	}
	if shown.Result != nil && shown.Result.Diff != "" {
		// The older command, apply, reads the second form only.
		diff := shown.Result.Diff
		details.Diff = &remote.CodexTurn{Output: []remote.CodexItem{{Type: "output_diff", Diff: diff}, prItem(diff)}}
	}
	return details, nil
}

func prItem(diff string) remote.CodexItem {
	return remote.CodexItem{Type: "pr", OutputDiff: &remote.CodexDiff{Diff: diff}}
}

func (s *Server) codexSiblings(_ http.ResponseWriter, r *http.Request) (any, error) {
	t, err := s.named(r)
	if err != nil {
		return nil, err
	}
	siblings := remote.CodexSiblings{Turns: []remote.CodexTurn{}}
	for i := range t.Attempts {
		if t.Attempts[i].ID != r.PathValue("turn") {
			siblings.Turns = append(siblings.Turns, codexTurn(t, &t.Attempts[i]))
		}
	}
	return siblings, nil
}

// codexEnvironments returns all environments: which repository belongs to
// which is not asked of any provider.
func (s *Server) codexEnvironments(http.ResponseWriter, *http.Request) (any, error) {
	all, err := s.store.environments()
	if err != nil {
		return nil, err
	}
	list := []remote.CodexEnvironment{}
	for _, env := range all {
		list = append(list, remote.CodexEnvironment{ID: env.Name, Label: env.Name})
	}
	return list, nil
}

// codexTurn returns an attempt as a turn of the assistant.
func codexTurn(t *remote.Task, a *remote.Attempt) remote.CodexTurn {
	turn := remote.CodexTurn{
		ID: a.ID, Placement: a.Number - 1, Status: codexTurnState(a.State), Siblings: siblings(t, a), Created: seconds(t.Created),
		Output: []remote.CodexItem{},
	}
	res := a.Result
	if res == nil {
		return turn
	}
	turn.Error = res.Failure
	if res.Answer != "" {
		turn.Output = append(turn.Output, remote.CodexMessage("assistant", res.Answer))
		turn.Worklog = &remote.CodexWorklog{Messages: []remote.CodexLogged{{
			Author: remote.CodexAuthor{Role: "assistant"}, Content: remote.CodexParts{Parts: []string{res.Answer}},
		}}}
	}
	if res.Diff != "" {
		turn.Output = append(turn.Output, prItem(res.Diff))
	}
	return turn
}

// siblings returns the IDs of the attempts of t beside a.
func siblings(t *remote.Task, a *remote.Attempt) []string {
	ids := []string{}
	for i := range t.Attempts {
		if t.Attempts[i].ID != a.ID {
			ids = append(ids, t.Attempts[i].ID)
		}
	}
	return ids
}

func codexStatus(t *remote.Task) *remote.CodexStatus {
	shown := best(t)
	status := &remote.CodexStatus{Environment: t.Environment, State: codexTaskState(t.State), Turn: remote.CodexTurnStatus{
		Status: codexTurnState(t.State), Siblings: siblings(t, shown), Updated: seconds(t.Updated), Created: seconds(t.Created),
	}}
	if res := shown.Result; res != nil {
		status.Turn.Stats = remote.CodexDiffStats{Files: res.Files, Added: res.Added, Removed: res.Removed}
	}
	return status
}

func codexTaskState(state remote.State) string {
	switch state {
	case remote.Done:
		return "ready"
	case remote.Failed, remote.Cancelled:
		return "error"
	default:
		return "pending"
	}
}

func codexTurnState(state remote.State) string {
	switch state {
	case remote.Done:
		return "completed"
	case remote.Running:
		return "in_progress"
	default:
		return string(state) // pending, failed and cancelled are called so there too
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
