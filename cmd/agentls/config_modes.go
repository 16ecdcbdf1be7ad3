package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agentls/agentls/agent"
)

// modes are what a user can name a model and an effort for.
var modes = []agent.Mode{agent.Ask, agent.Explain, agent.Edit, agent.PlanFirst, agent.Review}

// checkModes refuses what names no mode, no model and no effort.
func (s *settings) checkModes() error {
	for mode, model := range s.Models {
		if err := isMode(mode); err != nil {
			return fmt.Errorf("%s: models: %w", s.Source, err)
		}
		if strings.TrimSpace(model) == "" {
			return fmt.Errorf("%s: models: %s names no model; leave it out for the usual one", s.Source, mode)
		}
	}
	for mode, level := range s.Effort {
		if err := isMode(mode); err != nil {
			return fmt.Errorf("%s: effort: %w", s.Source, err)
		}
		if !slices.Contains([]string{"low", "medium", "high"}, level) {
			return fmt.Errorf("%s: effort: %s = %q is none of low, medium and high", s.Source, mode, level)
		}
	}
	return nil
}

func isMode(mode agent.Mode) error {
	if slices.Contains(modes, mode) {
		return nil
	}
	return fmt.Errorf("%q is none of ask, explain, edit, plan and review", string(mode))
}

// modelsOf returns the models that are not the usual one: of each mode what the
// first source says that names a model for it or for all.
func modelsOf(usual string, sources []settings) map[agent.Mode]string {
	out := map[agent.Mode]string{}
	for _, mode := range modes {
		model := ""
		for i := range sources {
			model = cmp.Or(model, sources[i].Models[mode], sources[i].Model)
		}
		if model != "" && model != usual {
			out[mode] = model
		}
	}
	return out
}

// effortOf returns the efforts that are set, of each mode by the first source
// that says one.
func effortOf(sources []settings) map[agent.Mode]string {
	out := map[agent.Mode]string{}
	for i := len(sources) - 1; i >= 0; i-- {
		maps.Copy(out, sources[i].Effort)
	}
	return out
}

// onePass reports whether the first source that has a say in it wants no second
// pass of reviews.
func onePass(sources []settings) bool {
	for i := range sources {
		if sources[i].SecondPass != nil {
			return !*sources[i].SecondPass
		}
	}
	return false
}

// byMode lists models for people: " (ask: some-model)", "" for none.
func byMode(models map[agent.Mode]string) string {
	var out []string
	for _, mode := range modes {
		if model := models[mode]; model != "" {
			out = append(out, fmt.Sprintf("%s: %s", mode, model))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, ", ") + ")"
}
