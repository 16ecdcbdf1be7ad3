package rpc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.lsp.dev/jsonrpc2"
)

const (
	maxHeader = 8 << 10  // bytes of one header block
	maxBody   = 32 << 20 // bytes of one message that is read
	maxClaim  = 1 << 30  // bytes of one message that is skipped; more is nonsense
	keptBody  = 1 << 20  // bytes of body buffer kept between messages
)

// stream is the jsonrpc2.Stream of a session. It bounds what a peer can make
// us allocate, answers a message that conn would die of, and holds the end of
// input back until everything in flight is answered.
//
// ReadFrame and WriteFrame are what jsonrpc2 asks for to hand on raw frames.
type stream struct {
	session *Session
	in      *bufio.Reader
	body    bytes.Buffer // the frame that conn works on
}

func newStream(r io.Reader, s *Session) *stream {
	return &stream{session: s, in: bufio.NewReaderSize(r, maxHeader)}
}

// ReadFrame returns the body of the next message that conn can digest, valid
// until the next call. It answers the others with a null id and goes on.
func (s *stream) ReadFrame(ctx context.Context) ([]byte, int64, error) {
	for {
		if ctx.Err() != nil {
			return nil, 0, s.session.endInput(context.Cause(ctx))
		}
		body, err := s.next()
		if err == nil {
			return body, int64(len(body)), nil
		}
		refusal, ok := errors.AsType[*jsonrpc2.Error](err)
		if !ok {
			return nil, 0, s.session.endInput(err)
		}
		s.refuse(refusal)
	}
}

func (s *stream) next() ([]byte, error) {
	length, err := s.header()
	if err != nil {
		return nil, err
	}
	if length > maxBody {
		return nil, s.skip(length)
	}
	if err := s.readBody(length); err != nil {
		return nil, err
	}
	return digestible(s.body.Bytes())
}

// refuse answers a message nobody can act on. An error in writing it ends the
// session by itself.
func (s *stream) refuse(err *jsonrpc2.Error) {
	s.session.log.Warn("message refused", "err", err)
	_ = s.session.out.push(frame(jsonrpc2.NewResponse(jsonrpc2.ID{}, nil, err)))
}

// header reads one header block and returns the length it announces, at most maxClaim.
func (s *stream) header() (length int64, err error) {
	length = -1
	for size := 0; ; {
		line, err := s.headerLine(size)
		if err != nil {
			return 0, err
		}
		size += len(line)
		field := strings.TrimRight(string(line), "\r\n")
		if field == "" {
			break
		}
		if length, err = contentLength(field, length); err != nil {
			return 0, err
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("%w: no Content-Length", jsonrpc2.ErrInvalidHeader)
	}
	return length, nil
}

// headerLine reads one line of a block of which size bytes were read.
func (s *stream) headerLine(size int) ([]byte, error) {
	line, err := s.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull), size+len(line) > maxHeader:
		return nil, fmt.Errorf("%w: over %d bytes", jsonrpc2.ErrInvalidHeader, maxHeader)
	case errors.Is(err, io.EOF) && size+len(line) > 0:
		return nil, fmt.Errorf("header: %w", io.ErrUnexpectedEOF)
	}
	return line, err
}

// contentLength returns what field announces, or length when it is another
// field. Two different lengths are nonsense: whoever trusts the wrong one
// reads bodies as headers.
func contentLength(field string, length int64) (int64, error) {
	name, value, ok := strings.Cut(field, ":")
	if !ok {
		return 0, fmt.Errorf("%w: %.40q has no colon", jsonrpc2.ErrInvalidHeader, field)
	}
	if !strings.EqualFold(strings.TrimSpace(name), "Content-Length") {
		return length, nil
	}
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 63)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: content length %.40q", jsonrpc2.ErrInvalidHeader, value)
	case n > maxClaim:
		return 0, fmt.Errorf("%w: content length %d is over %d", jsonrpc2.ErrInvalidHeader, n, maxClaim)
	case length >= 0 && length != int64(n):
		return 0, fmt.Errorf("%w: content length %d, then %d", jsonrpc2.ErrInvalidHeader, length, n)
	}
	return int64(n), nil
}

// skip discards a body that is too large and returns the error to answer.
func (s *stream) skip(length int64) error {
	if _, err := io.CopyN(io.Discard, s.in, length); err != nil {
		return fmt.Errorf("body: %w", unexpected(err))
	}
	return jsonrpc2.Errorf(jsonrpc2.InvalidRequest,
		"message of %d bytes ignored: the limit is %d bytes", length, maxBody)
}

