package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/remote"
	"github.com/agentls/agentls/remote/server"
)

// defaultListen is where the task service answers unless told otherwise.
const defaultListen = "127.0.0.1:9258"

func (a *app) remoteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remote",
		Short: "Run a task service, and declare its environments",
	}
	cmd.AddCommand(a.remoteServeCommand(), a.remoteEnvCommand())
	return cmd
}

// A serviceFlags value is what remote serve is told.
type serviceFlags struct {
	listen, data, tokenFile string
	workers                 int
	timeout                 time.Duration // of a set-up or verify command
}

func (a *app) remoteServeCommand() *cobra.Command {
	var flags serviceFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the task service, with its page",
		Long: `Takes tasks over HTTP, runs the agent on a checkout for each, and keeps what came
of it through every crash. It speaks its own API under /v1, the Codex tasks API
under /api/codex and /backend-api/wham, and shows a page at /.

Without tokens it answers this machine alone. The set-up and verify commands of
environments run in copy-on-write views of the checkouts, confined and without
network, which an environment may open for its set-up; where that cannot be had,
environments with commands are refused.`,
		Example: `  agentls remote serve
  agentls remote serve --listen 0.0.0.0:9258 --token-file ~/.config/agentls/tokens`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.remoteServe(cmd, flags) },
	}
	cmd.Flags().StringVar(&flags.listen, "listen", defaultListen, "the address to answer on")
	cmd.Flags().StringVar(&flags.data, "data", "", "the folder to keep everything in (default: in the state folder)")
	cmd.Flags().StringVar(&flags.tokenFile, "token-file", "", "a file with a token on each line; one of them is asked of every client")
	cmd.Flags().DurationVar(&flags.timeout, "command-timeout", 30*time.Minute, "end a set-up or verify command after this time")
	cmd.Flags().IntVar(&flags.workers, "workers", 0, "attempts to run at once (default 2)")
	return cmd
}

func (a *app) remoteServe(cmd *cobra.Command, flags serviceFlags) error {
	setup := a.configure(cmd.Context(), nil, nil)
	if setup.Err != nil {
		return setup.Err
	}
	tokens, err := readTokens(flags.tokenFile)
	if err != nil {
		return err
	}
	data := cmp.Or(flags.data, filepath.Join(stateDir(), "tasks"))
	commands, err := a.environments(cmd.Context(), data, flags.timeout, flags.tokenFile)
	if err != nil {
		return err
	}
	opts := server.Options{
		Dir: data, Runner: setup.Runner, Tokens: tokens, Version: version, Workers: flags.workers, Now: time.Now, NewID: newID, Log: a.log(),
	}
	if commands.level.Confines() {
		opts.Commands = commands
	}
	service, err := server.Open(cmd.Context(), opts)
	if err != nil {
		return err
	}
	defer service.Close() //nolint:errcheck // Serve has ended, everything is written
	commands.forgetKilled()
	var config net.ListenConfig
	listener, err := config.Listen(cmd.Context(), "tcp", flags.listen)
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	if a.json {
		if err := printJSON(cmd, map[string]string{"url": url}); err != nil {
			return err
		}
	} else {
		cmd.Printf("task service on %s, model %s\n", url, cmp.Or(setup.Model, "none: the index answers"))
	}
	err = service.Serve(cmd.Context(), listener)
	if errors.Is(err, server.ErrExposed) {
		return usageError("%w: give --token-file, or listen on 127.0.0.1", err)
	}
	return err
}

// readTokens reads the tokens in the file at path, one on each line; lines
// that begin with # are comments. No path is no tokens.
func readTokens(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	stat, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the tokens: %w", err)
	}
	if runtime.GOOS != "windows" && stat.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read the tokens: others may read %s; run: chmod 600 %[1]s", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the tokens: %w", err)
	}
	var tokens []string
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			tokens = append(tokens, line)
		}
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("read the tokens: %s has none", path)
	}
	return tokens, nil
}

func (a *app) remoteEnvCommand() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Declare, list and remove the environments of a task service",
		Example: `  agentls remote env add demo --repo https://example.org/demo.git --setup "npm ci" --network --verify "npm test"
  agentls remote env list
  agentls remote env remove demo`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listEnvironments(cmd, url) },
	}
	cmd.PersistentFlags().StringVar(&url, "url", "", "the task service")
	var env remote.Environment
	add := &cobra.Command{
		Use: "add NAME", Short: "Declare an environment, or declare it anew", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			env.Name = given[0]
			return a.addEnvironment(cmd, url, env)
		},
	}
	add.Flags().StringVar(&env.Repo, "repo", "", "its repository: a URL, or a path on the service's machine")
	add.Flags().StringArrayVar(&env.Setup, "setup", nil, "a command to run on each checkout; may be given several times")
	add.Flags().StringArrayVar(&env.Verify, "verify", nil, "a command to run on each change; may be given several times")
	add.Flags().BoolVar(&env.Network, "network", false, "let the set-up commands reach the network; the agent's and the verify commands never do")
	cmd.AddCommand(add,
		&cobra.Command{
			Use: "list", Short: "List the environments", Args: args(cobra.NoArgs),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.listEnvironments(cmd, url) },
		},
		&cobra.Command{
			Use: "remove NAME", Short: "Remove an environment", Args: args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, given []string) error {
				client, err := a.remoteClient(cmd.Context(), url, nil)
				if err != nil {
					return err
				}
				return client.Forget(cmd.Context(), given[0])
			},
		})
	return cmd
}

func (a *app) addEnvironment(cmd *cobra.Command, url string, env remote.Environment) error {
	client, err := a.remoteClient(cmd.Context(), url, nil)
	if err != nil {
		return err
	}
	if abs, err := filepath.Abs(env.Repo); err == nil && env.Repo != "" {
		if stat, err := os.Stat(abs); err == nil && stat.IsDir() {
			env.Repo = abs // the service has another working folder
		}
	}
	if err := client.Declare(cmd.Context(), env); err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, env)
	}
	cmd.Printf("%s is declared at %s\n", env.Name, client.URL())
	return nil
}

func (a *app) listEnvironments(cmd *cobra.Command, url string) error {
	client, err := a.remoteClient(cmd.Context(), url, nil)
	if err != nil {
		return err
	}
	all, err := client.Environments(cmd.Context())
	if err != nil {
		return err
	}
	if a.json {
		return printJSON(cmd, all)
	}
	for _, env := range all {
		cmd.Printf("%s  %s\n", plain(env.Name), plain(env.Repo))
		for _, line := range env.Setup {
			cmd.Printf("  setup   %s\n", plain(line))
		}
		if env.Network {
			cmd.Println("  network open for the set-up")
		}
		for _, line := range env.Verify {
			cmd.Printf("  verify  %s\n", plain(line))
		}
	}
	if len(all) == 0 {
		cmd.Println("no environments yet")
	}
	return nil
}
