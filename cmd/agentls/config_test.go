package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/edits"
	"github.com/agentls/agentls/remote"
)

func TestResolve(t *testing.T) {
	none, flag, env := settings{Source: "file"}, settings{Source: "flag"}, settings{Source: "env"}
	for name, c := range map[string]struct {
		sources []settings
		want    modelConfig // without Source
		says    string
	}{
		"nothing": {[]settings{flag, env, none}, modelConfig{}, "none: no OPENAI_API_KEY"},
		"a key is OpenAI's": {
			[]settings{flag, {Source: "env", APIKey: "k"}},
			modelConfig{Model: defaultModel, BaseURL: openAI, APIKey: "k"},
			"endpoint from env, model by default",
		},
		"the key of another source is not sent": {
			[]settings{{Source: "flag", BaseURL: "http://localhost:1/v1"}, {Source: "env", APIKey: "k", Model: "m"}},
			modelConfig{Model: "m", BaseURL: "http://localhost:1/v1"},
			"endpoint from flag, model from env",
		},
		"the first endpoint wins": {
			[]settings{{Source: "env", BaseURL: "http://a/v1", Model: "m"}, {Source: "editor", BaseURL: "http://b/v1", APIKey: "k"}},
			modelConfig{Model: "m", BaseURL: "http://a/v1"},
			"endpoint from env, model from env",
		},
		"a model alone does not choose the endpoint": {
			[]settings{{Source: "flag", Model: "m"}, {Source: "file", BaseURL: "http://b/v1", APIKey: "k"}},
			modelConfig{Model: "m", BaseURL: "http://b/v1", APIKey: "k"},
			"model from flag",
		},
		"a model without an endpoint is no model": {[]settings{{Source: "flag", Model: "m"}}, modelConfig{}, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := resolve(t.Context(), c.sources...)
			if err != nil {
				t.Fatal(err)
			}
			said := got.Source
			got.Source, got.Models = "", nil
			if !reflect.DeepEqual(got, c.want) || !strings.Contains(said, c.says) {
				t.Errorf("%+v (%s), want %+v (%s)", got, said, c.want, c.says)
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		settings settings
		want     string
	}{
		"no model":        {settings{BaseURL: "http://a/v1"}, "AGENTLS_MODEL"},
		"no address":      {settings{BaseURL: "localhost:1", Model: "m"}, "no http(s) address"},
		"variable unset":  {settings{APIKeyEnv: "AGENTLS_NO_SUCH_VARIABLE"}, "is not set"},
		"command missing": {settings{APIKeyCommand: []string{"/no/such/command"}}, "api_key_command"},
	} {
		if _, err := resolve(t.Context(), c.settings); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestConfigurationFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if got, err := fromFile(path); err != nil || got.Model != "" {
		t.Errorf("a missing file: %+v, %v", got, err)
	}
	for content, want := range map[string]string{
		"model = \"m\"\n":             "",
		"model = \"m\"\nmodell = 1\n": "line 2: unknown key \"modell\"",
		"model = \n":                  "line 1",
		"api_key = \"sk-plain\"\n":    "unknown key \"api_key\"",
		"base_url = 7\n":              "line 1",
		"api_key_command = [\"x\"]\n": "",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := fromFile(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}

// TestModelsByMode: the first source that says a model for a mode, or for all,
// wins.
func TestModelsByMode(t *testing.T) {
	sources := []settings{
		{Models: map[agent.Mode]string{agent.Ask: "small"}},
		{Model: "usual", Models: map[agent.Mode]string{agent.Ask: "not this", agent.Review: "large"}},
		{Model: "last", Models: map[agent.Mode]string{agent.Explain: "too late"}},
	}
	want := map[agent.Mode]string{agent.Ask: "small", agent.Review: "large"}
	if diff := cmp.Diff(want, modelsOf("usual", sources)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := byMode(want); got != " (ask: small, review: large)" {
		t.Errorf("%q", got)
	}
}

// TestModeSettingsRefused: names that are none are said, and what they may be.
func TestModeSettingsRefused(t *testing.T) {
	for wrong, want := range map[string]string{
		"models = { aks = 'm' }":      `models: "aks" is none of ask, explain, edit, plan and review`,
		"models = { ask = ' ' }":      "models: ask names no model",
		"effort = { write = 'low' }":  `effort: "write" is none of ask`,
		"effort = { ask = 'lowest' }": `effort: ask = "lowest" is none of low, medium and high`,
	} {
		u := mathUser(t)
		u.model(shout)
		u.configure(wrong + "\n")
		u.run("run", "do it").want(t, 1, want)
	}
}

// TestModelAndEffortOfAMode: what reaches the model's server is what the user
// named for the mode, else the usual.
func TestModelAndEffortOfAMode(t *testing.T) {
	u := mathUser(t)
	model := u.model(shout)
	u.env = append(u.env, "AGENTLS_MODEL=")
	u.configure("model = 'gpt-5.4'\nmodels = { edit = 'gpt-5.4-mini' }\neffort = { edit = 'high' }\n")
	u.run("doctor").want(t, 0, "gpt-5.4 (edit: gpt-5.4-mini) at ")
	u.run("run", "do it").want(t, 0)
	req := model.Requests()[0]
	if req.Model != "gpt-5.4-mini" || !strings.Contains(string(req.Body), `"effort":"high"`) {
		t.Errorf("%s: %s", req.Model, req.Body)
	}
}

// TestBrokenPricesLeaveTheIndex: a list of prices that cannot be read is said,
// and the session goes on without a model.
func TestBrokenPricesLeaveTheIndex(t *testing.T) {
	u := mathUser(t)
	u.model(shout)
	config := filepath.Join(u.variable("XDG_CONFIG_HOME"), "agentls")
	if err := os.MkdirAll(config, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "prices.toml"), []byte("input: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u.run("run", "do it").want(t, 1, "prices.toml")
	w := u.serve()
	w.initialize(u)
	got := string(w.execute(1, "agentls.status", map[string]any{}))
	if !strings.Contains(got, "prices.toml") || strings.Contains(got, `"model"`) {
		t.Errorf("status: %s", got)
	}
}

// TestVerifySettings: what is no command is said at once, and a workspace may have
// no checks.
func TestVerifySettings(t *testing.T) {
	u := mathUser(t)
	u.model(shout)
	for _, wrong := range []string{"verify = ['']", "[workspaces.'/x']\nverify = ['go vet', ' ']"} {
		u.configure(wrong + "\n")
		u.run("run", "do it").want(t, 1, "config.toml: verify: ", "is no command")
	}
	u.configure("verify = ['false']\n[workspaces.'" + u.dir + "']\nverify = []\n")
	if p := u.run("run", "do it"); p.code != 0 || strings.Contains(p.out, "✗") {
		t.Errorf("%+v", p)
	}
}

// TestJournalLimits: each by the first source that says it, and no others than
// can be meant.
func TestJournalLimits(t *testing.T) {
	file := settings{Source: "file", Journal: journalSettings{Entries: 7}}
	editor, err := fromEditor([]byte(`{"journal": {"entries": 9, "bytes": 1000, "days": 2}}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := resolveJournal(file, editor)
	if want := (edits.Limits{Entries: 7, Bytes: 1000, Age: 48 * time.Hour}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, wrong := range []journalSettings{{Entries: -1}, {Bytes: -1}, {Days: -1}, {Days: 1 << 40}} {
		if _, err := resolveJournal(settings{Source: "here", Journal: wrong}); err == nil || !strings.HasPrefix(err.Error(), "here: journal: ") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}

	u := patchUser(t)
	u.configure("[journal]\nentries = 1\n")
	u.write("q.patch", "*** Begin Patch\n*** Add File: q.txt\n+q\n*** End Patch\n")
	u.run("patch", "p.patch").want(t, 0, "applied")
	u.run("patch", "q.patch").want(t, 0, "applied")
	if p := u.run("changes", "list"); strings.Contains(p.out, "p.patch") || !strings.Contains(p.out, "q.patch") {
		t.Errorf("the journal keeps:\n%s", p.out)
	}
	u.configure("[journal]\nentries = -1\n")
	u.run("changes", "undo").want(t, 1, "config.toml: journal: ")
}

// TestNoPasswordIsShown: neither by the doctor nor by an error.
func TestNoPasswordIsShown(t *testing.T) {
	u := mathUser(t)
	u.env = append(u.env, "OPENAI_BASE_URL=http://me:hunter2@127.0.0.1:1/v1", "AGENTLS_MODEL=m")
	for _, args := range [][]string{{"doctor"}, {"doctor", "--json"}, {"ask", "math.go:4"}} {
		if p := u.run(args...); strings.Contains(p.out+p.errOut, "hunter2") || !strings.Contains(p.out+p.errOut, "127.0.0.1:1") {
			t.Errorf("%s says:\n%s%s", args, p.out, p.errOut)
		}
	}
	_, err := resolve(t.Context(), settings{BaseURL: "ftp://me:hunter2@host/"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

// TestWorkspaceSetsNothing: no file of a workspace chooses an endpoint.
func TestWorkspaceSetsNothing(t *testing.T) {
	u := mathUser(t)
	u.write(".agentls.toml", "base_url = \"http://evil/v1\"\nmodel = \"m\"\n")
	u.write("config.toml", "base_url = \"http://evil/v1\"\nmodel = \"m\"\n")
	u.write(".env", "OPENAI_BASE_URL=http://evil/v1\n")
	u.write(".vscode/settings.json", `{"agentls.baseUrl": "http://evil/v1"}`)
	u.run("doctor").want(t, 0, "the index answers")
}

func TestResolveRemote(t *testing.T) {
	env := settings{Source: "env", Remote: remoteSettings{URL: "http://env", Token: "env-token"}}
	editor := settings{Source: "editor", Remote: remoteSettings{URL: "http://editor", Token: "editor-token", Environment: "demo"}}
	for name, c := range map[string]struct {
		sources []settings
		want    remote.Options
		source  string
	}{
		"the first address wins": {[]settings{env, editor}, remote.Options{URL: "http://env", Token: "env-token", Environment: "demo"}, "env"},
		"the editor":             {[]settings{{Source: "env"}, editor}, remote.Options{URL: "http://editor", Token: "editor-token", Environment: "demo"}, "editor"},
		"the token of another source is not sent": {
			[]settings{{Source: "--url", Remote: remoteSettings{URL: "http://flag"}}, env}, remote.Options{URL: "http://flag"}, "--url",
		},
		"a token alone chooses nothing": {
			[]settings{{Source: "env", Remote: remoteSettings{Token: "lost"}}, editor}, remote.Options{URL: "http://editor", Token: "editor-token", Environment: "demo"}, "editor",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, source, err := resolveRemote(t.Context(), c.sources...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || source != c.source {
				t.Errorf("from %s, want %s (-want +got):\n%s", source, c.source, diff)
			}
		})
	}
	if _, _, err := resolveRemote(t.Context(), settings{}); !errors.Is(err, errNoRemote) {
		t.Errorf("nothing is configured: %v", err)
	}
}
