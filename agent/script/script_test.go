package script_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent/script"
)

func start(t *testing.T, archives ...string) (*script.Server, string) {
	t.Helper()
	var scripts []*script.Script
	for _, archive := range archives {
		s, err := script.Parse("test", []byte(archive))
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	server := script.New(scripts...)
	url, err := server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return server, url
}

// post sends a request with the given input items and returns the items that
// answered it, or the error message.
func post(t *testing.T, url, key string, input ...string) (items []string, message string) {
	t.Helper()
	body := `{"model":"m","store":false,"stream":true,"tools":[],"instructions":"Be brief.","input":[` + strings.Join(input, ",") + `]}`
	return postBody(t, url, key, body)
}

func postBody(t *testing.T, url, key, body string) (items []string, message string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/responses", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	if res.StatusCode != http.StatusOK {
		var answer struct{ Error struct{ Message string } }
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		return nil, answer.Error.Message
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		var ev struct {
			Type string
			Item json.RawMessage
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if ok && json.Unmarshal([]byte(data), &ev) == nil && ev.Type == "response.output_item.done" {
			items = append(items, string(ev.Item))
		}
	}
	return items, ""
}

const (
	user   = `{"type":"message","role":"user","content":"hello"}`
	output = `{"type":"function_call_output","call_id":"call_1_1_1","output":"package a"}`
)

const twoTurns = `
canary: hush-hush
-- turn1.expect --
Be brief.
hello
/^hel+o$/
!goodbye
{"input": [{"role": "user"}]}
-- turn1.reply --
call read_file {"path": "a.go"}
-- turn2.expect --
package a
!hello
-- turn2.reply --
message: It is empty.
`

func TestConversation(t *testing.T) {
	server, url := start(t, twoTurns, twoTurns)
	for range 2 {
		first, message := post(t, url, "k-1234", user)
		if message != "" {
			t.Fatal(message)
		}
		second, message := post(t, url, "k-1234", user, first[0], output)
		if message != "" {
			t.Fatal(message)
		}
		want := `{"content":[{"annotations":[],"logprobs":[],"text":"It is empty.","type":"output_text"}],"id":"msg_2_1_1","role":"assistant","status":"completed","type":"message"}`
		if diff := cmp.Diff([]string{want}, second); diff != "" {
			t.Error(diff)
		}
	}
	if err := server.Done(); err != nil {
		t.Error(err)
	}
	if n := len(server.Requests()); n != 4 {
		t.Errorf("%d requests, want 4", n)
	}
}

// TestChecks: each request breaks one rule, and is refused for it.
func TestChecks(t *testing.T) {
	const call = `{"arguments":"{\"path\": \"a.go\"}","call_id":"call_1_1_1","id":"fc_1_1_1","name":"read_file","status":"completed","type":"function_call"}`
	tests := []struct {
		name  string
		input []string
		want  string
	}{
		{"no output", []string{user, call}, `call "call_1_1_1" has no output`},
		{"two outputs", []string{user, call, output, output}, `function_call_output for call "call_1_1_1", which waits for ""`},
		{"wrong kind of output", []string{user, call, strings.Replace(output, "function", "custom_tool", 1)}, `waits for "function_call_output"`},
		{"output of no call", []string{user, call, output, strings.Replace(output, "call_1_1_1", "x", 1)}, `for call "x", which waits for ""`},
		{"call twice", []string{user, call, output, call}, `call id "call_1_1_1" is not unique`},
		{"changed question", []string{strings.Replace(user, "hello", "hallo", 1), call, output}, "input does not begin with the bytes of the request before"},
		{"changed spaces", []string{strings.Replace(user, ",", ", ", 1), call, output}, "input does not begin with the bytes of the request before"},
		{"changed item", []string{user, strings.Replace(call, "completed", "done", 1), output}, "item 0 of the last response did not come back byte for byte"},
		{"lost item", []string{user, `{"type":"reasoning"}`}, "item 0 of the last response did not come back byte for byte"},
		{"key", []string{user, call, strings.Replace(output, "package", "k-1234", 1)}, "the request's body contains the API key"},
		{"canary", []string{user, call, strings.Replace(output, "package", "hush-hush", 1)}, "the request's body contains canary 1"},
		{"text", []string{user, call, strings.Replace(output, "package", "goodbye", 1)}, "expected package a of what is new"},
		{"no type", []string{user, call, output, `{"role":"user"}`}, "input item 3 has no type"},
		{"begun again", []string{user}, "a new conversation begins after turn 1 of 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server, url := start(t, twoTurns)
			if _, message := post(t, url, "k-1234", user); message != "" {
				t.Fatal(message)
			}
			_, message := post(t, url, "k-1234", test.input...)
			if !strings.Contains(message, test.want) {
				t.Errorf("got %q, want %q", message, test.want)
			}
			if err := server.Done(); err == nil || len(server.Errs()) != 1 || !strings.Contains(err.Error(), "1 of 2 turns were asked for") {
				t.Errorf("Done is %v", err)
			}
		})
	}
}

