package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/permissions"
)

// permissionsFile returns where the permissions are below the state of a
// workspace.
func permissionsFile(state string) string { return filepath.Join(state, "permissions.jsonl") }

func (a *app) permissionsCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "permissions",
		Short: "List and revoke what the agent's commands may do in this workspace without asking",
		Example: `  agentls permissions
  agentls permissions list --json
  agentls permissions verify "go vet ./..." "go test ./..."   # have these check every change here
  agentls permissions revoke 2
  agentls permissions revoke all`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listPermissions(cmd, dir) },
	}
	cmd.PersistentFlags().StringVar(&dir, "dir", ".", "the workspace")
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List them", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listPermissions(cmd, dir) },
	}, &cobra.Command{
		Use: "verify COMMAND...", Short: "Have these commands check every change here, where no configuration says which",
		Args: args(cobra.MinimumNArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, lines []string) error { return a.keepChecks(cmd, dir, lines) },
	}, &cobra.Command{
		Use: "revoke NUMBER|all", Short: "Take one back, or all", Args: args(cobra.ExactArgs(1)), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, given []string) error { return a.revokePermissions(cmd, dir, given[0]) },
	})
	return cmd
}

func permissionsOf(cmd *cobra.Command, dir string) (*permissions.Store, error) {
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return nil, err
	}
	return permissions.Open(permissionsFile(stateOf([]string{root})), time.Now), nil
}

// allows say what each kind lets a command do.
var allows = map[agent.PermissionKind]string{agent.Network: "reaches the network", agent.Unconfined: "runs unconfined", agent.Outside: "writes outside", agent.Verify: "checks every change"}

func (a *app) listPermissions(cmd *cobra.Command, dir string) error {
	store, err := permissionsOf(cmd, dir)
	if err != nil {
		return err
	}
	kept, err := store.List()
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, append([]permissions.Kept{}, kept...))
	}
	for i, k := range kept {
		cmd.Printf("%d  %s  %s: %s\n", i+1, k.Granted.Local().Format(time.DateTime), allows[k.Kind], plain(k.Command))
		if k.Dir != "" {
			cmd.Printf("   in %s\n", plain(k.Dir))
		}
		if k.Path != "" {
			cmd.Printf("   writes %s\n", plain(k.Path))
		}
	}
	if len(kept) == 0 {
		cmd.Println("nothing is granted: every command that needs it asks")
	}
	return nil
}

func (a *app) keepChecks(cmd *cobra.Command, dir string, lines []string) error {
	store, err := permissionsOf(cmd, dir)
	if err != nil {
		return err
	}
	if err := store.KeepChecks(lines); err != nil {
		return fmt.Errorf("%w; agentls permissions verify --help", err)
	}
	return a.listPermissions(cmd, dir)
}

func (a *app) revokePermissions(cmd *cobra.Command, dir, which string) error {
	number, err := strconv.Atoi(which)
	if which == "all" {
		number = 0
	} else if err != nil || number < 1 {
		return usageError("%q is no number of agentls permissions list, and not all", which)
	}
	store, err := permissionsOf(cmd, dir)
	if err != nil {
		return err
	}
	revoked, err := store.Revoke(number)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	if a.json {
		return printJSON(cmd, append([]permissions.Kept{}, revoked...))
	}
	for _, k := range revoked {
		again := "asks again"
		if k.Kind == agent.Verify {
			again = "checks no more"
		}
		cmd.Printf("%s: %s\n", again, plain(k.Command))
	}
	return nil
}
