package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// A Transcript keeps what a run does, a line of JSON for each Record, so that
// the run can go on when its process has ended. What Write took survives the
// end of the process, what Sync returned for the end of power. An *os.File is
// one.
type Transcript interface {
	io.Writer
	Sync() error
}

// A RecordKind says what a Record tells.
type RecordKind string

// The kinds of records.
const (
	TaskGiven    RecordKind = "task"      // the first: Task, Model, and the Items a conversation begins with
	Resumed      RecordKind = "resumed"   // the run goes on after its end, or that of its process
	ResponseCame RecordKind = "response"  // Items, Texts, Calls and Usage of a turn, and the Cost up to it
	CallBegun    RecordKind = "call"      // Call begins, and changes more than the draft would tell
	PartEnded    RecordKind = "part"      // Usage of a part of the run, which it answers for
	CallAnswered RecordKind = "output"    // Items is its output, Files what it changed, Failed why it did not
	MessageGiven RecordKind = "message"   // Items are told to the model beside outputs; Said are the user's words
	PlanMoved    RecordKind = "plan"      // Plan is as it is now, and Accepted
	StepClosed   RecordKind = "step"      // Call is the text of a step of the plan that was completed
	Compacted    RecordKind = "compacted" // Items take the place of all before
	RoundBegun   RecordKind = "round"     // Items tell what the user decided, Files is all that their draft has
	RunEnded     RecordKind = "ended"     // State, Reason, Answer and Cost
)

// A Record is one entry of a transcript. Fields that a kind does not use are
// absent.
type Record struct {
	Kind   RecordKind   `json:"kind"`
	Format int          `json:"format,omitempty"` // of what follows, with TaskGiven and Resumed
	Time   time.Time    `json:"time,omitzero"`
	Task   *Task        `json:"task,omitempty"`
	Model  string       `json:"model,omitempty"`
	Items  Items        `json:"items,omitempty"`
	Texts  []string     `json:"texts,omitempty"`
	Calls  []*ToolCall  `json:"calls,omitempty"`
	Usage  *Usage       `json:"usage,omitempty"`
	Call   string       `json:"call,omitempty"` // ToolCall.ID
	Failed string       `json:"failed,omitempty"`
	Said   string       `json:"said,omitempty"`
	Files  []FileRecord `json:"files,omitempty"`
	Plan   *Plan        `json:"plan,omitempty"`
	Choice *Choice      `json:"choice,omitempty"` // that a message comes of

	Accepted bool `json:"accepted,omitempty"` // the Plan, by the user

	State  RunState `json:"state,omitempty"`
	Reason string   `json:"reason,omitempty"`
	Answer string   `json:"answer,omitempty"`
	Cost   *float64 `json:"cost,omitempty"` // of the run so far; absent where no price is known
}

// A FileRecord is a file as a draft has it since a call.
type FileRecord struct {
	Path string `json:"path"`
	Body
	Mode       fs.FileMode `json:"mode,omitempty"`
	Was        fs.FileMode `json:"was,omitempty"`
	Gone       bool        `json:"gone,omitempty"`
	From       string      `json:"from,omitempty"`
	Overwrites bool        `json:"overwrites,omitempty"`

	Base *FileBase `json:"base,omitempty"` // with the first record of a path
}

// A FileBase is what a draft began with at a path.
type FileBase struct {
	Body
	Gone bool `json:"gone,omitempty"` // no file was there
}

// A RunState says how far a run is.
type RunState string

// The states of a run.
const (
	Running RunState = "running"
	CutOff  RunState = "cut off" // its process ended before it did
	Paused  RunState = "paused"  // at a budget, or because nobody is there to answer
	Stopped RunState = "stopped" // by its user
	Failed  RunState = "failed"
	Done    RunState = "done"
)

// Items are those of a conversation, in order. As JSON each is an object with
// one key, and those of the model are kept byte for byte.
type Items []Item

type itemRecord struct {
	User   *UserMessage    `json:"user,omitempty"`
	Model  json.RawMessage `json:"model,omitempty"`
	Output *ToolOutput     `json:"output,omitempty"`
}

// MarshalJSON returns the items as an array.
func (s Items) MarshalJSON() ([]byte, error) {
	out := make([]itemRecord, len(s))
	for i, item := range s {
		switch it := item.(type) {
		case UserMessage:
			out[i].User = &it
		case ModelItem:
			out[i].Model = it.Raw
		case ToolOutput:
			out[i].Output = &it
		}
	}
	return marshalExact(out)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Items) UnmarshalJSON(raw []byte) error {
	var records []itemRecord
	if err := json.Unmarshal(raw, &records); err != nil {
		return err
	}
	*s = make(Items, len(records))
	for i, rec := range records {
		switch {
		case rec.User != nil:
			(*s)[i] = *rec.User
		case rec.Model != nil:
			(*s)[i] = ModelItem{Raw: rec.Model}
		case rec.Output != nil:
			(*s)[i] = *rec.Output
		default:
			return fmt.Errorf("item %d is of no known kind", i)
		}
	}
	return nil
}

// marshalExact is json.Marshal, but leaves < and > as they are: what a server
// sent is to go back as it came.
func marshalExact(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ErrNoTranscript is in the error of a transcript that says nothing: its first
// line is damaged, or not there.
var ErrNoTranscript = errors.New("no transcript of a run")

// transcriptFormat is the one that is written. In the first, which names none,
// each content was whole.
const transcriptFormat = 2

// ErrNewer is in the error of a transcript that a later agentls wrote.
var ErrNewer = errors.New("a newer agentls wrote the transcript")

// ReadTranscript returns the records of a transcript, and how many bytes of it
// they are. What is behind a line that cannot be read is lost: a process that
// is killed leaves half a line, and a machine that loses power more.
func ReadTranscript(r io.Reader) (records []Record, size int64, err error) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, fmt.Errorf("read transcript: %w", err)
		}
		var rec Record
		if err != nil || json.Unmarshal(line, &rec) != nil {
			break
		}
		if err := rec.readable(); err != nil {
			return nil, 0, err
		}
		records, size = append(records, rec), size+int64(len(line))
	}
	if len(records) == 0 || records[0].Kind != TaskGiven || records[0].Task == nil {
		return nil, 0, ErrNoTranscript
	}
	return records, size, nil
}

// readable returns ErrNewer for a format of the future.
func (rec *Record) readable() error {
	if rec.Format > transcriptFormat {
		return fmt.Errorf("%w, in its format %d, and this one reads up to %d: update agentls", ErrNewer, rec.Format, transcriptFormat)
	}
	return nil
}

// note writes rec to the transcript of the run, if it has one. A run is not
// ended by a disk that is full: it is said, and the run can no more be resumed.
func (r *run) note(rec *Record) {
	if r.transcript == nil {
		return
	}
	if r.agent.now != nil {
		rec.Time = r.agent.now().UTC()
	}
	line, err := marshalExact(rec)
	if err == nil {
		_, err = r.transcript.Write(line)
	}
	r.unkept(err)
}

// settle has what was noted survive a loss of power.
func (r *run) settle() {
	if r.transcript != nil {
		r.unkept(r.transcript.Sync())
	}
}

func (r *run) unkept(err error) {
	if err == nil {
		return
	}
	r.transcript = nil
	r.agent.log.Warn("transcript not kept", "id", r.task.ID, "err", err)
	r.sink(Waiting{Reason: "this run cannot be resumed, because its transcript cannot be kept: " + err.Error()})
}
