package agent

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
)

// ErrWithheld is in errors about files that the privacy gate keeps from models.
var ErrWithheld = errors.New("withheld from models")

// A Gate stands between runs and their models: it keeps back files by their
// path, and the secrets in what leaves. The zero value does both, by the deny
// list and the rules of package secrets; all it can be told is to withhold more.
type Gate struct {
	// Withhold are patterns of files to keep back, as in .gitignore, of the
	// user's settings.
	Withhold []string

	// Key is what the placeholders of secrets are made with. Who does not know
	// it cannot tell by a placeholder whether a guessed secret is the right one.
	Key []byte

	// Record is told of what was kept back. It may be called from several
	// goroutines. Nil: nobody is.
	Record func(Withholding)

	ignores []ignoreFile // the patterns of Withhold and of the workspace
}

func (g *Gate) record(w Withholding) {
	if g.Record != nil {
		g.Record(w)
	}
}

// deny are the names of files, in lower case, whose content no model gets. A
// slash at the end means a folder and all below it.
var deny = []string{
	".env", ".env.*", "*.env", ".envrc",
	"*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk",
	"id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
	".npmrc", ".netrc", "_netrc", ".pypirc", ".git-credentials", ".dockercfg", ".htpasswd", ".pgpass",
	"credentials", "credentials.*", "*-credentials.json", "service-account*.json", "secrets", "secrets.*", ".secrets", ".secrets.*",
	"*.tfvars", "*.tfstate", "secrets/", ".secrets/", ".aws/", ".ssh/", ".gnupg/", ".kube/", ".docker/config.json",
}

// allow are the names that deny would match, of files made to be shared.
var allow = []string{".env.example", ".env.sample", ".env.template", ".env.dist", "*.pub"}

// code are the extensions of files that programs are written in: a "secrets"
// or "credentials" package is not a secret.
var code = map[string]bool{
	".go": true, ".py": true, ".js": true, ".jsx": true, ".ts": true, ".tsx": true, ".mjs": true, ".cjs": true,
	".rs": true, ".java": true, ".kt": true, ".rb": true, ".php": true, ".c": true, ".h": true, ".cc": true, ".cpp": true, ".cs": true, ".swift": true,
}

// rules are the deny list, sorted by how they are looked up: a workspace may
// have a hundred thousand files.
var rules = sortRules(deny)

type denyRules struct {
	names    map[string]bool // of files, whole
	endings  map[string]bool // "*.pem", by their extension ".pem"
	patterns []string        // of names, other ones
	folders  []string        // "/.ssh/"
	paths    []string        // "/.docker/config.json": the last parts of a path
}

func sortRules(list []string) denyRules {
	r := denyRules{names: map[string]bool{}, endings: map[string]bool{}}
	for _, rule := range list {
		ending, isEnding := strings.CutPrefix(rule, "*")
		switch {
		case strings.HasSuffix(rule, "/"):
			r.folders = append(r.folders, "/"+rule)
		case strings.Contains(rule, "/"):
			r.paths = append(r.paths, "/"+rule)
		case isEnding && strings.LastIndexByte(ending, '.') == 0 && !strings.Contains(ending, "*"):
			r.endings[ending] = true
		case strings.Contains(rule, "*"):
			r.patterns = append(r.patterns, rule)
		default:
			r.names[rule] = true
		}
	}
	return r
}

