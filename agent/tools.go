package agent

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Tool is something a model can call. Run returns what the model is told. A
// Failure is told as well, and the run goes on; any other error ends the run.
// A tool reads and changes files through the draft alone, and tells it which
// files its output shows (Draft.Show).
type Tool interface {
	Spec() ToolSpec
	Run(ctx context.Context, draft *Draft, args json.RawMessage) (string, error)
}

// A Titler is a tool that can say for people what a call does: "read chi.go".
// For arguments that make no sense it returns "".
type Titler interface {
	Title(args json.RawMessage) string
}

// A Failure is why a tool did not do what the model wanted, and what to do.
type Failure struct{ Text string }

func (f *Failure) Error() string { return f.Text }

// Fail returns a Failure with a formatted text.
func Fail(format string, args ...any) error { return &Failure{fmt.Sprintf(format, args...)} }

// A ReadOnly tool changes nothing, neither the draft nor anything else: its
// calls may run at the same time, each on a draft of its own.
type ReadOnly interface{ ReadOnly() }

// reads makes a tool ReadOnly.
type reads struct{}

func (reads) ReadOnly() {}

// descriptions are what a model is told of the tools, a file each.
//
//go:embed tool_*.md
var descriptions embed.FS

// spec returns the description of a tool from its file: prose, and then the
// JSON Schema of its arguments.
func spec(name string) ToolSpec {
	content, err := descriptions.ReadFile("tool_" + name + ".md")
	if err != nil {
		panic(err) // it is embedded
	}
	prose, schema, _ := strings.Cut(string(content), "\n```json\n")
	schema, _, _ = strings.Cut(schema, "```")
	return ToolSpec{Name: name, Description: strings.TrimSpace(prose), Parameters: json.RawMessage(schema)}
}

// decode reads the arguments of a call. Its error is a Failure. An argument
// that the tool does not have is one: the model meant something by it.
func decode[T any](args json.RawMessage) (T, error) {
	var out T
	decoder := json.NewDecoder(bytes.NewReader(args))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out); err != nil {
		return out, Fail("%s; the arguments are %s, and you sent %s", misfit(err), argumentNames[T](), abbreviate(string(args), 200))
	}
	return out, nil
}

// misfit says what of the arguments does not fit, in words of JSON.
func misfit(err error) string {
	var mistyped *json.UnmarshalTypeError
	switch name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); {
	case unknown:
		return "there is no argument " + name
	case errors.As(err, &mistyped) && mistyped.Field != "":
		field := mistyped.Field[strings.LastIndexByte(mistyped.Field, '.')+1:]
		return fmt.Sprintf("%s cannot be a %s", field, mistyped.Value)
	}
	return "the arguments are no JSON object"
}

// argumentNames returns the names of the arguments that a T is read from.
func argumentNames[T any]() string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if name := field.Tag.Get("json"); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// offered returns the tools of the run, always in this order: it is part of
// what a provider caches.
func (r *run) offered() []Tool {
	tools := []Tool{readFile{}, listDir{}, glob{}, grep{}, symbolFind{}, symbolRefs{}, diagnostics{editor: r.task.Editor}}
	if seesImages(r.agent.model) {
		tools = append(tools, viewImage{r})
	}
	if r.task.Mode == Review {
		return append(tools, reportFinding{r})
	}
	if !r.task.Mode.Edits() {
		return tools
	}
	tools = append(tools, applyPatch{}, edit{}, replaceSymbol{}, symbolRename{}, remember{})
	if r.sandbox != nil {
		tools = append(tools, shell{r})
	}
	tools = append(tools, updatePlan{r}, askUser{r})
	if r.task.Parent == "" {
		tools = append(tools, delegate{r})
	}
	return append(tools, r.agent.extra...)
}

