package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/agentls/agentls/lsp"
)

func (a *app) serveCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the language server on stdin and stdout",
		Example: `  agentls serve                          as an editor starts it
  agentls serve --listen 127.0.0.1:9257  for one client over TCP, to debug it`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.niceness = 10 // the editor comes first
			rwc, err := a.connection(cmd.Context(), listen)
			if err != nil {
				return err
			}
			if code := lsp.Serve(cmd.Context(), rwc, a.serverOptions(cmd.Context())); code != 0 {
				return exitError{code}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "wait for one client on this TCP address instead")
	return cmd
}

func (a *app) serverOptions(ctx context.Context) lsp.Options {
	return lsp.Options{
		Version: version, Log: a.log(), Now: time.Now, NewID: newID,
		Journal: a.journal(), Open: a.home,
		Configure: func(settings json.RawMessage) lsp.Setup {
			setup := a.configure(ctx, settings, a.commandsFor)
			setup.Remote, setup.RemoteErr = a.remoteClient(ctx, "", settings)
			limits, err := journalLimits(settings)
			if setup.Keep = limits; err != nil && setup.Err == nil {
				setup.Err = err
			}
			return setup
		},
	}
}

// connection returns stdin and stdout, or the first client on address.
func (a *app) connection(ctx context.Context, address string) (io.ReadWriteCloser, error) {
	if address == "" {
		return stdio{os.Stdin, os.Stdout}, nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer listener.Close() //nolint:errcheck // one client is all
	a.log().Warn("waiting for a client", "address", listener.Addr())
	return listener.Accept()
}

// stdio is the protocol's connection. Nothing else writes to stdout.
type stdio struct {
	io.Reader
	io.Writer
}

func (stdio) Close() error { return os.Stdin.Close() }
