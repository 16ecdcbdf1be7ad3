package nvimtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Notification is what the server sent by itself.
type Notification struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

// Message is a window/showMessage or window/showMessageRequest.
type Message struct {
	Type    int    `json:"type"` // LSP's MessageType: 1 error, 2 warning, 3 info, 4 log
	Message string `json:"message"`
}

// Progress is one $/progress.
type Progress struct {
	Token any `json:"token"` // string or float64
	Value struct {
		Kind       string   `json:"kind"` // begin, report, end
		Title      string   `json:"title"`
		Message    string   `json:"message"`
		Percentage *float64 `json:"percentage"`
	} `json:"value"`
}

// ResponseError is the error with which the server answered a request.
type ResponseError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func (e *ResponseError) Error() string { return fmt.Sprintf("%s (code %d)", e.Message, e.Code) }

type response struct {
	Number int             `json:"number"` // from 1
	Error  *ResponseError  `json:"error"`
	Result json.RawMessage `json:"result"`
}

type choice struct {
	Problem string `json:"problem"` // empty: it was made
}

// pollInterval is the pause between two looks of Eventually.
const pollInterval = 10 * time.Millisecond

// Request sends a request through Neovim's LSP client, after the changes it
// still holds back, and decodes the answer into result unless that is nil. It
// returns a *ResponseError if the server refuses, and cancels the request when
// ctx ends. A document must be open.
func (e *Editor) Request(ctx context.Context, method string, params, result any) error {
	answer, err := e.roundTrip(ctx, method, params)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", method, err)
	case answer.Error != nil:
		return fmt.Errorf("%s: %w", method, answer.Error)
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("%s: result: %w", method, err)
	}
	return nil
}

func (e *Editor) roundTrip(ctx context.Context, method string, params any) (response, error) {
	e.mu.Lock()
	e.requests++
	number := e.requests
	e.responses[number] = response{}
	e.mu.Unlock()
	defer e.update(func() { delete(e.responses, number) })

	var id int
	if err := e.call("request", &id, number, method, params); err != nil {
		return response{}, err
	}
	var answer response
	err := e.await(ctx, func() bool {
		answer = e.responses[number]
		return answer.Number == number
	})
	if err != nil && ctx.Err() != nil {
		err = errors.Join(err, e.call("cancel", nil, id))
	}
	return answer, err
}

// Command runs a command of the server by workspace/executeCommand, with args
// as its one argument unless args is nil. See Request for result and errors.
func (e *Editor) Command(ctx context.Context, name string, args, result any) error {
	params := map[string]any{"command": name}
	if args != nil {
		params["arguments"] = []any{args}
	}
	if err := e.Request(ctx, "workspace/executeCommand", params, result); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Notifications returns all agentls/event, window/showMessage,
// window/showMessageRequest and $/progress since Start, in order.
func (e *Editor) Notifications() []Notification {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.notifications)
}

// Events returns the params of all agentls/event since Start, in order.
func (e *Editor) Events() []json.RawMessage {
	var events []json.RawMessage
	for _, n := range e.Notifications() {
		if n.Method == "agentls/event" {
			events = append(events, n.Params)
		}
	}
	return events
}

// Messages returns all that the server showed the user since Start, in order.
func (e *Editor) Messages() ([]Message, error) {
	return decode[Message](e.Notifications(), "window/showMessage", "window/showMessageRequest")
}

// Progress returns all progress since Start, in order.
func (e *Editor) Progress() ([]Progress, error) {
	return decode[Progress](e.Notifications(), "$/progress")
}

// decode returns the params of the notifications of the given methods.
func decode[T any](notifications []Notification, methods ...string) ([]T, error) {
	var all []T
	for _, n := range notifications {
		if !slices.Contains(methods, n.Method) {
			continue
		}
		var params T
		if err := json.Unmarshal(n.Params, &params); err != nil {
			return nil, fmt.Errorf("%s: %w", n.Method, err)
		}
		all = append(all, params)
	}
	return all, nil
}

// WaitEvent returns the params of the first agentls/event since Start that
// matches, and waits for it until ctx ends.
func (e *Editor) WaitEvent(ctx context.Context, match func(params json.RawMessage) bool) (json.RawMessage, error) {
	n, err := e.WaitNotification(ctx, func(n Notification) bool {
		return n.Method == "agentls/event" && match(n.Params)
	})
	return n.Params, err
}

// WaitNotification returns the first of Notifications that matches, and waits
// for it until ctx ends. match may call the Editor.
func (e *Editor) WaitNotification(ctx context.Context, match func(Notification) bool) (Notification, error) {
	for seen := 0; ; {
		var fresh []Notification // never changes: notifications only grows
		err := e.await(ctx, func() bool {
			fresh = e.notifications[seen:]
			return len(fresh) > 0
		})
		if err != nil {
			return Notification{}, fmt.Errorf("wait for a notification, none of %d matched: %w", seen, err)
		}
		if i := slices.IndexFunc(fresh, match); i >= 0 {
			return fresh[i], nil
		}
		seen += len(fresh)
	}
}

// Eventually calls check until it returns true. It fails with check's error,
// or when ctx ends.
func (e *Editor) Eventually(ctx context.Context, check func() (bool, error)) error {
	pause := time.NewTicker(pollInterval)
	defer pause.Stop()
	for {
		if ok, err := check(); ok || err != nil {
			return err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return fmt.Errorf("what was waited for did not happen: %w", context.Cause(ctx))
		}
	}
}

// receive takes what editor.lua sends. The library calls it for one message at
// a time, in order.
func (e *Editor) receive(kind, payload string) {
	e.update(func() {
		if err := e.take(kind, []byte(payload)); err != nil {
			e.breakOff(fmt.Errorf("%s from Neovim: %w", kind, err))
		}
	})
}

func (e *Editor) take(kind string, payload []byte) error {
	switch kind {
	case "ready":
		e.ready = true
		return nil
	case "notification":
		var n Notification
		err := json.Unmarshal(payload, &n)
		e.notifications = append(e.notifications, n)
		return err
	case "response":
		var r response
		err := json.Unmarshal(payload, &r)
		if _, waiting := e.responses[r.Number]; waiting {
			e.responses[r.Number] = r
		}
		return err
	case "chosen":
		e.choice = new(choice)
		return json.Unmarshal(payload, e.choice)
	case "broken":
		var reason struct{ Problem string }
		err := json.Unmarshal(payload, &reason)
		e.breakOff(errors.New(reason.Problem))
		return err
	default:
		return errors.New("unknown kind")
	}
}

// breakOff records the first reason for which the server cannot be used. The
// caller holds mu.
func (e *Editor) breakOff(reason error) {
	if e.broken == nil {
		e.broken = reason
	}
}

// update changes the fields under mu and wakes all that wait for a change.
func (e *Editor) update(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
	close(e.changed)
	e.changed = make(chan struct{})
}

// await waits until done, called under mu, returns true. It fails when ctx
// ends, or with the reason why the server cannot be used.
func (e *Editor) await(ctx context.Context, done func() bool) error {
	for {
		e.mu.Lock()
		ok, broken, changed := done(), e.broken, e.changed
		e.mu.Unlock()
		switch {
		case ok:
			return nil
		case broken != nil:
			return broken
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
