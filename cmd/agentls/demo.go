package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/cmd/agentls/demo"
)

func (a *app) demoCommand() *cobra.Command {
	var opts demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Walk the whole way on a real project, in real Neovim, with a scripted model",
		Long: `Copy a real Go project into a scratch folder, open it in headless Neovim with
agentls as its language server, and show, with timings: index, ask, change,
preview, apply, undo, redo, conflict, and a change from a task service that is
killed meanwhile. Every step is checked. Needs go, git and
Neovim; the project comes from the Go module cache or proxy.`,
		Example: `  agentls demo
  agentls demo --keep     and look at the scratch folder afterwards`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			opts.Server, opts.Service, opts.Out = []string{self, "serve"}, []string{self, "remote", "serve"}, cmd.OutOrStdout()
			return demo.Run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.Keep, "keep", false, "leave the scratch folder")
	cmd.Flags().StringVar(&opts.Nvim, "nvim", "", "Neovim to use")
	return cmd
}
