package sandbox

import (
	"slices"
	"strings"
)

// keptVariables are those a command gets from the user's environment, where
// tokens and sockets are among the others.
var keptVariables = []string{
	"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "SHELL",
	"GOROOT", "GOPATH", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOTOOLCHAIN", "GOEXPERIMENT", "GOOS", "GOARCH", "CGO_ENABLED",
	"CC", "CXX", "AR", "PKG_CONFIG_PATH", "JAVA_HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN",
	"NVM_DIR", "PYENV_ROOT", "VIRTUAL_ENV", "CONDA_PREFIX", "NODE_ENV",
}

// defaultPath is for a user without a PATH.
const defaultPath = "/usr/local/bin:/usr/bin:/bin"

// cleanEnv returns the environment of a command in dir: what is kept of own,
// what makes programs behave where nobody types, and what the command sets
// itself, the last of a name winning.
func cleanEnv(own []string, home, dir string, cmd *Command) []string {
	env := []string{"PATH=" + defaultPath}
	for _, kv := range own {
		if name, _, ok := strings.Cut(kv, "="); ok && slices.Contains(keptVariables, name) {
			env = append(env, kv)
		}
	}
	env = append(
		env, "HOME="+home, "PWD="+dir, "TMPDIR=/tmp", "TERM=dumb", "NO_COLOR=1", "CI=1", "PAGER=cat",
		"GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_PAGER=cat",
	)
	if cmd.Network == NetworkOff { // they would try for minutes
		env = append(env, "CARGO_NET_OFFLINE=true", "npm_config_offline=true", "PIP_RETRIES=0")
	}
	return lastOfEach(append(env, cmd.Env...))
}

// lastOfEach drops all but the last setting of each variable, and what is none.
func lastOfEach(env []string) []string {
	last := make(map[string]int, len(env))
	for i, kv := range env {
		if name, _, ok := strings.Cut(kv, "="); ok && name != "" && !strings.ContainsRune(kv, 0) {
			last[name] = i
		}
	}
	var kept []string
	for i, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if at, ok := last[name]; ok && at == i {
			kept = append(kept, kv)
		}
	}
	return kept
}
