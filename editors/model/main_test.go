package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlay plays a script of one turn, with and without the request that it waits for.
func TestPlay(t *testing.T) {
	name := filepath.Join(t.TempDir(), "one.txtar")
	if err := os.WriteFile(name, []byte("-- turn1.reply --\nmessage: Hello.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := playing(t, name, func(url string) {
		body := `{"model":"m","store":false,"stream":true,"input":[{"type":"message","role":"user","content":"hi"}]}`
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/responses", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close() //nolint:errcheck // it was read
		streamed, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(streamed), "Hello.") {
			t.Errorf("answered %s, %v:\n%s", answer.Status, err, streamed)
		}
	}); err != nil {
		t.Error(err)
	}
	if err := playing(t, name, func(string) {}); err == nil || !strings.Contains(err.Error(), "0 of 1 turns") {
		t.Errorf("a script that nobody asked for: %v", err)
	}
}

func TestPlayNothing(t *testing.T) {
	if err := play(t.Context(), nil, strings.NewReader(""), io.Discard); err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("without scripts: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "missing.txtar")
	if err := play(t.Context(), []string{missing}, strings.NewReader(""), io.Discard); err == nil || !strings.Contains(err.Error(), "missing.txtar") {
		t.Errorf("with a script that is not there: %v", err)
	}
}

// playing plays the script in a file while client runs, and returns what play does.
func playing(t *testing.T, file string, client func(url string)) error {
	t.Helper()
	in, end := io.Pipe()
	printed, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- play(t.Context(), []string{file}, in, out) }()
	line := make([]byte, 100)
	n, err := printed.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	client(strings.TrimSpace(string(line[:n])))
	if err := end.Close(); err != nil {
		t.Fatal(err)
	}
	return <-done
}
