package agent_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
)

// A seeingModel takes images.
type seeingModel struct{ *turnsModel }

func (seeingModel) SeesImages() bool { return true }

// TestViewImage: an image is shown to a model that sees, and nothing else is:
// no text, no secret, nothing outside.
func TestViewImage(t *testing.T) {
	const png = "\x89PNG\r\n\x1a\n..."
	dir := workspace(t, map[string]string{"a.png": png, "webp": "RIFF1234WEBPVP8 ", "text.png": "no image\n", "id_rsa.png": png, "big.gif": "GIF89a" + strings.Repeat("x", 5<<20)})
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "out.png"), []byte(png), 0o644); err != nil {
		t.Fatal(err)
	}
	var calls []agent.ItemDone
	for i, path := range []string{"a.png", "webp", "text.png", "id_rsa.png", "../out.png", "none.png", "big.gif"} {
		id := fmt.Sprint(i)
		calls = append(calls, agent.ItemDone{
			Item: agent.ModelItem{Raw: json.RawMessage(`{}`)},
			Call: &agent.ToolCall{ID: id, Name: "view_image", Input: `{"path": "` + path + `"}`},
		})
	}
	model := &turnsModel{turns: [][]agent.ItemDone{calls, {{Text: "end"}}}}
	if _, err := agent.New(agent.Options{Model: seeingModel{model}}).Run(t.Context(), scan(t, dir), agent.Task{Mode: agent.Ask, Prompt: "x"}, func(agent.Event) {}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range model.last.Items {
		out, ok := item.(agent.ToolOutput)
		if !ok {
			continue
		}
		line := strings.TrimSpace(out.Text)
		for _, image := range out.Images {
			line += fmt.Sprintf(" + %s %q", image.Type, image.Data)
		}
		got = append(got, line)
	}
	want := []string{
		`a.png, image/png, 11 bytes + image/png "\x89PNG\r\n\x1a\n..."`,
		`webp, image/webp, 16 bytes + image/webp "RIFF1234WEBPVP8 "`,
		"error: text.png is no PNG, JPEG, GIF or WebP image; read_file reads text",
		"error: id_rsa.png is withheld from models by the deny list (id_rsa*)",
		"error: ../out.png: outside the workspace",
		"error: there is no file none.png that can be read; in . there are a.png, big.gif, id_rsa.png, text.png, webp",
		"error: big.gif has 5242886 bytes, more than the 4194304 of an image that can be shown",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
