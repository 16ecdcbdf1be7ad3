package index

import (
	"regexp"
	"strings"
)

// A task, and the message of a commit, says more than what it is about: who
// signed it, what it refers to, where it was discussed. Such words are in files
// by chance.

var (
	// A trailer as git writes them, of a key with hyphens: "Signed-off-by: …".
	// (git-interpret-trailers) Those of one word may as well begin a sentence; they
	// are trailers where a number, a hash or an address follows.
	trailer = regexp.MustCompile(`(?m)^(?:[A-Z][A-Za-z]*(?:-[A-Za-z]+)+|(?i:cc)): .*$|` +
		`^(?i:backport(?:ed)? (?:of|from)|bug|closes|fix(?:es|ed)?|link|refs?|references|resolves|see):? (?:#\d|[0-9a-f]{7,}\b|https?:).*$|` +
		`^\(cherry picked from .*$`)
	address = regexp.MustCompile(`\bhttps?://\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b`)

	// The number of an issue: "gh-1234", "bpo-1234", "CVE-2024-1234", "bug 1234".
	issueNumber = regexp.MustCompile(`\b[A-Za-z]+[- ]\d{3,}\b`)
)

// aboutCode returns message without its trailers and addresses. All of its first
// line counts.
func aboutCode(message string) string {
	first, rest, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return first + "\n" + address.ReplaceAllString(trailer.ReplaceAllString(rest, ""), "")
}
