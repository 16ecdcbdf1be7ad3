package remote

import "strings"

// The types of the Codex tasks API, as its client 0.140.0 reads and writes
// them. Where they say nothing, the client does not care.

// CodexPrefix returns where the API begins below base, the address that a user
// configures.
func CodexPrefix(base string) string {
	if strings.Contains(base, "/backend-api") {
		return base + "/wham"
	}
	return base + "/api/codex"
}

// A CodexCreate asks for a task.
type CodexCreate struct {
	NewTask    CodexNewTask   `json:"new_task"`
	InputItems []CodexItem    `json:"input_items"`
	Metadata   *CodexMetadata `json:"metadata,omitempty"`
}

// CodexNewTask says where a task runs. QA is the mode that only answers.
type CodexNewTask struct {
	Environment string `json:"environment_id"`
	Branch      string `json:"branch"`
	QA          bool   `json:"run_environment_in_qa_mode"`
}

// CodexMetadata says how many attempts there are to be.
type CodexMetadata struct {
	BestOf int `json:"best_of_n,omitempty"`
}

// A CodexItem is an item of a turn: a message, a diff to start from, or a
// diff that is the result, in one of two forms.
type CodexItem struct {
	Type       string         `json:"type"` // message, pre_apply_patch, output_diff, pr
	Role       string         `json:"role,omitempty"`
	Content    []CodexContent `json:"content,omitempty"`
	Diff       string         `json:"diff,omitempty"`        // of an output_diff
	OutputDiff *CodexDiff     `json:"output_diff,omitempty"` // of a pre_apply_patch or a pr
}

// CodexContent is a part of a message.
type CodexContent struct {
	Type string `json:"content_type"` // text
	Text string `json:"text"`
}

// A CodexDiff is a unified diff.
type CodexDiff struct {
	Diff string `json:"diff"`
}

// CodexMessage returns a message item.
func CodexMessage(role, text string) CodexItem {
	return CodexItem{Type: "message", Role: role, Content: []CodexContent{{Type: "text", Text: text}}}
}

// Text returns the text of a message.
func (i *CodexItem) Text() string {
	var parts []string
	for _, c := range i.Content {
		if c.Text != "" {
			parts = append(parts, c.Text)
		}
	}
	return strings.Join(parts, "\n\n")
}

// CodexCreated answers a CodexCreate.
type CodexCreated struct {
	Task CodexID `json:"task"`
}

// A CodexID names a task.
type CodexID struct {
	ID string `json:"id"`
}

// A CodexList is a part of the list of tasks.
type CodexList struct {
	Items  []CodexListed `json:"items"`
	Cursor *string       `json:"cursor"`
}

// A CodexListed is one task of a list. Times are seconds since 1970.
type CodexListed struct {
	ID       string       `json:"id"`
	Title    string       `json:"title"`
	Archived bool         `json:"archived"`
	Unread   bool         `json:"has_unread_turn"`
	Updated  float64      `json:"updated_at"`
	Created  float64      `json:"created_at"`
	Status   *CodexStatus `json:"task_status_display"`
}

// A CodexStatus is how a task stands, for show.
type CodexStatus struct {
	Environment string          `json:"environment_label,omitempty"`
	State       string          `json:"state"` // pending, ready, applied, error
	Turn        CodexTurnStatus `json:"latest_turn_status_display"`
}

// A CodexTurnStatus is how the latest attempt stands.
type CodexTurnStatus struct {
	Status   string         `json:"turn_status"` // pending, in_progress, completed, failed, cancelled
	Stats    CodexDiffStats `json:"diff_stats"`
	Siblings []string       `json:"sibling_turn_ids"`
	Updated  float64        `json:"updated_at"`
	Created  float64        `json:"created_at"`
}

// CodexDiffStats counts what a diff changes.
type CodexDiffStats struct {
	Files   int `json:"files_modified"`
	Added   int `json:"lines_added"`
	Removed int `json:"lines_removed"`
}

// A CodexDetails is a task with its turns.
type CodexDetails struct {
	Task      CodexTask    `json:"task"`
	Status    *CodexStatus `json:"task_status_display"`
	User      *CodexTurn   `json:"current_user_turn,omitempty"`
	Assistant *CodexTurn   `json:"current_assistant_turn,omitempty"`
	Diff      *CodexTurn   `json:"current_diff_task_turn,omitempty"`
}

// A CodexTask is what a task's details begin with.
type CodexTask struct {
	ID          string  `json:"id"`
	Title       string  `json:"title"`
	Updated     float64 `json:"updated_at"`
	Created     float64 `json:"created_at"`
	Environment string  `json:"environment_id"`
	Review      bool    `json:"is_review"`
}

// A CodexTurn is the user's wish, or one attempt at it.
type CodexTurn struct {
	ID        string        `json:"id,omitempty"`
	Placement int           `json:"attempt_placement"` // from 0
	Status    string        `json:"turn_status,omitempty"`
	Siblings  []string      `json:"sibling_turn_ids,omitempty"`
	Created   float64       `json:"created_at,omitempty"`
	Input     []CodexItem   `json:"input_items,omitempty"`
	Output    []CodexItem   `json:"output_items,omitempty"`
	Worklog   *CodexWorklog `json:"worklog,omitempty"`
	Error     *Failure      `json:"error,omitempty"`
}

// UnifiedDiff returns the diff among the output of t, "" where there is none.
func (t *CodexTurn) UnifiedDiff() string {
	if t == nil {
		return ""
	}
	for _, item := range t.Output {
		switch {
		case item.Type == "output_diff" && item.Diff != "":
			return item.Diff
		case item.Type == "pr" && item.OutputDiff != nil && item.OutputDiff.Diff != "":
			return item.OutputDiff.Diff
		}
	}
	return ""
}

// A CodexWorklog is what an attempt said as it went.
type CodexWorklog struct {
	Messages []CodexLogged `json:"messages"`
}

// A CodexLogged is one message of a CodexWorklog.
type CodexLogged struct {
	Author  CodexAuthor `json:"author"`
	Content CodexParts  `json:"content"`
}

// A CodexAuthor is who wrote a message.
type CodexAuthor struct {
	Role string `json:"role"`
}

// CodexParts are the paragraphs of a message.
type CodexParts struct {
	Parts []string `json:"parts"`
}

// CodexSiblings are the other attempts of a task.
type CodexSiblings struct {
	Turns []CodexTurn `json:"sibling_turns"`
}

// A CodexEnvironment is one that tasks can run in.
type CodexEnvironment struct {
	ID     string `json:"id"`
	Label  string `json:"label,omitempty"`
	Pinned bool   `json:"is_pinned"`
	Tasks  int    `json:"task_count"`
}
