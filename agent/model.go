package agent

import (
	"context"
	"encoding/json"
	"iter"
)

// A Model answers one request, as a stream. The sequence ends after one
// Completed, or with an error; a consumer that stops early ends the request.
type Model interface {
	Name() string
	Respond(ctx context.Context, req *Request) iter.Seq2[ModelEvent, error]
}

// A Request is everything the model gets to see.
//
// Invariant: Items only grow. Those of request n are a byte-exact prefix of
// those of request n+1, so that a provider's prompt cache always hits; until the
// conversation is made shorter.
type Request struct {
	Session      string // prompt cache key
	Effort       string // of reasoning, that the user wants (Options.Effort); "": they said nothing
	UsualEffort  string // for such a task; for models that are known to reason
	Instructions string
	Tools        []ToolSpec
	Items        []Item
}

// A ToolSpec describes a tool to the model. One with a Grammar is freeform
// where the server can do that: its input is then not JSON but the text of the
// one argument that Parameters names for the other servers.
type ToolSpec struct {
	Name        string
	Description string
	Parameters  json.RawMessage // JSON Schema of the arguments
	Grammar     string          // Lark; "" for a tool that is never freeform
}

// An Item is one entry of a conversation.
//
//sumtype:decl
type Item interface{ item() }

// UserMessage is text from the user, or about the workspace. Paths names the
// files whose content it carries, for the privacy gate.
type UserMessage struct {
	Text   string
	Paths  []string
	Images []Image `json:",omitempty"` // shown beside the text
}

// ModelItem is an item the model's server sent, kept and sent back byte for
// byte: a message, a tool call or encrypted reasoning.
type ModelItem struct{ Raw json.RawMessage }

// ToolOutput answers the tool call with the same CallID.
type ToolOutput struct {
	CallID   string
	Freeform bool // answers a call of a freeform tool
	Text     string
	Images   []Image  `json:",omitempty"` // shown beside the text
	Paths    []string // as of UserMessage
}

// An Image is a picture as its file has it.
type Image struct {
	Type string // of media: "image/png"
	Data []byte
}

func (UserMessage) item() {}
func (ModelItem) item()   {}
func (ToolOutput) item()  {}

// A ModelEvent is one thing the model's server sent.
//
//sumtype:decl
type ModelEvent interface{ modelEvent() }

// OutputDelta is a further piece of an answer, for show.
type OutputDelta struct{ Text string }

// SummaryDelta is a further piece of a reasoning summary, for show.
type SummaryDelta struct{ Text string }

// ItemDone is a finished item. Call is set for a tool call.
type ItemDone struct {
	Item ModelItem
	Text string // of a message
	Call *ToolCall

	// Compacts says that the item stands for all before it in the conversation:
	// the server made that shorter.
	Compacts bool
}

// A ToolCall is the model's wish to use a tool. Input is JSON, or free text
// for a freeform tool.
type ToolCall struct {
	ID       string
	Name     string
	Input    string
	Freeform bool
}

// Retrying says that a request failed, why, and that it is sent again. All
// events of the response so far are void.
type Retrying struct{ Reason string }

// Completed ends a response. One that is CutShort ended at the limit of what the
// model may write at a time: what came of it is not all that it meant.
type Completed struct {
	Usage    Usage
	CutShort bool
}

func (OutputDelta) modelEvent()  {}
func (SummaryDelta) modelEvent() {}
func (ItemDone) modelEvent()     {}
func (Retrying) modelEvent()     {}
func (Completed) modelEvent()    {}
