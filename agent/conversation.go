package agent

import "strings"

// An Exchange is a question and its answer.
type Exchange struct {
	Question string `json:"question"`
	Answer   string `json:"answer"` // Markdown
}

// Recount tells a model what was said before, the oldest first; "" where that
// is nothing. It is not bounded: whoever keeps the exchanges does that.
func Recount(earlier []Exchange) string {
	if len(earlier) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("What was said before in this conversation, the oldest first.\n")
	for _, x := range earlier {
		b.WriteString("\nThe user: " + x.Question + "\n\nYou: " + x.Answer + "\n")
	}
	return b.String()
}