// readBody reads length bytes into s.body. It allocates as they arrive, not as
// they are announced, and does not keep a large buffer for small messages.
func (s *stream) readBody(length int64) error {
	if s.body.Cap() > keptBody && length <= keptBody {
		s.body = bytes.Buffer{}
	}
	s.body.Reset()
	if _, err := io.CopyN(&s.body, s.in, length); err != nil {
		return fmt.Errorf("body: %w", unexpected(err))
	}
	return nil
}

// unexpected turns an end of input inside a message into what it is.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// digestible returns body when conn survives it, mended if need be, else the
// error to answer.
func digestible(body []byte) ([]byte, error) {
	if text := bytes.TrimLeft(body, " \t\r\n"); len(text) > 0 && text[0] == '[' {
		return nil, jsonrpc2.NewError(jsonrpc2.InvalidRequest,
			"LSP has no batches: send every message in a frame of its own")
	}
	_, err := jsonrpc2.ScanMessageView(body)
	if err == nil {
		return body, nil
	}
	if mended := mendAnswer(body); mended != nil {
		return mended, nil
	}
	return nil, err
}

// mendAnswer rewrites answers of clients in whose language a null member is
// left out, or that send both "result" and "error", one of them null. Without
// it our call would wait for ever. It returns nil when body is no such answer.
func mendAnswer(body []byte) []byte {
	var m struct {
		JSONRPC           string
		Method            *string
		ID, Result, Error json.RawMessage
	}
	if json.Unmarshal(body, &m) != nil || m.JSONRPC != "2.0" || m.Method != nil || len(m.ID) == 0 {
		return nil
	}
	member, value := "result", m.Result
	switch {
	case !isNull(m.Error) && !isNull(m.Result):
		return nil
	case !isNull(m.Error):
		member, value = "error", m.Error
	case isNull(m.Result):
		value = json.RawMessage("null")
	}
	mended := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,%q:%s}`, m.ID, member, value)
	if _, err := jsonrpc2.ScanMessageView(mended); err != nil {
		return nil
	}
	return mended
}

// isNull reports whether a member is absent or null.
func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null"
}

// Read is ReadFrame for a jsonrpc2.Conn that wants messages.
func (s *stream) Read(ctx context.Context) (jsonrpc2.Message, int64, error) {
	body, n, err := s.ReadFrame(ctx)
	if err != nil {
		return nil, 0, err
	}
	m, err := jsonrpc2.DecodeMessage(body)
	return m, n, err
}

// answerPrefix begins what jsonrpc2 writes for an answer; a call or a
// notification has its method there.
var answerPrefix = []byte(`{"jsonrpc":"2.0","id":`)

// Write queues m. Answers never wait, since the read loop gives some of them.
// Calls and notifications wait for room when their context allows it.
func (s *stream) Write(ctx context.Context, m jsonrpc2.Message) (int64, error) {
	b := frame(m)
	if bytes.HasPrefix(bodyOf(b), answerPrefix) {
		defer s.session.unanswered.remove()
	} else if mayWait(ctx) {
		if err := s.session.out.awaitRoom(ctx); err != nil {
			return 0, err
		}
	}
	return int64(len(b)), s.session.out.push(b)
}

// mayWait reports whether a write may wait under ctx: not on the read loop,
// and not when ctx cannot end ($/cancelRequest for a call that was given up).
func mayWait(ctx context.Context) bool {
	return ctx.Done() != nil && !onReadLoop(ctx)
}

// WriteFrame queues a body that is encoded already. jsonrpc2 uses it for
// batches, which are refused.
func (s *stream) WriteFrame(_ context.Context, body []byte) (int64, error) {
	b := fmt.Appendf(nil, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return int64(len(b)), s.session.out.push(b)
}

// Close does nothing: jsonrpc2 calls it with its lock held, and the session
// closes the byte stream itself when the answers are written.
func (*stream) Close() error { return nil }

// frame returns m with its header, in memory of its own.
func frame(m jsonrpc2.Message) []byte {
	const room = len("Content-Length: \r\n\r\n") + 20 // bytes; 20 digits hold any length
	b := jsonrpc2.AppendMessage(make([]byte, room, 256), m)
	header := fmt.Appendf(nil, "Content-Length: %d\r\n\r\n", len(b)-room)
	b = b[room-len(header):]
	copy(b, header)
	return b
}

// bodyOf returns the body of a frame made by frame.
func bodyOf(b []byte) []byte {
	_, body, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	return body
}
