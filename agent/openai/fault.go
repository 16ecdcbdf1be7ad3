package openai

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/agentls/agentls/agent"
)

// A fault is why an attempt failed. Its text names the endpoint, what came
// back and what to do, and never the key.
type fault struct {
	reason string
	again  bool          // another attempt may help
	wait   time.Duration // that the server asked for
	cause  error
}

func (f *fault) Error() string { return f.reason }
func (f *fault) Unwrap() error { return f.cause }

// final makes a fault that no retry helps.
func (m *Model) final(cause error, format string, args ...any) *fault {
	return &fault{reason: printable(m.redact("POST " + m.endpoint + fmt.Sprintf(format, args...))), cause: cause}
}

// passing makes a fault that may be gone the next time.
func (m *Model) passing(cause error, format string, args ...any) *fault {
	f := m.final(cause, format, args...)
	f.again = true
	return f
}

// absent makes a fault of a server that cannot be reached: a wrong address, which
// no retry helps; or, where it has answered before, a network that was lost, or a
// server that is started again.
func (m *Model) absent(cause error, format string, args ...any) *fault {
	f := m.final(cause, format, args...)
	f.again = m.answered.Load()
	return f
}

// printable returns what a server said so that a terminal shows it and does
// nothing else.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Bidi_Control) && r != '\n' && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// redact removes the key: some servers quote it in their errors.
func (m *Model) redact(s string) string {
	if m.key == "" {
		return s
	}
	return strings.ReplaceAll(s, m.key, "[key]")
}

// retryAfter returns how long to wait before the retry with the given number,
// from 0, and whether to make it.
func (m *Model) retryAfter(err error, retry int) (time.Duration, bool) {
	var f *fault
	if !errors.As(err, &f) || !f.again || retry >= m.retries {
		return 0, false
	}
	if f.wait > 0 {
		return f.wait, true
	}
	return min(m.backoff<<min(retry, 16), maxBackoff), true
}

func (m *Model) broken(err error) *fault { return m.passing(err, ": %v", err) }

func (m *Model) malformed(err error) *fault {
	return m.passing(err, ": the server sent an event that cannot be read: %v", err)
}

func (m *Model) incomplete(reason string) *fault {
	if reason == "content_filter" {
		return m.final(nil, ": the provider's content filter ended the answer of %s", m.name)
	}
	return m.final(nil, ": the answer of %s is incomplete: %s", m.name, orUnknown(reason))
}

// reported is for errors that the server sends within a stream.
func (m *Model) reported(code, message string) *fault {
	text := message
	if code != "" && !strings.Contains(message, code) {
		text = strings.TrimSpace(code + " " + message)
	}
	f := m.final(tooLong(code), ": the server reports: %s%s", orUnknown(text), quotaHint(code))
	f.again = !permanent[code]
	return f
}

// permanent are the codes of errors that come again on every attempt.
var permanent = map[string]bool{
	"insufficient_quota": true, "billing_hard_limit_reached": true, "billing_not_active": true,
	"context_length_exceeded": true, "invalid_prompt": true, "invalid_request_error": true,
	"model_not_found": true, "invalid_api_key": true, "usage_not_included": true, "cyber_policy": true,
}

// tooLong returns agent.ErrTooLong for the code that means it, else nil.
func tooLong(code string) error {
	if code == "context_length_exceeded" {
		return agent.ErrTooLong
	}
	return nil
}

func quotaHint(code string) string {
	switch code {
	case "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "usage_not_included":
		return "; the account's quota is used up: waiting does not help, see the provider's billing page"
	case "context_length_exceeded":
		return "; the conversation is too long for this model: narrow the task"
	default:
		return ""
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "no reason given"
	}
	return s
}

// statusFault explains an answer that is an error by its status.
func (m *Model) statusFault(res *http.Response, body []byte) *fault {
	body = []byte(m.redact(string(body))) // before it is cut: a piece of a key is known no more
	message, code := errorText(body)
	if all := firstLine(string(body)); message == "" && len(all) > len("{}") {
		message = all // of a shape that nobody knows
	}
	if isHTML(res, body) {
		message = "an HTML page"
	}
	f := m.final(tooLong(code), " answered %d: %s%s", res.StatusCode, orUnknown(message), m.statusHint(res.StatusCode, code))
	f.again = worthRetrying(res, code)
	f.wait = serverWait(res.Header)
	if f.again && f.wait > maxRetryAfter {
		f.again = false
		f.reason += fmt.Sprintf("; the server asks to wait %s", f.wait.Round(time.Second))
	}
	return f
}

