package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/edits"
)

func (a *app) patchCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "patch FILE",
		Short: "Apply a patch as one transaction: all of it or nothing, and undo works",
		Long: `Apply a patch in the format that models write ("*** Begin Patch"). Nothing is
written unless every section fits; what is written can be undone.`,
		Example: `  agentls patch change.patch
  some-model | agentls patch - --dir ~/src/project`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.patch(cmd, given[0], dir)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "the workspace that the patch's paths are relative to")
	return cmd
}

func (a *app) patch(cmd *cobra.Command, file, dir string) error {
	source, err := readPatch(cmd, file)
	if err != nil {
		return err
	}
	patch, err := edits.ParsePatch(string(source))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	root, err := workspaceRoot(cmd.Context(), dir)
	if err != nil {
		return err
	}
	disk := edits.NewDirectory()
	cs, err := patch.ChangeSet(cmd.Context(), disk, edits.Confine([]string{root}))
	if err != nil {
		return fmt.Errorf("%s: %w; nothing was changed", file, err)
	}
	cs.ID, cs.Title = newID(), "Patch "+file
	j, err := a.settled(cmd)
	if err != nil {
		return err
	}
	entry, err := j.Apply(cmd.Context(), disk, cs)
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, entry)
	}
	cmd.Printf("applied to %s; take it back with: agentls changes undo %s\n", count(len(entry.Files), "file"), entry.ID)
	return nil
}

// maxPatch bounds what is read, in bytes.
const maxPatch = 64 << 20

func readPatch(cmd *cobra.Command, file string) ([]byte, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // only read
		in = f
	}
	source, err := io.ReadAll(io.LimitReader(in, maxPatch+1))
	if err == nil && len(source) > maxPatch {
		return nil, fmt.Errorf("%s is larger than %d MiB", file, maxPatch>>20)
	}
	return source, err
}