// call runs one tool call and returns its answer. Whatever the model got
// wrong is told to it; the error ends the run.
func (r *run) call(ctx context.Context, call *ToolCall) (out ToolOutput, failed string, err error) {
	r.detail = ""
	out = ToolOutput{CallID: call.ID, Freeform: call.Freeform}
	tool, known := r.tools[call.Name]
	step := StepStarted{ID: call.ID, Tool: call.Name, Title: call.Name}
	args, argsErr := arguments(call)
	if titler, ok := tool.(Titler); ok && argsErr == nil {
		step.Title = cmp.Or(titler.Title(args), call.Name)
	}
	r.sink(step)
	switch {
	case !known:
		err = Fail("there is no tool %q; there are %s", abbreviate(call.Name, 60), strings.Join(r.toolNames(), ", "))
	case argsErr != nil:
		err = argsErr
	default:
		out.Text, err = r.runRestored(ctx, tool, call, r.model.screen.RestoreJSON(args))
	}
	var failure *Failure
	switch {
	case ctx.Err() != nil:
		return out, "", context.Cause(ctx)
	case errors.As(err, &failure):
		failed, out.Text = failure.Text, "error: "+failure.Text
	case err != nil:
		return out, "", fmt.Errorf("tool %s: %w", call.Name, err)
	}
	out.Paths, out.Images = r.draft.takeShown(), r.draft.takeImages()
	out.Text = cut(r.model.screen.Clean(out.Text, out.Paths...), r.agent.maxOutput) // a half of a secret is not known as one
	r.sink(StepDone{ID: step.ID, Tool: step.Tool, Title: step.Title, Failed: failed, Detail: r.detail})
	return out, failed, nil
}

// runRestored runs call with args, in which the secrets are back, if each
// placeholder stood for one: what is made up or misspelt would be written as it is.
// A tool that reads does no harm, and may have begun.
func (r *run) runRestored(ctx context.Context, tool Tool, call *ToolCall, args json.RawMessage) (string, error) {
	if _, reads := tool.(ReadOnly); reads {
		return r.runTool(ctx, tool, call, args)
	}
	if p := r.model.screen.Unknown(string(args)); p != "" {
		return "", Fail("%s stands for no secret that is known here: copy placeholders as they are, and read again what holds the secret", p)
	}
	return r.runTool(ctx, tool, call, args)
}

// isRepeated reports whether the run has had a call with id. A second one is as
// if it had not come: an output could be that of either, and servers refuse
// requests with both.
func (r *run) isRepeated(res *response, id string) bool {
	isSame := func(call *ToolCall) bool { return call.ID == id }
	isAnswer := func(item Item) bool {
		out, ok := item.(ToolOutput)
		return ok && out.CallID == id
	}
	return slices.ContainsFunc(res.calls, isSame) || slices.ContainsFunc(r.req.Items, isAnswer)
}

// arguments returns the input of call as JSON. Free text becomes the argument
// that the tool has for it.
func arguments(call *ToolCall) (json.RawMessage, error) {
	if call.Freeform && call.Name != patchTool {
		return nil, Fail("%s takes its arguments as a JSON object, and not as free text", abbreviate(call.Name, 60))
	}
	if call.Freeform {
		return json.Marshal(patchArgs{Patch: call.Input})
	}
	if strings.TrimSpace(call.Input) == "" {
		return json.RawMessage("{}"), nil
	}
	if !json.Valid([]byte(call.Input)) {
		return nil, Fail("the arguments are no valid JSON: %s", abbreviate(call.Input, 200))
	}
	return json.RawMessage(call.Input), nil
}

func (r *run) toolNames() []string {
	names := make([]string, len(r.req.Tools))
	for i, spec := range r.req.Tools {
		names[i] = spec.Name
	}
	return names
}

// about returns verb and what it is done to; "" for nothing.
func about(verb, what string) string {
	if what == "" {
		return ""
	}
	return verb + " " + abbreviate(what, 100)
}

// abbreviate returns s cut to about limit bytes, on one line, without what a
// terminal would obey.
func abbreviate(s string, limit int) string {
	s = strings.Map(visible, strings.Join(strings.Fields(s), " "))
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// visible returns r, or U+FFFD for a control character.
func visible(r rune) rune {
	if isControl(r) {
		return utf8.RuneError
	}
	return r
}

// cut returns s if it has at most limit bytes; else half of that from each
// end, by whole lines where they are not too long, and says what is missing.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	head, tail := s[:limit/2], s[len(s)-limit/2:]
	if i := strings.LastIndexByte(head, '\n'); i > limit/4 {
		head = head[:i+1]
	}
	if i := strings.IndexByte(tail, '\n'); i >= 0 && i < limit/4 {
		tail = tail[i+1:]
	}
	missing := s[len(head) : len(s)-len(tail)]
	return fmt.Sprintf("%s\n[… %d lines, %d bytes left out here; ask for less at a time …]\n%s",
		strings.ToValidUTF8(head, ""), strings.Count(missing, "\n"), len(missing), strings.ToValidUTF8(tail, ""))
}
