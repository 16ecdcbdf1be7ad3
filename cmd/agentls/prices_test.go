package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
)

func TestPriceOf(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	gpt, mini := &agent.Price{Input: 1.25, Cached: 0.125, Output: 10}, &agent.Price{Input: 0.25, Cached: 0.025, Output: 2}
	check := func(base, model string, want *agent.Price) {
		t.Helper()
		got, err := priceOf(base, model)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s at %q: %v\n%s", model, base, err, diff)
		}
	}
	check(openAI, "gpt-5.1", gpt)
	check(openAI, "gpt-5.1-2025-11-13", gpt)
	check(openAI, "gpt-5.1-codex-mini", mini)
	check(openAI, "llama", nil)
	check("http://127.0.0.1:11434/v1", "gpt-5.1", nil)
	own := filepath.Join(dir, "agentls", "prices.toml")
	if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte("[\"gpt-5.1\"]\ninput = 1\ncached = 0.5\noutput = 2\n[\"*\"]\ninput = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(openAI, "gpt-5.1", &agent.Price{Input: 1, Cached: 0.5, Output: 2})
	check("http://127.0.0.1:11434/v1", "llama", &agent.Price{Input: 3})
	if err := os.WriteFile(own, []byte("input: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := priceOf(openAI, "gpt-5.1"); err == nil {
		t.Error("a list that is none has a price")
	}
}

func TestSpent(t *testing.T) {
	usage := agent.Usage{Requests: 2, InputTokens: 1000, CachedTokens: 750, OutputTokens: 10}
	price := agent.Price{Input: 2, Cached: 1, Output: 10}
	cost := price.Of(usage)
	if got, want := spent(usage, &cost), "2 requests, 1000 tokens in (75% cached), 10 out, $0.0014"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := spent(agent.Usage{}, nil), "0 requests, 0 tokens in, 0 out, cost unknown"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
