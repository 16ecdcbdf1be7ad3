package openai_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/agentls/agentls/agent"
	"github.com/agentls/agentls/agent/openai"
)

// body answers every request with itself.
type body struct{ status, contentType, text string }

func (b body) RoundTrip(req *http.Request) (*http.Response, error) {
	code := http.StatusOK
	if b.status != "" {
		code = http.StatusBadRequest
	}
	return &http.Response{
		StatusCode: code, Request: req, Body: io.NopCloser(strings.NewReader(b.text)),
		Header: http.Header{"Content-Type": {b.contentType}, "Retry-After": {b.status}, "Date": {b.status}},
	}, nil
}

// FuzzRespond: whatever a server says, a response ends, in one Completed or in
// an error.
func FuzzRespond(f *testing.F) {
	const completed = "data: {\"type\":\"response.completed\",\"response\":{\"usage\":{}}}\n\n"
	f.Add("", "text/event-stream", completed)
	f.Add("", "text/event-stream", "data: {\"type\":\"response.output_item.done\",\"item\":{\"type\":\"function_call\",\"call_id\":\"c\",\"arguments\":[1]}}\n\n"+completed)
	f.Add("", "text/event-stream", "data: {\"type\":\"error\",\"code\":null,\"message\":7}\n\n")
	f.Add("", "text/event-stream", "data: {\"error\":null}\n\ndata: [DONE]\n\n")
	f.Add("", "application/json", "{\"error\":{\"message\":[]},\"detail\":{}}")
	f.Add("", "text/html", "<html>")
	f.Add("-1e400", "application/json", "{\"error\":\"no\"}")
	f.Add("Mon, 02 Jan 2006 15:04:05 GMT", "", "\xff\xfe")
	f.Fuzz(func(t *testing.T, status, contentType, text string) {
		model := openai.New(openai.Options{
			BaseURL: "http://model.test/v1", APIKey: key, Model: "m", MaxRetries: -1,
			HTTPClient: &http.Client{Transport: body{status, contentType, text}},
		})
		ends := 0
		for ev, err := range model.Respond(t.Context(), question) {
			if _, ok := ev.(agent.Completed); ok || err != nil {
				ends++
			}
			if err != nil && strings.Contains(err.Error(), key) {
				t.Errorf("%v gives the key away", err)
			}
		}
		if ends != 1 {
			t.Errorf("%d ends", ends)
		}
	})
}
