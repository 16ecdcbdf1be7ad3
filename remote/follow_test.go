package remote

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzEvents: no stream makes the reader panic, run on for ever, or give an
// event without data.
func FuzzEvents(f *testing.F) {
	f.Add(": agentls\n\nid: 1\nevent: stage\ndata: {}\n\n")
	f.Add("data: a\r\ndata: b\r\n\r\n")
	f.Add("event\ndata\n\n\n\nid\n:\n")
	f.Fuzz(func(t *testing.T, stream string) {
		r := newEventReader(strings.NewReader(stream), func() {})
		for n := 0; ; n++ {
			_, _, err := r.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, errLongEvent) {
					t.Fatal(err)
				}
				return
			}
			if n > len(stream) {
				t.Fatal("more events than bytes")
			}
		}
	})
}

func TestEvents(t *testing.T) {
	r := newEventReader(strings.NewReader(": breath\n\nid: 1\nevent: text\ndata: {\"a\":\ndata: 1}\n\nretry: 5\r\ndata:x\r\n\r\nevent: lost\ndata: cut off\n"), func() {})
	var got [][2]string
	for {
		name, data, err := r.next()
		if err != nil {
			break
		}
		got = append(got, [2]string{name, data})
	}
	if diff := cmp.Diff([][2]string{{"text", "{\"a\":\n1}"}, {"", "x"}}, got); diff != "" {
		t.Error(diff)
	}
	long := newEventReader(strings.NewReader("data: "+strings.Repeat("x", 2*maxEvent)), func() {})
	if _, _, err := long.next(); !errors.Is(err, errLongEvent) {
		t.Errorf("the error is %v", err)
	}
}

// FuzzOverlay: what is accepted stays inside.
func FuzzOverlay(f *testing.F) {
	f.Add(`{"files":[{"path":"a/b.go","mode":493,"content":"eA=="},{"path":"../x"}]}`)
	f.Add(`{"files":[{"path":".git/config","gone":true}]}`)
	f.Fuzz(func(t *testing.T, raw string) {
		o, err := ParseOverlay([]byte(raw))
		if err != nil {
			return
		}
		for _, file := range o.Files {
			if strings.HasPrefix(file.Path, "/") || strings.Contains("/"+file.Path+"/", "/../") || strings.Contains(strings.ToLower("/"+file.Path+"/"), "/.git/") {
				t.Fatalf("%q", file.Path)
			}
		}
	})
}
