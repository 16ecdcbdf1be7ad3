package main

import (
	"net/url"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits/text"
	"github.com/agentls/agentls/index"
)

// The part of SARIF 2.1.0 that a review needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Rank         float64           `json:"rank"` // 0 to 100
		Fixes        []sarifFix        `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI    string `json:"uri"`
		BaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int        `json:"startLine"`
		StartColumn int        `json:"startColumn"`
		EndLine     int        `json:"endLine"`
		EndColumn   int        `json:"endColumn"`
		Snippet     *sarifText `json:"snippet,omitempty"`
	}
	sarifFix struct {
		Description sarifText     `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted sarifText   `json:"insertedContent"`
	}
)

// levels are SARIF's words for our priorities.
var levels = []string{"error", "error", "warning", "note"}

const reviewRule = "review"

func printSARIF(cmd *cobra.Command, done *reviewed) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "agentls", Version: version, Rules: []sarifRule{{reviewRule, sarifText{Text: "A finding of a review by a model, checked against the code"}}}}
	for i := range done.result.Findings {
		run.Results = append(run.Results, sarifOf(&done.result.Findings[i], done.snap))
	}
	return printJSON(cmd, sarifLog{
		Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func sarifOf(f *agent.Finding, snap *index.Snapshot) sarifResult {
	artifact := sarifArtifact{URI: (&url.URL{Path: filepath.ToSlash(snap.Rel(f.Path))}).String(), BaseID: "%SRCROOT%"}
	region := sarifRegionOf(f)
	shown := region
	shown.Snippet = &sarifText{Text: f.Quote}
	out := sarifResult{
		RuleID: reviewRule, Level: levels[f.Priority], Message: sarifText{Text: f.Title + "\n\n" + f.Body, Markdown: "**" + inLine(f.Title) + "**\n\n" + f.Body},
		Locations:    []sarifLocation{{sarifPhysical{artifact, shown}}},
		Fingerprints: map[string]string{"agentls/v1": f.Fingerprint}, Rank: 100 * f.Confidence,
	}
	if f.Fix != nil {
		out.Fixes = []sarifFix{{sarifText{Text: "Replace these lines"}, []sarifChange{{artifact, []sarifReplacement{{region, sarifText{Text: *f.Fix}}}}}}}
	}
	return out
}

// sarifRegionOf returns the quoted lines, whole: to the beginning of the next
// one, or to the end of a last one that has no line ending.
func sarifRegionOf(f *agent.Finding) sarifRegion {
	if f.Quote != "" && f.Quote[len(f.Quote)-1] == '\n' {
		return sarifRegion{StartLine: f.Line + 1, StartColumn: 1, EndLine: f.EndLine + 2, EndColumn: 1}
	}
	lines := text.NewLines(f.Base)
	last := []rune(string(lines.Text(lines.Line(f.EndLine))))
	return sarifRegion{StartLine: f.Line + 1, StartColumn: 1, EndLine: f.EndLine + 1, EndColumn: len(last) + 1}
}
