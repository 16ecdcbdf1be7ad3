package openai

import (
	"fmt"
	"net/url"
	"strings"
)

// A profile says what a server and model understand beyond the common subset:
// function tools, text, and store=false.
type profile struct {
	freeform    bool // custom tools with a grammar
	reasoning   bool // encrypted reasoning items and their summaries
	promptCache bool // prompt_cache_key
	obfuscation bool // pads deltas unless told not to
	parallel    bool // parallel_tool_calls
	images      bool // as output of tools
	compaction  bool // context_management: the server makes conversations shorter
	window      int  // tokens of input; 0: not known
}

// profileFor returns what host and model understand. Other servers implement
// the API in part, and differ in what they do with the rest: llama.cpp skips
// tools that are not functions without a word. They get the subset alone.
func profileFor(host, model string) profile {
	if host != "api.openai.com" && !strings.HasSuffix(host, ".api.openai.com") {
		return profile{}
	}
	p := profile{freeform: true, reasoning: true, promptCache: true, obfuscation: true, parallel: true, compaction: true, window: 272_000}
	p.images = !hasAnyPrefix(model, "gpt-3", "gpt-4", "o1-mini", "o3-mini") || hasAnyPrefix(model, "gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-4-turbo")
	switch {
	case hasAnyPrefix(model, "gpt-3", "gpt-4", "chatgpt-", "gpt-5-chat"):
		// "Encrypted content is not supported with this model":
		// pydantic-ai issues 2865 and 3326.
		p.freeform, p.reasoning, p.compaction, p.window = false, false, false, 0
	case hasAnyPrefix(model, "o1", "o3", "o4"):
		p.freeform = false // custom tools came with gpt-5
		p.compaction, p.window = false, 200_000
	}
	return p
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// parseBase returns the base URL, which is never nil, and an error that says
// how one looks.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return &url.URL{}, fmt.Errorf("model base URL %q is no http or https URL; it looks like %s or http://127.0.0.1:11434/v1", withoutUser(base), DefaultBaseURL)
	}
	return u, nil
}

// withoutUser cuts a user and password from what should have been a URL.
func withoutUser(base string) string {
	if at := strings.LastIndexByte(base, '@'); at >= 0 {
		return "…" + base[at:]
	}
	return base
}
