package rpc

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"

	"go.lsp.dev/uri"
)

// ErrNotFile says that a URI names no file of this machine: another scheme
// such as untitled:, or another host.
var ErrNotFile = errors.New("not a file of this machine")

// hostPlatform decides what an absolute path looks like.
var hostPlatform = func() uri.Platform {
	if runtime.GOOS == "windows" {
		return uri.PlatformWindows
	}
	return uri.PlatformPOSIX
}()

// FilePath returns the absolute, clean path that u names, in memory of its own.
// Compare paths, never URIs: go.lsp.dev respells a URI when it decodes it
// ("[id]" becomes "%5Bid%5D", "C:" becomes "c%3A"). On Windows the drive
// letter is lower case.
//
// It returns an error wrapping [ErrNotFile] for another scheme or host. It
// refuses the empty URI and the root of the file system, which is what an empty
// URI decodes to; and a query or fragment, which is a "?" or "#" of a file name
// that the client did not escape.
func FilePath(u uri.URI) (string, error) {
	return filePath(u, hostPlatform)
}

// FileURI returns the URI of an absolute path. It returns an error for a
// relative path and for one that [FilePath] would not give back, such as one
// that is not UTF-8.
func FileURI(file string) (uri.URI, error) {
	return fileURI(file, hostPlatform)
}

func filePath(u uri.URI, platform uri.Platform) (string, error) {
	c := u.Components()
	switch {
	case u == "":
		return "", fmt.Errorf("%w: the uri is empty", ErrNotFile)
	case c.Scheme != "file":
		return "", fmt.Errorf("%w: %q", ErrNotFile, u)
	case c.Query != "" || c.Fragment != "":
		return "", fmt.Errorf("uri %q: escape \"?\" as %%3F and \"#\" as %%23", u)
	case strings.ContainsRune(c.Path, 0):
		return "", fmt.Errorf("uri %q: a path cannot contain a zero byte", u)
	}
	clean := path.Clean("/" + c.Path) // the sum lies in memory of its own
	if clean == "/" {
		return "", fmt.Errorf("uri %q: the root of the file system is neither a document nor a workspace", u)
	}
	if platform == uri.PlatformWindows {
		return windowsPath(u, c.Authority, clean)
	}
	return posixPath(u, c.Authority, clean)
}

func posixPath(u uri.URI, host, clean string) (string, error) {
	if host != "" && host != "localhost" {
		return "", fmt.Errorf("%w: %q is on host %q", ErrNotFile, u, host)
	}
	if hasDrive(clean) { // its letter's case is lost
		return "", fmt.Errorf("%w: %q has a drive letter", ErrNotFile, u)
	}
	return clean, nil
}

func windowsPath(u uri.URI, host, clean string) (string, error) {
	backslashed := strings.ReplaceAll(clean, "/", `\`)
	switch {
	case strings.Contains(clean, `\`):
		return "", fmt.Errorf("uri %q: escaped backslash", u)
	case host != "" && host != "localhost":
		return `\\` + host + backslashed, nil
	case !hasDrive(clean) || len(clean) == len("/c:"):
		return "", fmt.Errorf("%w: %q has no drive letter and path", ErrNotFile, u)
	}
	return strings.ToLower(clean[1:2]) + backslashed[2:], nil
}

// hasDrive reports whether a slashed path begins with a drive, as in "/c:/x".
func hasDrive(clean string) bool {
	if len(clean) < 3 || clean[2] != ':' || len(clean) > 3 && clean[3] != '/' {
		return false
	}
	letter := clean[1] | 0x20
	return 'a' <= letter && letter <= 'z'
}

func fileURI(file string, platform uri.Platform) (uri.URI, error) {
	host, slashed := "", file
	if platform == uri.PlatformWindows {
		host, slashed = windowsParts(file)
	}
	if !strings.HasPrefix(slashed, "/") {
		return "", fmt.Errorf("path %q is not absolute", file)
	}
	clean := path.Clean(slashed)
	u, err := uri.From(uri.Components{Scheme: "file", Authority: host, Path: clean})
	if err != nil {
		return "", fmt.Errorf("path %q as uri: %w", file, err)
	}
	if err := sameBack(u, host, clean, platform); err != nil {
		return "", err
	}
	return u, nil
}

// windowsParts splits C:\x into "" and /C:/x, and \\host\share\x into host and /share/x.
func windowsParts(file string) (host, slashed string) {
	slashed = strings.ReplaceAll(file, `\`, "/")
	if unc, ok := strings.CutPrefix(slashed, "//"); ok {
		host, rest, _ := strings.Cut(unc, "/")
		return host, "/" + rest
	}
	if hasDrive("/" + slashed) {
		return "", "/" + slashed
	}
	return "", slashed
}

// sameBack reports an error unless u names the path that it was made from.
func sameBack(u uri.URI, host, clean string, platform uri.Platform) error {
	back, err := filePath(u, platform)
	if err != nil {
		return err
	}
	want := clean
	if platform == uri.PlatformWindows {
		want, err = windowsPath(u, strings.ToLower(host), clean)
	}
	if err != nil || back != want {
		return fmt.Errorf("path %q cannot be written as a uri", clean)
	}
	return nil
}
