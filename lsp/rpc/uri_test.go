package rpc

import (
	"errors"
	"path"
	"strings"
	"testing"
	"unsafe"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// decode is how a URI arrives: respelled.
func decode(t *testing.T, s string) uri.URI {
	t.Helper()
	var id protocol.TextDocumentIdentifier
	if err := protocol.Unmarshal([]byte(`{"uri":"`+s+`"}`), &id); err != nil {
		t.Fatal(err)
	}
	return id.URI
}

func TestFilePath(t *testing.T) {
	const refused = ""
	for _, test := range []struct{ uri, posix, windows string }{
		{"file:///a/b.go", "/a/b.go", refused},
		{"file:///a/[id]/+@.ts", "/a/[id]/+@.ts", refused},
		{"file:///a/%5Bid%5D/%2B%40.ts", "/a/[id]/+@.ts", refused},
		{"file:///a/日 本.go", "/a/日 本.go", refused},
		{"file:///a/%E6%97%A5.go", "/a/日.go", refused},
		{"file:///a/b%23c%3Fd.go", "/a/b#c?d.go", refused},
		{"file:///a/./b/../c", "/a/c", refused},
		{"file:///a/%2e%2e/%2e%2e/c", "/c", refused},
		{"file:///a/", "/a", refused},
		{"file:/a", "/a", refused},
		{"file://localhost/a", "/a", refused},
		{"/a/b", "/a/b", refused},
		{"file:///C:/x/y.go", refused, `c:\x\y.go`},
		{"file:///c%3A/x/[id].ts", refused, `c:\x\[id].ts`},
		{"file:///C:/", refused, refused},
		{"file:///C:", refused, refused},
		{"file://host/share/x", refused, `\\host\share\x`},
		{"file:///c:/a%5C..%5Cb", refused, refused},
		{"file:///a%00b", refused, refused},
		{"file:///a#b.go", refused, refused},
		{"file:///a?b.go", refused, refused},
		{"", refused, refused}, // decodes to file:///
		{"file:///", refused, refused},
		{"file:///a/..", refused, refused},
		{"untitled:Untitled-1", refused, refused},
		{"git:/a/b.go", refused, refused},
		{"https://example.org/a", refused, refused},
	} {
		u := decode(t, test.uri)
		for platform, want := range map[uri.Platform]string{uri.PlatformPOSIX: test.posix, uri.PlatformWindows: test.windows} {
			got, err := filePath(u, platform)
			if got != want || (err == nil) != (want != refused) {
				t.Errorf("filePath(%q, platform %d) = %q, %v; want %q", u, platform, got, err, want)
			}
		}
	}
}

// What lsp decides on: a buffer without a file is no error of the client's.
func TestNotFile(t *testing.T) {
	for s, want := range map[uri.URI]bool{
		"untitled:Untitled-1": true, "git:/a": true, "": true, "file://elsewhere/a": true,
		"file:///": false, "file:///a%23?x": false,
	} {
		if _, err := filePath(s, uri.PlatformPOSIX); errors.Is(err, ErrNotFile) != want {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestFileURI(t *testing.T) {
	for _, test := range []struct {
		path     string
		platform uri.Platform
		want     uri.URI
	}{
		{"/a/[id]/+@.ts", uri.PlatformPOSIX, "file:///a/%5Bid%5D/%2B%40.ts"},
		{"/a/日.go", uri.PlatformPOSIX, "file:///a/%E6%97%A5.go"},
		{"/a//b/../#?%41", uri.PlatformPOSIX, "file:///a/%23%3F%2541"},
		{"/a:b", uri.PlatformPOSIX, "file:///a%3Ab"},
		{`C:\x\y.go`, uri.PlatformWindows, "file:///c%3A/x/y.go"},
		{`\\Host\share\x`, uri.PlatformWindows, "file://host/share/x"},
		{"a/b", uri.PlatformPOSIX, ""},
		{"", uri.PlatformPOSIX, ""},
		{"/", uri.PlatformPOSIX, ""},
		{"/C:/x", uri.PlatformPOSIX, ""},
		{"/a\xff", uri.PlatformPOSIX, ""},
		{"/a\x00", uri.PlatformPOSIX, ""},
		{`x\y`, uri.PlatformWindows, ""},
		{`\x`, uri.PlatformWindows, ""},
		{`C:\`, uri.PlatformWindows, ""},
		{`C:x`, uri.PlatformWindows, ""},
		{`\\host`, uri.PlatformWindows, ""},
		{`\\\\x`, uri.PlatformWindows, ""},
	} {
		got, err := fileURI(test.path, test.platform)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("fileURI(%q) = %q, %v; want %q", test.path, got, err, test.want)
		}
	}
}

// A path that lsp keeps must not keep the message that it came with.
func TestFilePathOwnsItsMemory(t *testing.T) {
	u := uri.URI("file:///a/b.go")
	got, err := filePath(u, uri.PlatformPOSIX)
	if err != nil {
		t.Fatal(err)
	}
	start, at := uintptr(unsafe.Pointer(unsafe.StringData(string(u)))), uintptr(unsafe.Pointer(unsafe.StringData(got)))
	if start <= at && at < start+uintptr(len(u)) {
		t.Error("the path lies in the uri")
	}
}

func FuzzURI(f *testing.F) {
	for _, seed := range []string{"/a/[id].ts", `C:\x`, "/a+@日", "", "untitled:a", "file:///%41%zz", "//", `\\h\s`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if u, err := uri.Parse(s); err == nil {
			if p, err := filePath(u, uri.PlatformPOSIX); err == nil && (p != path.Clean(p) || !strings.HasPrefix(p, "/")) {
				t.Errorf("%q names %q", u, p)
			}
			_, _ = filePath(u, uri.PlatformWindows)
		}
		_, _ = fileURI(s, uri.PlatformWindows)
		u, err := fileURI(s, uri.PlatformPOSIX)
		if err != nil {
			return
		}
		if back, err := filePath(u, uri.PlatformPOSIX); err != nil || back != path.Clean(s) {
			t.Errorf("%q comes back as %q, %v", s, back, err)
		}
	})
}