func (m *Model) statusHint(status int, code string) string {
	if hint := quotaHint(code); hint != "" {
		return hint
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		if m.key == "" {
			return "; no API key is configured: set OPENAI_API_KEY"
		}
		return "; check the API key (OPENAI_API_KEY) and that it belongs to this base URL"
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return fmt.Sprintf("; the server has no Responses API at this base URL (OPENAI_BASE_URL, it usually ends in /v1; "+
			"Ollama has one from 0.13.3, LM Studio from 0.3.29), or the model %q is not there (AGENTLS_MODEL; with Ollama run \"ollama pull %s\")", m.name, m.name)
	case http.StatusRequestEntityTooLarge:
		return "; the conversation is too long for this server: narrow the task"
	default:
		return ""
	}
}

// worthRetrying follows x-should-retry where the server sends it.
func worthRetrying(res *http.Response, code string) bool {
	if permanent[code] {
		return false
	}
	if should, err := strconv.ParseBool(res.Header.Get("X-Should-Retry")); err == nil {
		return should
	}
	switch res.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented:
		return false
	default:
		return res.StatusCode >= http.StatusInternalServerError
	}
}

// serverWait returns how long the server asks to wait, 0 if it does not say.
// A date counts from the server's own Date, so no clock is needed here.
func serverWait(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return seconds(ms / 1000)
	}
	after := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(after, 64); err == nil && s > 0 {
		return seconds(s)
	}
	until, err := http.ParseTime(after)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return max(0, until.Sub(now))
}

// seconds returns s as a duration, bounded so that it cannot overflow.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, 1e6) * float64(time.Second))
}

// errorText returns the message and code of an error in any of the shapes that
// servers use, "" for none.
func errorText(body []byte) (message, code string) {
	var shape struct {
		Error   json.RawMessage `json:"error"`
		Detail  json.RawMessage `json:"detail"` // FastAPI
		Message string          `json:"message"`
		Code    json.RawMessage `json:"code"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return firstLine(string(body)), ""
	}
	var object struct {
		Message string          `json:"message"`
		Code    json.RawMessage `json:"code"` // a string, a number or null
		Type    string          `json:"type"`
	}
	if json.Unmarshal(shape.Error, &object) == nil && object.Message != "" {
		code := plain(object.Code)
		if code == "" || object.Type == "insufficient_quota" {
			code = object.Type
		}
		return object.Message, code
	}
	for _, raw := range []json.RawMessage{shape.Error, shape.Detail} {
		if text := plain(raw); text != "" {
			return firstLine(text), plain(shape.Code)
		}
	}
	return firstLine(shape.Message), plain(shape.Code)
}

// plain returns a JSON string without its quotes, other JSON as it is, and ""
// for null.
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func firstLine(s string) string {
	const longest = 300 // bytes
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if len(line) > longest {
		line = strings.ToValidUTF8(line[:longest], "") + "…"
	}
	return line
}

// transportFault explains an error below HTTP.
func (m *Model) transportFault(err error) error {
	var known *fault
	var dns *net.DNSError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errStalled):
		return m.passing(err, ": no byte from the server for %s", m.idle)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err // Respond gives the cause
	case errors.Is(err, syscall.ECONNREFUSED):
		return m.absent(err, ": connection refused; no server listens there: start it, or set another base URL (OPENAI_BASE_URL)")
	case errors.As(err, &dns) && dns.IsNotFound:
		return m.absent(err, ": no such host %q; check the base URL (OPENAI_BASE_URL) and the network", dns.Name)
	case errors.Is(err, bufio.ErrTooLong):
		return m.final(err, ": the server sent an event of more than 32 MiB")
	case isJSONError(err):
		return m.malformed(err)
	default:
		return m.passing(err, ": the connection broke: %v", withoutURL(err))
	}
}

func isJSONError(err error) bool {
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &typed)
}

// withoutURL unwraps a url.Error, whose URL the message has already.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
