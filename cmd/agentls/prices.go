package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/agentls/agentls/agent"
)

// published are the prices that come with the program. They are those of OpenAI's
// own endpoint.
//
//go:embed prices.toml
var published []byte

// priceOf returns the price of the model at base, or nil where nobody knows it:
// the user's own list says it for every endpoint, ours for OpenAI's alone.
func priceOf(base, model string) (*agent.Price, error) {
	if file := configFile(); file != "" {
		own := filepath.Join(filepath.Dir(file), "prices.toml")
		raw, err := os.ReadFile(own)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("read the prices: %w", err)
		default:
			if price, err := lookUp(raw, model); price != nil || err != nil {
				return price, inFile(own, err)
			}
		}
	}
	if base != "" && base != openAI {
		return nil, nil
	}
	return lookUp(published, model)
}

func inFile(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s", path, tomlProblem(err))
}

// lookUp returns the price that a list has for model: by its name, else by the
// longest beginning of it; nil for none.
func lookUp(raw []byte, model string) (*agent.Price, error) {
	var list map[string]agent.Price
	if err := toml.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	longest := -1
	var found *agent.Price
	for name, price := range list {
		beginning, isPattern := strings.CutSuffix(name, "*")
		fits := name == model || isPattern && strings.HasPrefix(model, beginning)
		if length := len(name); fits && length > longest {
			longest, found = length, &price
		}
	}
	return found, nil
}

// spent says what a run used: tokens, how many of them the provider had cached,
// and the cost if it is known.
func spent(u agent.Usage, cost *float64) string {
	out := fmt.Sprintf("%s, %d tokens in", count(u.Requests, "request"), u.InputTokens)
	if u.InputTokens > 0 {
		out += fmt.Sprintf(" (%d%% cached)", 100*u.CachedTokens/u.InputTokens)
	}
	out += fmt.Sprintf(", %d out", u.OutputTokens)
	if cost == nil {
		return out + ", cost unknown"
	}
	return out + fmt.Sprintf(", $%.4f", *cost)
}
