package openai_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
	"github.com/agentls/agentls/agent/script"
)

// TestPassingFaults: each is over after the first attempt.
func TestPassingFaults(t *testing.T) {
	tests := []struct{ name, fault, reason string }{
		{"early end", "cut 3", ": the stream ended before the response did; trying again in 1ms"},
		{"done marker", "done 4", ": the stream ended before the response did"},
		{"reset", "reset 3", ": the connection broke: "},
		{"malformed", "raw 3:\ndata: {\"type\": \"response.output_text.delta\",\n\n", ": the server sent an event that cannot be read: "},
		{"call without id", "raw 3:\ndata: {\"type\": \"response.output_item.done\",\"item\":{\"type\":\"function_call\",\"name\":\"x\",\"arguments\":\"{}\"}}\n\n", "a tool call without call_id"},
		{"error event", "raw 3:\ndata: {\"type\": \"error\",\"code\":\"server_error\",\"message\":\"overloaded\",\"param\":null}\n\n", ": the server reports: server_error overloaded"},
		{"error key", "raw 3:\ndata: {\"error\":{\"message\":\"engine died\"}}\n\n", ": the server reports: engine died"},
		{"null error key", "raw 3:\ndata: {\"type\":\"response.created\",\"error\":null}\n\n", "an empty error in response.created"},
		{"failed", "raw 2:\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"slow down\"}}}\n\n", ": the server reports: rate_limit_exceeded slow down"},
		{"plain JSON", "header Content-Type: application/json\nbody:\n{\"id\": \"resp_1\", \"error\": null, \"output\": []}\n", " answered with a JSON document"},
		{"busy", "status 429\nheader Retry-After-Ms: 2\nbody:\n{\"error\": {\"message\": \"slow down\", \"code\": \"rate_limit_exceeded\"}}", " answered 429: slow down; trying again in 2ms"},
		{"busy until", "status 503\nheader Date: Mon, 02 Jan 2006 15:04:05 GMT\nheader Retry-After: Mon, 02 Jan 2006 15:04:05 GMT\nbody:\nupstream gone", " answered 503: upstream gone; trying again in 1ms"},
		{"conflict", "status 400\nheader X-Should-Retry: true\nbody:\nodd", " answered 400: odd"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server, url := serve(t, plainReply+"-- turn1.fault --\n"+test.fault)
			got, err := respond(t.Context(), options(url), question)
			if err != nil {
				t.Fatal(err)
			}
			at := len(got) - len(answered)
			if diff := cmp.Diff(answered, got[at:]); diff != "" {
				t.Error(diff)
			}
			if !strings.HasPrefix(got[at-1], "retrying POST "+url+"/responses") || !strings.Contains(got[at-1], test.reason) {
				t.Errorf("got %q, want it to name the endpoint and %q", got[at-1], test.reason)
			}
			if err := server.Done(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFinalFaults: no second request, and an error that says what to do.
func TestFinalFaults(t *testing.T) {
	tests := []struct{ name, fault, want string }{
		{"text error", "status 404\nheader Content-Type: application/json\nbody:\n{\"error\": \"model 'test-model' not found\"}", ` answered 404: model 'test-model' not found; the server has no Responses API at this base URL (OPENAI_BASE_URL, it usually ends in /v1; Ollama has one from 0.13.3, LM Studio from 0.3.29), or the model "test-model" is not there (AGENTLS_MODEL; with Ollama run "ollama pull test-model")`},
		{"not found page", "status 404\nbody:\n404 page not found\n", " answered 404: 404 page not found; the server has no Responses API"},
		{"quota", "status 429\nbody:\n{\"error\": {\"message\": \"You exceeded your current quota\", \"type\": \"insufficient_quota\", \"code\": \"insufficient_quota\"}}", " answered 429: You exceeded your current quota; the account's quota is used up: waiting does not help, see the provider's billing page"},
		{"long wait", "status 429\nheader Retry-After: 600\nbody:\n{\"detail\": \"later\"}", " answered 429: later; the server asks to wait 10m0s"},
		{"endless wait", "status 429\nheader Retry-After: 1e300\nbody:\n{}", " answered 429: no reason given; the server asks to wait 277h46m40s"},
		{"far date", "status 503\nheader Date: Mon, 02 Jan 2006 15:00:00 GMT\nheader Retry-After: Mon, 02 Jan 2006 15:30:00 GMT\nbody:\n", " answered 503: no reason given; the server asks to wait 30m0s"},
		{"key", "status 401\nbody:\n{\"error\": {\"message\": \"no such key " + key + "\", \"code\": \"invalid_api_key\"}}", " answered 401: no such key [key]; check the API key (OPENAI_API_KEY) and that it belongs to this base URL"},
		{"key at a cut", "status 400\nbody:\n" + strings.Repeat("x", 295) + key, " answered 400: " + strings.Repeat("x", 295) + "[key]"},
		{"what a terminal obeys", "status 400\nbody:\nno\x1b[2J\u202e \xff", " answered 400: no\uFFFD[2J\uFFFD \uFFFD"},
		{"login page", "html", " answered with an HTML page, not an event stream; check the base URL (OPENAI_BASE_URL)"},
		{"gateway page", "status 400\nheader Content-Type: text/html\nbody:\n<html>no</html>", " answered 400: an HTML page"},
		{"error in a stream", "raw 2:\ndata: {\"type\":\"error\",\"code\":\"context_length_exceeded\",\"message\":\"too long\"}\n\n", ": the server reports: context_length_exceeded too long; the conversation is too long for this model: narrow the task"},
		{"error with status 200", "header Content-Type: application/json\nbody:\n{\"error\": {\"message\": \"no quota\", \"type\": \"insufficient_quota\"}}", ": the server reports: insufficient_quota no quota"},
		{"incomplete", "raw 2:\ndata: {\"type\":\"response.incomplete\",\"response\":{\"incomplete_details\":{\"reason\":\"tired\"}}}\n\n", ": the answer of test-model is incomplete: tired"},
		{"of another shape", "status 400\nheader Content-Type: application/json\nbody:\n{\"errors\": [\"no such tool\"]}\n", ` answered 400: {"errors": ["no such tool"]}`},
		{"redirected", "status 307\nheader Location: https://user:pass@example.com/v1/responses\nbody:\n", " is redirected to https://user:xxxxx@example.com/v1/responses; set the base URL that is meant (OPENAI_BASE_URL)"},
		{"redirected to a page", "status 302\nheader Location: /login\nbody:\n", " is redirected to http://127.0.0.1:"},
		{"filtered", "raw 2:\ndata: {\"type\":\"response.incomplete\",\"response\":{\"incomplete_details\":{\"reason\":\"content_filter\"}}}\n\n", ": the provider's content filter ended the answer of test-model"},
		{"not there", "status 501\nbody:\n", " answered 501: no reason given; the server has no Responses API"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server, url := serve(t, "-- turn1.fault --\n"+test.fault)
			var logged bytes.Buffer
			opts := options(url)
			opts.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := respond(t.Context(), opts, question)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), "POST "+url+"/responses"+test.want) {
				t.Errorf("error is\n%v\nwant\nPOST %s/responses%s", err, url, test.want)
			}
			if n := len(server.Requests()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if strings.Contains(err.Error()+logged.String(), key) {
				t.Error("the key was given away")
			}
		})
	}
}

// TestTolerated: none of it disturbs a stream.
func TestTolerated(t *testing.T) {
	for name, raw := range map[string]string{
		"unknown event": "event: response.sparkle\ndata: {\"type\":\"response.sparkle\",\"x\":1}\n\n",
		"crlf":          "event: response.output_text.delta\r\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"\"}\r\n\r\n",
		"comment":       ": keep-alive\n\n",
		"several lines": "data: {\"type\":\ndata: \"response.queued\"}\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, url := serve(t, plainReply+"-- turn1.fault --\ninject 2:\n"+raw)
			got, err := respond(t.Context(), options(url), question)
			want := []string{"text Hello, world.", "item Hello, world.", "completed after 1"}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Error(err, diff)
			}
		})
	}
}

