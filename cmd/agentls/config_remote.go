package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/agentls/agentls/remote"
)

// remoteSettings are what one source says about the task service.
type remoteSettings struct {
	URL          string   `json:"url" toml:"url"`
	Token        string   `json:"token" toml:"-"`         // never in the configuration file
	TokenEnv     string   `json:"-" toml:"token_env"`     // a variable that holds the token
	TokenCommand []string `json:"-" toml:"token_command"` // a command that prints it
	Environment  string   `json:"environment" toml:"environment"`

	RefuseSecrets bool `json:"refuseSecrets" toml:"refuse_secrets"` // by any source: commits with secrets are not sent
}

// token returns the token that s names, by value, variable or command.
func (s *remoteSettings) token(ctx context.Context) (string, error) {
	switch {
	case s.Token != "":
		return s.Token, nil
	case s.TokenEnv != "":
		return secretVariable("token_env", s.TokenEnv)
	case len(s.TokenCommand) > 0:
		return secretCommand(ctx, "token_command", s.TokenCommand)
	default:
		return "", nil
	}
}

// errNoRemote says how to configure a task service.
var errNoRemote = errors.New("no task service is configured: set AGENTLS_REMOTE_URL (and AGENTLS_REMOTE_TOKEN), write url under [remote] in " +
	"the configuration file, set remote.url in the editor, or give --url; agentls remote serve runs one")

// remoteClient returns the client of the task service that the flag, the
// environment, the configuration file or the editor names, which may be nil.
func (a *app) remoteClient(ctx context.Context, flag string, editor json.RawMessage) (*remote.Client, error) {
	file, err := fromFile(configFile())
	if err != nil {
		return nil, err
	}
	fromEditor, err := fromEditor(editor)
	if err != nil {
		return nil, err
	}
	opts, source, err := resolveRemote(ctx, settings{Source: "--url", Remote: remoteSettings{URL: flag}}, fromEnvironment(), file, fromEditor)
	if err != nil {
		return nil, err
	}
	opts.NewID, opts.Log, opts.Gate = newID, a.log(), a.gate(file, fromEditor)
	client, err := remote.New(opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return client, nil
}

// resolveRemote chooses among sources, the strongest first, and names the one
// that won. A token goes only to the address beside it.
func resolveRemote(ctx context.Context, sources ...settings) (opts remote.Options, source string, err error) {
	for _, s := range sources {
		opts.Environment = cmp.Or(opts.Environment, s.Remote.Environment)
		opts.RefuseSecrets = opts.RefuseSecrets || s.Remote.RefuseSecrets
		if opts.URL != "" || s.Remote.URL == "" {
			continue
		}
		if opts.Token, err = s.Remote.token(ctx); err != nil {
			return opts, "", fmt.Errorf("%s: %w", s.Source, err)
		}
		opts.URL, source = s.Remote.URL, s.Source
	}
	if opts.URL == "" {
		err = errNoRemote
	}
	return opts, source, err
}
