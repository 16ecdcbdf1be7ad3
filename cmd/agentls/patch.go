package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/edits"
)

func (a *app) patchCommand() *cobra.Command {
	var dir string
	var check bool
	cmd := &cobra.Command{
		Use:   "patch FILE|-",
		Short: "Apply a patch as one transaction: all of it or nothing, and undo works",
		Long: `Apply a patch in the format that models write ("*** Begin Patch") or a diff as
git writes it. Nothing is written unless every section fits; what is written can
be undone. A patch that does not fit ends with exit code 3.`,
		Example: `  agentls patch change.patch
  git diff | agentls patch - --dir ~/src/copy
  some-model | agentls patch - --dir ~/src/project --check`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			root, err := workspaceRoot(cmd.Context(), dir)
			if err != nil {
				return err
			}
			if !check { // before the files are read: one cut off may be half there
				if _, err := a.settled(cmd); err != nil {
					return err
				}
			}
			cs, err := patchChanges(cmd, given[0], root)
			if err != nil {
				return err
			}
			if check {
				return a.checkPatch(cmd, root, cs)
			}
			return a.patch(cmd, cs)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "the workspace that the patch's paths are relative to")
	cmd.Flags().BoolVar(&check, "check", false, "only say whether it fits, and what it would change")
	return cmd
}

// patchChanges returns what the patch in file, "-" for stdin, makes of the
// files below root.
func patchChanges(cmd *cobra.Command, file, root string) (*edits.ChangeSet, error) {
	source, err := readPatch(cmd, file)
	if err != nil {
		return nil, err
	}
	cs, err := laidPatch(cmd, string(source), root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; nothing was changed", file, err)
	}
	cs.ID, cs.Title = newID(), "Patch "+file
	return cs, nil
}

// laidPatch tells the formats apart.
func laidPatch(cmd *cobra.Command, source, root string) (*edits.ChangeSet, error) {
	disk, resolve := edits.NewDirectory(), edits.Confine([]string{root})
	if strings.HasPrefix(source, "diff --git ") {
		diff, err := edits.ParseGitDiff(source)
		if err != nil {
			return nil, err
		}
		return diff.ChangeSet(cmd.Context(), disk, resolve)
	}
	if strings.HasPrefix(source, "--- ") || strings.HasPrefix(source, "Index: ") || strings.HasPrefix(source, "From ") {
		return nil, errors.New("this is no diff as git diff writes it, which begins with \"diff --git\": make one with git diff, or with git diff --no-index OLD NEW")
	}
	patch, err := edits.ParsePatch(source)
	if err != nil {
		return nil, err
	}
	return patch.ChangeSet(cmd.Context(), disk, resolve)
}

// checkPatch says what a patch that fits would change.
func (a *app) checkPatch(cmd *cobra.Command, root string, cs *edits.ChangeSet) error {
	if a.json {
		return printJSON(cmd, cs)
	}
	cmd.Print(paletteFor(cmd.OutOrStdout()).stats(cs, relativeTo(root)))
	cmd.Printf("fits: %s\n", count(len(cs.Files), "file"))
	return nil
}

func (a *app) patch(cmd *cobra.Command, cs *edits.ChangeSet) error {
	j, err := a.settled(cmd)
	if err != nil {
		return err
	}
	entry, err := j.Apply(cmd.Context(), edits.NewDirectory(), cs)
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