func TestChecksOfTheBody(t *testing.T) {
	for body, want := range map[string]string{
		`{"stream":true,"input":[]}`:                           "store is not false",
		`{"store":true,"stream":true,"input":[]}`:              "store is not false",
		`{"store":false,"input":[]}`:                           "stream is not true",
		`{"store":false,"stream":true,"input":"hello"}`:        "input is not an array",
		`{"store":false,"stream":true,"input":[` + user + `]}`: "expected Be brief.",
		`nonsense`: "read request",
	} {
		server, url := start(t, twoTurns)
		_, message := postBody(t, url, "k", body)
		if !strings.Contains(message, want) || len(server.Errs()) != 1 {
			t.Errorf("%s gives %q, want %q", body, message, want)
		}
	}
}

func TestFaultThenReply(t *testing.T) {
	server, url := start(t, "-- turn1.fault --\ncut 4\n-- turn1.reply --\nmessage: a\nmessage: b\n")
	broken, _ := post(t, url, "k", user)
	whole, _ := post(t, url, "k", user)
	if len(broken) != 0 || len(whole) != 2 || !strings.Contains(whole[0], "msg_1_2_1") {
		t.Errorf("got %q and then %q", broken, whole)
	}
	if err := server.Done(); err != nil {
		t.Error(err)
	}
}

func TestAttemptsMustBeEqual(t *testing.T) {
	_, url := start(t, "-- turn1.fault --\ncut 4\n-- turn1.reply --\nmessage: a\n")
	post(t, url, "k", user)
	if _, message := post(t, url, "k", user, user); !strings.Contains(message, "input is not that of the attempt before") {
		t.Errorf("got %q", message)
	}
}