// TestSomewhereElse: a redirection within the server is followed, and a stream
// that is called JSON is one.
func TestSomewhereElse(t *testing.T) {
	for name, fault := range map[string]string{
		"redirected": "status 307\nheader Location: /v1/again/responses\nbody:\n",
		"mistyped": "header Content-Type: application/json\nbody:\n" +
			`data: {"type":"response.output_text.delta","delta":"Hello, world."}` + "\n\n" +
			`data: {"type":"response.output_item.done","item":{"type":"message","content":[{"type":"output_text","text":"Hello, world."}]}}` + "\n\n" +
			`data: {"type":"response.completed","response":{}}` + "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, url := serve(t, plainReply+"-- turn1.fault --\n"+fault)
			got, err := respond(t.Context(), options(url), question)
			want := []string{"text Hello, world.", "item Hello, world.", "completed after 1"}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Error(err, diff)
			}
		})
	}
}

func TestSummaryParts(t *testing.T) {
	_, url := serve(t, `
-- turn1.fault --
inject 2:
data: {"type":"response.reasoning_summary_part.added","summary_index":0}

data: {"type":"response.reasoning_summary_text.delta","delta":"One."}

data: {"type":"response.reasoning_summary_part.added","summary_index":1}

data: {"type":"response.reasoning_summary_text.delta","delta":"Two."}

-- turn1.reply --
`)
	got, err := respond(t.Context(), options(url), question)
	if diff := cmp.Diff([]string{"summary One.\n\nTwo.", "completed after 1"}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// TestNullErrorInLastEvent: the library takes it for an error; it is none.
func TestNullErrorInLastEvent(t *testing.T) {
	_, url := serve(t, "-- turn1.fault --\nraw 2:\ndata: {\"type\":\"response.completed\",\"error\":null,\"response\":{\"usage\":{\"input_tokens\":7}}}\n\n")
	got, err := respond(t.Context(), options(url), question)
	if diff := cmp.Diff([]string{"completed after 1"}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestRetriesEnd(t *testing.T) {
	server, url := serve(t, "-- turn1.fault --\ncut 2\ntimes 3\n")
	got, err := respond(t.Context(), options(url), question)
	if err == nil || !strings.HasSuffix(err.Error(), ": the stream ended before the response did") {
		t.Errorf("error is %v", err)
	}
	if len(got) != 2 || len(server.Requests()) != 3 {
		t.Errorf("got %q in %d requests, want two retries", got, len(server.Requests()))
	}
}

func TestStall(t *testing.T) {
	server, url := serve(t, plainReply+"-- turn1.fault --\nstall 3\n")
	opts := options(url)
	opts.IdleTimeout = 50 * time.Millisecond
	got, err := respond(t.Context(), opts, question)
	if err != nil {
		t.Fatal(err)
	}
	want := append([]string{"retrying POST " + url + "/responses: no byte from the server for 50ms; trying again in 1ms"}, answered...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	eventually(t, func() bool { return server.Aborted() == 1 })
}

func TestNothingListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://user:secret@" + listener.Addr().String() + "/v1"
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = respond(t.Context(), options(url), question)
	want := "POST http://user:xxxxx@" + listener.Addr().String() + "/v1/responses: connection refused; no server listens there: start it, or set another base URL (OPENAI_BASE_URL)"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}

// TestLost: a server that has answered and is not there any more is waited for.
func TestLost(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	one, err := script.Parse(t.Name(), []byte(plainReply))
	if err != nil {
		t.Fatal(err)
	}
	server := script.New(one)
	url, err := server.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	model := openai.New(options(url))
	waits := func() (n int, last error) {
		for ev, err := range model.Respond(t.Context(), question) {
			if _, waits := ev.(agent.Retrying); waits {
				n++
			}
			last = err
		}
		return n, last
	}
	if n, err := waits(); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	stop()
	server.Wait()
	if n, err := waits(); n != 2 || err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("it waits %d times: %v", n, err)
	}
}

func TestNoKey(t *testing.T) {
	server, url := serve(t, "-- turn1.fault --\nstatus 401\nbody:\nwho are you\n")
	opts := options(url)
	opts.APIKey = ""
	_, err := respond(t.Context(), opts, question)
	want := "POST " + url + "/responses answered 401: who are you; no API key is configured: set OPENAI_API_KEY"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if n := len(server.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestBadBaseURL(t *testing.T) {
	for _, url := range []string{"localhost:11434", "ftp://x/v1", "http://", "http://user:secret@[::1/v1"} {
		_, err := respond(t.Context(), options(url), question)
		if err == nil || !strings.Contains(err.Error(), "is no http or https URL; it looks like") || strings.Contains(err.Error(), "secret") {
			t.Errorf("base URL %q gives %v", url, err)
		}
	}
}

func TestCancel(t *testing.T) {
	server, url := serve(t, plainReply+"-- turn1.fault --\nstall 5\n")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	why := errors.New("the user went away")
	var last error
	for ev, err := range openai.New(options(url)).Respond(ctx, question) {
		last = err
		if _, ok := ev.(agent.OutputDelta); ok {
			cancel(why)
		}
	}
	if !errors.Is(last, why) {
		t.Errorf("error is %v, want %v", last, why)
	}
	eventually(t, func() bool { return server.Aborted() == 1 })
	if n := len(server.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	_, url := serve(t, "-- turn1.fault --\nstatus 429\nheader Retry-After: 60\nbody:\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for ev, err := range openai.New(options(url)).Respond(ctx, question) {
		last = err
		if _, ok := ev.(agent.Retrying); ok {
			cancel()
		}
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("error is %v", last)
	}
}

func TestConsumerStops(t *testing.T) {
	server, url := serve(t, plainReply+"-- turn1.fault --\nstall 5\n")
	for _, err := range openai.New(options(url)).Respond(t.Context(), question) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	eventually(t, func() bool { return server.Aborted() == 1 })
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("it never came about")
}
