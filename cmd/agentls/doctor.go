package main

import (
	"fmt"
	"net/url"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.json {
				return printJSON(cmd, map[string]string{"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			cmd.Printf("agentls %s, %s, %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

// A finding is one line of the doctor's report.
type finding struct {
	Subject string `json:"subject"`
	OK      bool   `json:"ok"`
	Says    string `json:"says"`
}

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "doctor [DIR]",
		Short:   "Say what works here: model, index, journal, editors",
		Example: `  agentls doctor --json`,
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.diagnose(cmd, optional(given, "."))
		},
	}
}

// diagnose prints the report. It fails only for what keeps agentls from
// working at all: no model is no fault.
func (a *app) diagnose(cmd *cobra.Command, dir string) error {
	findings := []finding{
		a.checkModel(cmd), a.checkIndex(cmd, dir), a.checkJournal(cmd), checkProgram("git", "--version"),
		checkProgram("nvim", "--version"), checkProgram("code", "--version"),
		a.checkSandbox(cmd, dir),
		{"folders", true, fmt.Sprintf("configuration %s, state %s, cache %s", configFile(), stateDir(), cacheDir())},
	}
	if a.json {
		return printJSON(cmd, findings)
	}
	color := paletteFor(cmd.OutOrStdout())
	for _, f := range findings {
		mark := color.green("ok  ")
		if !f.OK {
			mark = color.red("no  ")
		}
		cmd.Printf("%s %-8s %s\n", mark, f.Subject, f.Says)
	}
	return nil
}

func (a *app) checkModel(cmd *cobra.Command) finding {
	config, _, err := a.modelConfig(cmd.Context(), nil)
	switch {
	case err != nil:
		return finding{"model", false, err.Error()}
	case !config.Configured():
		return finding{"model", false, config.Source + "; the index answers. Set OPENAI_API_KEY, or OPENAI_BASE_URL and AGENTLS_MODEL, or write " + configFile()}
	}
	key := "with a key"
	if config.APIKey == "" {
		key = "without a key"
	}
	return finding{"model", true, fmt.Sprintf("%s%s at %s %s (%s)", config.Model, byMode(config.Models), withoutPassword(config.BaseURL), key, config.Source)}
}

// withoutPassword returns an address as it may be shown.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	return u.Redacted()
}

func (a *app) checkIndex(cmd *cobra.Command, dir string) finding {
	home, stats, err := a.open(cmd.Context(), dir)
	if err != nil {
		return finding{"index", false, err.Error()}
	}
	defer home.Workspace.Close() //nolint:errcheck // only read
	return finding{"index", true, fmt.Sprintf("%s: %d files, %d symbols in %v",
		strings.Join(home.Workspace.Snapshot().Roots(), ", "), stats.Files, stats.Symbols, stats.Elapsed.Round(1e6))}
}

func (a *app) checkJournal(cmd *cobra.Command) finding {
	open, err := a.journal().Open(cmd.Context())
	if err != nil {
		return finding{"journal", false, err.Error()}
	}
	if len(open) > 0 {
		return finding{"journal", false, fmt.Sprintf("%s cut off: the editor it was made in settles it at its next start, else the next agentls changes undo", count(len(open), "change"))}
	}
	return finding{"journal", true, "nothing is half applied"}
}

func checkProgram(name string, arg string) finding {
	path, err := exec.LookPath(name)
	if err != nil {
		return finding{name, false, "not found on PATH"}
	}
	out, err := exec.Command(path, arg).Output() //nolint:gosec,noctx // a fixed name, on the user's own PATH
	if err != nil {
		return finding{name, false, path + ": " + err.Error()}
	}
	return finding{name, true, fmt.Sprintf("%s (%s)", firstLine(string(out)), path)}
}
