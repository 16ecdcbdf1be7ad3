package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/agentls/agentls/agent"
)

// The endpoint that a key without a base URL is for, and its model where none
// is named.
const (
	openAI       = "https://api.openai.com/v1"
	defaultModel = "gpt-5.1"
)

// A settings value is what one source says about the model. Its fields are
// empty where the source says nothing.
type settings struct {
	Source  string `json:"-" toml:"-"`
	Model   string `json:"model" toml:"model"`
	BaseURL string `json:"baseUrl" toml:"base_url"`

	APIKey        string   `json:"apiKey" toml:"-"`          // never in the configuration file
	APIKeyEnv     string   `json:"-" toml:"api_key_env"`     // a variable that holds the key
	APIKeyCommand []string `json:"-" toml:"api_key_command"` // a command that prints the key

	Remote remoteSettings `json:"remote" toml:"remote"`

	// By what is done; what is not named has Model, and the usual effort of reasoning.
	Models map[agent.Mode]string `json:"models" toml:"models"`
	Effort map[agent.Mode]string `json:"effort" toml:"effort"`

	Trusted *bool `json:"trusted" toml:"-"` // the workspace, by the editor's user; nil: it has no say

	Journal journalSettings `json:"journal" toml:"journal"`

	SecondPass *bool `json:"secondPass" toml:"second_pass"` // of reviews, over what they found; nil: yes

	Withhold []string `json:"withhold" toml:"withhold"` // patterns of files to keep from models; those of all sources count

	Verify     []string                     `json:"verify" toml:"verify"` // command lines that check a change
	Workspaces map[string]workspaceSettings `json:"-" toml:"workspaces"`  // by folder
}

// A workspaceSettings value is what the user's own file says about one
// workspace.
type workspaceSettings struct {
	Verify []string `toml:"verify"` // in place of the general ones
}

// A modelConfig is what won.
type modelConfig struct {
	Model   string
	Models  map[agent.Mode]string // those that are not Model
	BaseURL string
	APIKey  string
	Source  string // which sources won, for people
}

// Configured reports whether there is a model to ask.
func (m modelConfig) Configured() bool { return m.BaseURL != "" }

// resolve chooses among sources, the strongest first: flag, environment,
// configuration file, editor. The first that says something wins. Endpoint and
// key are one thing: a key goes only to the base URL beside it in its source.
func resolve(ctx context.Context, sources ...settings) (modelConfig, error) {
	var out modelConfig
	var won []string
	for _, s := range sources {
		endpoint := out.BaseURL == "" && (s.BaseURL != "" || s.hasKey())
		if endpoint {
			key, err := s.key(ctx)
			if err != nil {
				return modelConfig{}, fmt.Errorf("%s: %w", s.Source, err)
			}
			out.BaseURL, out.APIKey = s.BaseURL, key
			if out.BaseURL == "" {
				out.BaseURL = openAI
			}
			won = append(won, "endpoint from "+s.Source)
		}
		if out.Model == "" && s.Model != "" {
			out.Model = s.Model
			won = append(won, "model from "+s.Source)
		}
	}
	out.Source = strings.Join(won, ", ")
	if err := out.complete(); err != nil {
		return out, err
	}
	out.Models = modelsOf(out.Model, sources)
	return out, nil
}

// complete fills in the model of OpenAI, and says what is missing elsewhere.
func (m *modelConfig) complete() error {
	if !m.Configured() {
		*m = modelConfig{Source: "none: no OPENAI_API_KEY or OPENAI_BASE_URL, configuration file or editor setting"}
		return nil
	}
	if u, err := url.Parse(m.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("base URL %q is no http(s) address (%s)", withoutPassword(m.BaseURL), m.Source)
	}
	if m.Model == "" && m.BaseURL != openAI {
		return fmt.Errorf("no model is named for %s: set AGENTLS_MODEL (%s)", withoutPassword(m.BaseURL), m.Source)
	}
	if m.Model == "" {
		m.Model = defaultModel
		m.Source += ", model by default"
	}
	return nil
}

func (s settings) hasKey() bool {
	return s.APIKey != "" || s.APIKeyEnv != "" || len(s.APIKeyCommand) > 0
}

// key returns the key that s names, by value, variable or command.
func (s settings) key(ctx context.Context) (string, error) {
	switch {
	case s.APIKey != "":
		return s.APIKey, nil
	case s.APIKeyEnv != "":
		return secretVariable("api_key_env", s.APIKeyEnv)
	case len(s.APIKeyCommand) > 0:
		return secretCommand(ctx, "api_key_command", s.APIKeyCommand)
	default:
		return "", nil
	}
}

// secretVariable returns the secret in a variable, which the setting names.
func secretVariable(setting, name string) (string, error) {
	if secret := os.Getenv(name); secret != "" {
		return secret, nil
	}
	return "", fmt.Errorf("%s: %s is not set", setting, name)
}

// secretCommand returns the secret that a command prints, which the setting
// names.
func secretCommand(ctx context.Context, setting string, argv []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output() //nolint:gosec // the user's own configuration
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", setting, argv[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// fromEnvironment reads the variables that other tools of the field use too.
func fromEnvironment() settings {
	return settings{
		Source: "the environment", Model: os.Getenv("AGENTLS_MODEL"),
		BaseURL: os.Getenv("OPENAI_BASE_URL"), APIKey: os.Getenv("OPENAI_API_KEY"),
		Remote: remoteSettings{URL: os.Getenv("AGENTLS_REMOTE_URL"), Token: os.Getenv("AGENTLS_REMOTE_TOKEN")},
	}
}

// fromFile reads the user's configuration file. A missing one says nothing; a
// wrong one is an error that names the line.
func fromFile(path string) (settings, error) {
	out := settings{Source: path}
	if path == "" {
		return out, nil
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("read the configuration: %w", err)
	}
	decoder := toml.NewDecoder(strings.NewReader(string(raw))).DisallowUnknownFields()
	if err := decoder.Decode(&out); err != nil {
		return out, fmt.Errorf("%s: %s", path, tomlProblem(err))
	}
	return out, nil
}

// tomlProblem says what is wrong in a configuration, and where.
func tomlProblem(err error) string {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		row, _ := strict.Errors[0].Position()
		return fmt.Sprintf("line %d: unknown key %q (known: model, models, base_url, api_key_env, api_key_command, verify, withhold, effort, second_pass, under [remote] url, token_env, token_command, environment, refuse_secrets, under [journal] entries, bytes, days, and under [workspaces.\"PATH\"] verify)", row, strings.Join(strict.Errors[0].Key(), "."))
	}
	var decode *toml.DecodeError
	if errors.As(err, &decode) {
		row, _ := decode.Position()
		return fmt.Sprintf("line %d: %v", row, err)
	}
	return err.Error()
}

// fromEditor reads the editor's settings. Editors that mix a workspace's
// settings in declare ours as their user's only. (ARCHITECTURE.md, "Trust")
func fromEditor(raw json.RawMessage) (settings, error) {
	out := settings{}
	if len(raw) > 0 && string(raw) != "null" {
		if err := json.Unmarshal(raw, &out); err != nil {
			return settings{Source: "the editor"}, fmt.Errorf("the editor's settings: %w", err)
		}
	}
	out.Source = "the editor"
	return out, nil
}