// match returns a rule that path, in lower case, with slashes and one in
// front, breaks.
func (r *denyRules) match(path string) (rule string, ok bool) {
	if i := slices.IndexFunc(r.folders, func(folder string) bool { return strings.Contains(path+"/", folder) }); i >= 0 {
		return r.folders[i][1:], true
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch ending := filepath.Ext(name); {
	case r.names[name]:
		return name, true
	case ending != "" && r.endings[ending]:
		return "*" + ending, true
	}
	if i := slices.IndexFunc(r.patterns, func(pattern string) bool { return matches(pattern, name) }); i >= 0 {
		return r.patterns[i], true
	}
	if i := slices.IndexFunc(r.paths, func(end string) bool { return strings.HasSuffix(path, end) }); i >= 0 {
		return r.paths[i][1:], true
	}
	return "", false
}

// Withheld returns the rule by which the content of path is kept from models,
// and whether there is one. Case does not matter to the deny list: file systems
// differ.
func (g *Gate) Withheld(path string) (rule string, ok bool) {
	lower := withoutBackup("/" + strings.ToLower(filepath.ToSlash(path)))
	if rule, ok = rules.match(lower); ok && !isShared(lower[strings.LastIndexByte(lower, '/')+1:], rule) {
		return rule, true
	}
	return g.Ignored(path)
}

// isShared reports whether a file that matches rule is made to be shared all
// the same. A package may be called secrets.
func isShared(name, rule string) bool {
	about := strings.HasPrefix(rule, "secrets") || strings.HasPrefix(rule, "credentials")
	isAllowed := func(pattern string) bool { return matches(pattern, name) }
	return !strings.HasSuffix(rule, "/") && slices.ContainsFunc(allow, isAllowed) || about && code[filepath.Ext(name)]
}

// withoutBackup returns the path that a copy beside it was made of: a backup,
// or what an editor keeps of a file that is open, such as Vim's .NAME.swp and
// the #NAME# of Emacs.
func withoutBackup(path string) string {
	folder, name := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
	if kept, ok := strings.CutPrefix(name, "."); ok && slices.Contains(swapped, filepath.Ext(kept)) {
		return folder + strings.TrimSuffix(kept, filepath.Ext(kept))
	}
	if kept, ok := strings.CutPrefix(name, "#"); ok && strings.HasSuffix(kept, "#") {
		return folder + strings.TrimSuffix(kept, "#")
	}
	for _, suffix := range []string{"~", ".bak", ".orig", ".old", ".save"} {
		path = strings.TrimSuffix(path, suffix)
	}
	return path
}

// swapped are the extensions of Vim's swap files.
var swapped = []string{".swp", ".swo", ".swn", ".swm"}

func matches(pattern, name string) bool {
	ok, err := filepath.Match(pattern, name)
	return ok && err == nil
}

// Check returns req as it may leave, or an error that says why it may not. It
// does not change req.
func (s *Screen) Check(req *Request) (*Request, error) {
	out := *req
	out.Instructions = s.Clean(req.Instructions)
	out.Items = make([]Item, len(req.Items))
	for i, item := range req.Items {
		checked, err := s.check(item)
		if err != nil {
			return nil, err
		}
		out.Items[i] = checked
	}
	return &out, nil
}

func (s *Screen) check(item Item) (Item, error) {
	switch it := item.(type) {
	case UserMessage:
		text, err := s.pass(it.Text, it.Paths)
		it.Text = text
		return it, err
	case ToolOutput:
		text, err := s.pass(it.Text, it.Paths)
		it.Text = text
		return it, err
	case ModelItem:
		return it, nil // it came from there
	}
	return nil, fmt.Errorf("privacy gate: item of type %T", item)
}

func (s *Screen) pass(text string, paths []string) (string, error) {
	for _, path := range paths {
		if rule, ok := s.gate.Withheld(path); ok {
			s.gate.record(Withholding{Rule: rule, Path: path, Count: 1})
			return "", fmt.Errorf("%s is %w by the deny list (%s)", path, ErrWithheld, rule)
		}
	}
	return s.Clean(text, paths...), nil
}

// A gatedModel is the only way from a run to its model.
type gatedModel struct {
	model  Model
	screen *Screen
	sent   func(*Request) // is told of each request, as it leaves; may be nil
	tokens *Tokens
}

func (m gatedModel) Respond(ctx context.Context, req *Request) iter.Seq2[ModelEvent, error] {
	checked, err := m.screen.Check(req)
	if err != nil {
		return func(yield func(ModelEvent, error) bool) { yield(nil, err) }
	}
	if m.sent != nil {
		m.sent(checked)
	}
	return func(yield func(ModelEvent, error) bool) {
		for ev, err := range m.model.Respond(ctx, checked) {
			if done, ok := ev.(Completed); ok {
				m.tokens.learn(checked.size(), done.Usage.InputTokens)
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}