// TestPace: a client that leaves ends a slow answer.
func TestPace(t *testing.T) {
	server, url := start(t, "pause: 1h\ndelta: 1\n-- turn1.reply --\nmessage: slow\n")
	ctx, cancel := context.WithCancel(t.Context())
	body := `{"store":false,"stream":true,"input":[` + user + `]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/responses", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), `"delta":"s"`) {
	}
	cancel()
	for deadline := time.Now().Add(5 * time.Second); server.Aborted() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the answer never ended")
		}
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, err := script.Parse("test", []byte(twoTurns))
	if err != nil {
		t.Fatal(err)
	}
	server := script.New(s)
	url, err := server.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	server.Wait()
	if res, err := http.Get(url); err == nil {
		t.Error("it still answers", res.Body.Close())
	}
}

func TestParseErrors(t *testing.T) {
	for archive, want := range map[string]string{
		"":                                             `no turns; a turn is a section like "-- turn1.reply --"`,
		"delta: none\n":                                `delta: strconv.Atoi: parsing "none": invalid syntax`,
		"delta: 0\n":                                   "delta: 0 is less than 1",
		"pause: 1\n":                                   "pause: time: missing unit",
		"-- turn2.reply --\n":                          "section turn2.reply: turn 2 follows turn 0",
		"-- turn1.expect --\n":                         "turn 1 has neither reply nor fault",
		"-- turn1.answer --\n":                         `"answer" is none of expect, reply and fault`,
		"-- notes --\n":                                "its name is none of turnN.expect",
		"-- turn1.reply --\nhello\n":                   `line "hello" belongs to no block`,
		"-- turn1.reply --\nitem: {\n":                 "item {: unexpected end of JSON input",
		"-- turn1.reply --\ncall\n":                    `line "call" names no tool`,
		"-- turn1.reply --\nfinal: done\n":             `a response is not "done"`,
		"-- turn1.fault --\nexplode\n":                 `fault "explode": none of`,
		"-- turn1.fault --\ntimes 2\n":                 "it does not say what goes wrong",
		"-- turn1.fault --\ncut -1\n":                  "less than 1",
		"-- turn1.expect --\n{]\n-- turn1.reply --\n":  `expectation "{]"`,
		"-- turn1.expect --\n/(/\n-- turn1.reply --\n": "missing closing )",
	} {
		_, err := script.Parse("x.txtar", []byte(archive))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "script x.txtar: ") {
			t.Errorf("%q gives %v, want %q", archive, err, want)
		}
	}
}

func TestCheckFiles(t *testing.T) {
	fsys := fstest.MapFS{
		"run.txtar": {Data: []byte("-- turn1.reply --\nmessage: x\n-- files/a --\nold\n-- want/a --\nnew\n-- gone/b --\n")},
		"after/a":   {Data: []byte("new\n")},
		"before/a":  {Data: []byte("old\n")},
		"before/b":  {Data: []byte("there\n")},
	}
	s, err := script.Load(fsys, "run.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "old\n"}, s.Files); diff != "" {
		t.Error(diff)
	}
	reader := func(dir string) func(string) ([]byte, error) {
		return func(name string) ([]byte, error) { return fs.ReadFile(fsys, dir+"/"+name) }
	}
	if err := s.Check(reader("after")); err != nil {
		t.Error(err)
	}
	want := "a is\nold\n\nbut should be\nnew\n\nb should be gone"
	if err := s.Check(reader("before")); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := s.Check(reader("nowhere")); err == nil {
		t.Error("a missing file goes unnoticed")
	}
}

// FuzzParse: no script, however odd, makes the parser or the server panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(twoTurns))
	f.Add([]byte("-- turn1.fault --\nraw 2:\nx\n-- turn1.reply --\npatch:\n*** Begin Patch\n\\call x\nfinal: failed\n"))
	f.Add([]byte("-- turn1.fault --\nstatus 999999\nheader :\nbody:\n"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		s, err := script.Parse("fuzz", archive)
		if err != nil {
			return
		}
		if err := s.Check(func(string) ([]byte, error) { return nil, io.ErrUnexpectedEOF }); (err == nil) != (len(s.Want)+len(s.Gone) == 0) {
			t.Errorf("Check is %v", err)
		}
	})
}

// TestPeer: what another program asks for is the next turn, whatever it sends.
func TestPeer(t *testing.T) {
	s, err := script.Parse("peer", []byte("-- turn1.reply --\nmessage: one\n-- turn2.reply --\nmessage: two\n"))
	if err != nil {
		t.Fatal(err)
	}
	server := script.New(s)
	server.Peer = true
	base, err := server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		res, err := http.Post(base+"/responses", "application/json", strings.NewReader(`{"store": false, "stream": true, "input": [{"role": "user"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close() //nolint:errcheck // it was read
		if err != nil || !strings.Contains(string(body), `"text":"`+want+`"`) {
			t.Errorf("%v\n%s", err, body)
		}
	}
	if err := server.Done(); err != nil {
		t.Error(err)
	}
}
