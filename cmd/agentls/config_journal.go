package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agentls/agentls/edits"
)

// journalSettings are what one source says about how much the journal keeps.
// What is 0 is not said.
type journalSettings struct {
	Entries int   `json:"entries" toml:"entries"`
	Bytes   int64 `json:"bytes" toml:"bytes"`
	Days    int   `json:"days" toml:"days"`
}

// journalLimits returns what the journal is to keep, by the configuration file
// and the editor, which may be nil.
func journalLimits(editor json.RawMessage) (edits.Limits, error) {
	file, err := fromFile(configFile())
	if err != nil {
		return edits.Limits{}, err
	}
	fromEditor, err := fromEditor(editor)
	if err != nil {
		return edits.Limits{}, err
	}
	return resolveJournal(file, fromEditor)
}

// resolveJournal chooses among sources, the strongest first, limit by limit.
// What none says is 0.
func resolveJournal(sources ...settings) (limits edits.Limits, err error) {
	const day = 24 * time.Hour
	for _, s := range sources {
		j := s.Journal
		const tooMany = 36500 // days: a hundred years
		if j.Entries < 0 || j.Bytes < 0 || j.Days < 0 || j.Days > tooMany {
			return edits.Limits{}, fmt.Errorf("%s: journal: entries, bytes and days are at least 1, and days at most %d", s.Source, tooMany)
		}
		limits.Entries = cmp.Or(limits.Entries, j.Entries)
		limits.Bytes = cmp.Or(limits.Bytes, j.Bytes)
		limits.Age = cmp.Or(limits.Age, time.Duration(j.Days)*day)
	}
	return limits, nil
}
