package secrets

import (
	"regexp"
	"strings"

	"github.com/agentls/agentls/edits/text"
)

// blocks finds secrets of several lines: private keys, and what Kubernetes
// calls a Secret. A text may show them in part, behind line numbers or the
// signs of a diff.
func blocks(s string) []Found {
	var found []Found
	for _, at := range keyBegins(s) {
		found = privateKey(s, at, found)
	}
	if strings.Contains(s, "Secret") && strings.Contains(s, "ata:") {
		found = kubernetes(s, found)
	}
	return found
}

var keyBegin = regexp.MustCompile(`-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----|Private-Lines: \d+`)

func keyBegins(s string) [][]int {
	if !strings.Contains(s, "PRIVATE KEY") && !strings.Contains(s, "Private-Lines: ") {
		return nil
	}
	return keyBegin.FindAllStringIndex(s, -1)
}

const (
	maxKey   = 64 << 10 // bytes
	maxOther = 4        // lines in a key that are none of its body, in a row
)

var (
	keyEnd  = regexp.MustCompile(`-----END|Private-MAC:`)
	keyBody = regexp.MustCompile(`[A-Za-z0-9+/=]{16,}`)
	keyLast = regexp.MustCompile(`^[\s\d:|]*?([A-Za-z0-9+/=]{2,})\s*$`)
)

// privateKey adds the body of the key whose head is at an offset.
func privateKey(s string, head []int, found []Found) []Found {
	sign := byte(0) // of a diff
	if start := strings.LastIndexByte(s[:head[0]], '\n') + 1; start < head[0] && (s[start] == '+' || s[start] == '-') {
		sign = s[start]
	}
	end := min(head[1]+maxKey, len(s))
	if i := keyEnd.FindStringIndex(s[head[1]:end]); i != nil {
		end = head[1] + i[0]
	}
	other := 0
	for at := head[1]; at < end && other < maxOther; {
		next := end
		if i := strings.IndexByte(s[at:end], '\n'); i >= 0 {
			next = at + i + 1
		}
		from := at
		if from > head[1] && from < next && s[from] == sign {
			from++
		}
		n := len(found)
		found = keyLine(s, text.Span{Start: from, End: next}, found)
		if other++; len(found) > n {
			other = 0
		}
		at = next
	}
	return found
}

func keyLine(s string, line text.Span, found []Found) []Found {
	part, n := s[line.Start:line.End], len(found)
	for _, run := range keyBody.FindAllStringIndex(part, -1) {
		if body := part[run[0]:run[1]]; isVaried(body) && !isRoute(body) {
			found = append(found, Found{"private-key", text.Span{Start: line.Start + run[0], End: line.Start + run[1]}})
		}
	}
	if m := keyLast.FindStringSubmatchIndex(part); m != nil && len(found) == n {
		found = append(found, Found{"private-key", text.Span{Start: line.Start + m[2], End: line.Start + m[3]}})
	}
	return found
}

var (
	kubeKind  = regexp.MustCompile(`(?m)\bkind:[ \t]*["']?Secret\b`)
	kubeData  = regexp.MustCompile(`\b(?:data|stringData):[ \t]*\r?\n?$`)
	kubeEntry = regexp.MustCompile(`^[\s\d|+>:-]*["']?[\w.-]+["']?:[ \t]*["']?([^\s"'{|>][^\s"']{3,})`)
	kubeOther = regexp.MustCompile(`\b(?:apiVersion|kind|metadata|type|immutable):`)
)

// kubernetes adds the values of the Secrets in s.
func kubernetes(s string, found []Found) []Found {
	at := 0
	for _, doc := range strings.SplitAfter(s, "\n---") {
		inData := false
		start := at
		at += len(doc)
		if !kubeKind.MatchString(doc) {
			continue
		}
		for line := range strings.Lines(doc) {
			switch m := kubeEntry.FindStringSubmatchIndex(line); {
			case kubeData.MatchString(line):
				inData = true
			case kubeOther.MatchString(line):
				inData = false
			case inData && m != nil && !isExample(line[m[2]:m[3]]) && !isPlaceholder(line[m[2]:m[3]]):
				found = append(found, Found{"kubernetes-secret", text.Span{Start: start + m[2], End: start + m[3]}})
			}
			start += len(line)
		}
	}
	return found
}
