package agent_test

import (
	"encoding/json"
	"errors"
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

// TestManyImages: a conversation has no more images than a server takes, and a
// plan can be made of them.
func TestManyImages(t *testing.T) {
	dir := workspace(t, map[string]string{"a.png": "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 4<<20-8)})
	var calls []agent.ItemDone
	for i := range 8 {
		calls = append(calls, callTool(fmt.Sprint(i), "view_image", map[string]string{"path": "a.png"}))
	}
	model := &turnsModel{turns: [][]agent.ItemDone{calls, {{Text: "end"}}}}
	if _, err := agent.New(agent.Options{Model: seeingModel{model}}).Run(t.Context(), scan(t, dir), agent.Task{Mode: agent.PlanFirst, Prompt: "x"}, func(agent.Event) {}); err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, item := range model.last.Items {
		if out, ok := item.(agent.ToolOutput); ok {
			shown += len(out.Images)
		}
	}
	if shown != 6 {
		t.Errorf("%d images are shown", shown)
	}
	last, ok := model.last.Items[len(model.last.Items)-1].(agent.ToolOutput)
	if !ok || !strings.Contains(last.Text, "this conversation has images of 25165824 bytes") {
		t.Errorf("%+v", last)
	}
}

// TestAttachedImages: what the user shows goes with their words, to a model that
// sees, unless it is kept from models.
func TestAttachedImages(t *testing.T) {
	const png = "\x89PNG\r\n\x1a\n..."
	attached := func(name string) agent.Attachment {
		t.Helper()
		a, err := agent.NewAttachment(filepath.Join("/pictures", name), []byte(png))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	dir := workspace(t, map[string]string{"a.go": "package a\n"})
	ask := func(see bool, images ...agent.Attachment) (*agent.Request, error) {
		model := &turnsModel{turns: [][]agent.ItemDone{{{Text: "end"}}}}
		opts := agent.Options{Model: model}
		if see {
			opts.Model = seeingModel{model}
		}
		_, err := agent.New(opts).Run(t.Context(), scan(t, dir), agent.Task{Mode: agent.Ask, Prompt: "What is that?", Attached: images}, func(agent.Event) {})
		return model.last, err
	}
	req, err := ask(true, attached("shot.png"), attached("two.png"))
	if err != nil {
		t.Fatal(err)
	}
	words, _ := req.Items[len(req.Items)-1].(agent.UserMessage)
	if words.Text != "What is that?\nAttached: shot.png\nAttached: two.png" || len(words.Images) != 2 || string(words.Images[0].Data) != png {
		t.Errorf("%+v", words)
	}
	if _, err := ask(false, attached("shot.png")); !errors.Is(err, agent.ErrNoImages) {
		t.Errorf("a model that is blind: %v", err)
	}
	if _, err := ask(true, attached("id_rsa.png")); !errors.Is(err, agent.ErrWithheld) {
		t.Errorf("one that is kept from models: %v", err)
	}
	if _, err := ask(true, make([]agent.Attachment, 6)...); err == nil || !strings.Contains(err.Error(), "5 go with one task") {
		t.Errorf("too many: %v", err)
	}
	for name, content := range map[string]string{"text.png": "no image", "big.gif": "GIF89a" + strings.Repeat("x", 5<<20)} {
		if _, err := agent.NewAttachment(name, []byte(content)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
