package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/index"
)

// indexFigures are what agentls index says for programs.
type indexFigures struct {
	Files      int            `json:"files"`
	Lines      int64          `json:"lines"`
	Bytes      int64          `json:"bytes"` // of what is parsed
	Symbols    int            `json:"symbols"`
	References int            `json:"references"`
	Languages  map[string]int `json:"languages"` // files
	Skipped    map[string]int `json:"skipped"`   // why → files
	Mode       string         `json:"mode"`      // cold, warm or segment: where the index came from
	Seconds    float64        `json:"seconds"`
	Rate       float64        `json:"mb_per_s"`
	RSS        int64          `json:"rss_bytes"`   // the most memory that was used
	OnDisk     int64          `json:"index_bytes"` // 0: it is kept in memory only
	Workers    int            `json:"workers"`
}

func figures(stats *index.Stats) indexFigures {
	out := indexFigures{
		Files: stats.Files, Lines: stats.Lines, Bytes: stats.Bytes, Symbols: stats.Symbols, References: stats.References,
		Languages: stats.Languages, Skipped: stats.Skipped, Mode: stats.Mode.String(),
		Seconds: stats.Elapsed.Seconds(), RSS: peakMemory(), OnDisk: stats.OnDisk, Workers: stats.Workers,
	}
	if out.Seconds > 0 {
		out.Rate = float64(stats.Bytes) / 1e6 / out.Seconds
	}
	return out
}

// peakMemory returns the largest resident set of this process, in bytes. Linux
// counts what getrusage says from the parent's, so it is asked elsewhere there.
func peakMemory() int64 {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range strings.Lines(string(status)) {
			var kilobytes int64
			if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
				return kilobytes << 10
			}
		}
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" { // there it is in bytes
		return usage.Maxrss
	}
	return usage.Maxrss << 10
}

func (a *app) indexCommand() *cobra.Command {
	var fresh bool
	cmd := &cobra.Command{
		Use:   "index [DIR]",
		Short: "Build or refresh the index, with figures",
		Example: `  agentls index                        of the workspace around the current folder
  agentls index ~/src/project --fresh  forget what was known
  agentls index --json                 the figures, for programs`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			dir := optional(given, ".")
			if fresh {
				if err := a.forget(cmd, dir); err != nil {
					return err
				}
			}
			home, stats, err := a.open(cmd.Context(), dir)
			if err != nil {
				return err
			}
			if err := home.Workspace.Close(); err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, figures(&stats))
			}
			printFigures(cmd, &stats)
			return nil
		},
	}
	cmd.Flags().BoolVar(&fresh, "fresh", false, "forget what was known first")
	return cmd
}

// forget deletes the index of dir's workspace.
func (a *app) forget(cmd *cobra.Command, dir string) error {
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return err
	}
	return a.home([]string{root}).Workspace.Forget()
}

func printFigures(cmd *cobra.Command, stats *index.Stats) {
	cmd.Printf("%d files (%d parsed, %d from the cache, %d by name only), %.1f MB, %d symbols, %d references in %v\n",
		stats.Files, stats.Parsed, stats.Cached, stats.Files-stats.Parsed-stats.Cached, float64(stats.Bytes)/1e6,
		stats.Symbols, stats.References, stats.Elapsed.Round(1e6))
	var reasons []string
	for _, why := range []string{"large", "slow", "minified", "binary"} {
		if n := stats.Skipped[why]; n > 0 {
			reasons = append(reasons, count(n, why+" file"))
		}
	}
	if len(reasons) > 0 {
		cmd.Printf("not parsed: %s\n", strings.Join(reasons, ", "))
	}
}
