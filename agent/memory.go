package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/agentls/agentls/edits/text"
)

// remember writes what a run learned into AGENTS.md of the draft: the user
// reads it as a hunk like any other, and takes or refuses it.
type remember struct{}

type rememberArgs struct {
	Note string `json:"note"`
}

const (
	learnedHeading = "## Learned"
	maxNote        = 500 // bytes
)

func (remember) Spec() ToolSpec { return spec("remember") }

func (remember) Title(args json.RawMessage) string {
	a, _ := decode[rememberArgs](args)
	return about("remember", strings.TrimSpace(a.Note))
}

func (remember) Run(ctx context.Context, d *Draft, raw json.RawMessage) (string, error) {
	args, err := decode[rememberArgs](raw)
	if err != nil {
		return "", err
	}
	note := strings.Join(strings.Fields(args.Note), " ")
	switch {
	case note == "" || !IsPlain(note):
		return "", Fail("the note is empty, or no plain text")
	case len(note) > maxNote:
		return "", Fail("the note has more than %d bytes; one sentence is enough", maxNote)
	case len(d.snap.Roots()) == 0:
		return "", Fail("the workspace has no folder")
	}
	path, err := d.Resolve(filepath.Join(d.snap.Roots()[0], guidanceFile))
	if err != nil {
		return "", Fail("%v", err)
	}
	before, err := d.ReadFile(ctx, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", Fail("%v", err)
	}
	if err := text.Check(before); err != nil {
		return "", Fail("%s: %v", guidanceFile, err)
	}
	if strings.Contains(string(before), note) {
		return guidanceFile + " says so already.\n", nil
	}
	d.Write(path, []byte(withNote(string(before), note)), 0)
	return fmt.Sprintf("proposed for %s\n", d.snap.Rel(path)), nil
}

// withNote returns content with a note at the end of what was learned.
func withNote(content, note string) string {
	end := "\n"
	if strings.Contains(content, "\r\n") {
		end = "\r\n"
	}
	line := "- " + note + end
	at := strings.Index("\n"+content, "\n"+learnedHeading)
	if at < 0 {
		if content != "" {
			content = strings.TrimRight(content, "\r\n") + end + end
		}
		return content + learnedHeading + end + end + line
	}
	next := len(content)
	if i := strings.Index(content[at+len(learnedHeading):], "\n#"); i >= 0 {
		next = at + len(learnedHeading) + i + 1
	}
	section := strings.TrimRight(content[:next], "\r\n") + end
	if rest := content[next:]; rest != "" {
		return section + line + end + rest
	}
	return section + line
}
