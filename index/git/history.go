package git

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Revision is a commit with what it changed.
type Revision struct {
	Hash    string // hexadecimal
	Parents []string
	Time    time.Time // of authorship
	Message string    // subject and body
	Changes []Change  // none of a merge
}

// A Change is one file that differs between two states. Paths are relative to
// the top folder, with slashes.
type Change struct {
	Path   string
	From   string // where the file was, unchanged, before it moved to Path; else ""
	Before string // the hash of the blob; "" where there was no file
	After  string // the same; "" where there is none
}

const revisionFormat = "--format=%H%x00%P%x00%at%x00%B%x00"

// Log returns the newest commits up to HEAD of the repository around dir, at
// most limit, newest first; none where there is no commit yet.
func Log(ctx context.Context, dir string, limit int) ([]Revision, error) {
	return LogSince(ctx, dir, nil, limit)
}

// LogSince is Log without the commits that known, which the repository has, lead
// to.
func LogSince(ctx context.Context, dir string, known []string, limit int) ([]Revision, error) {
	args := []string{
		"log", "-n", strconv.Itoa(limit), "-z", "--raw", "--no-abbrev", "--find-renames=100%",
		"--no-ext-diff", "--no-textconv", "--ignore-submodules=none", revisionFormat, "--stdin",
	}
	wanted := "HEAD\n"
	for _, hash := range known {
		wanted += "^" + hash + "\n"
	}
	out, err := run(ctx, dir, strings.NewReader(wanted), args...)
	if exited(err, 128) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseLog(split(out))
}

// parseLog reads what revisionFormat and --raw write, cut at the zeros.
func parseLog(fields []string) ([]Revision, error) {
	var revisions []Revision
	for len(fields) > 0 {
		head := strings.TrimLeft(fields[0], "\n")
		switch {
		case head == "":
			fields = fields[1:]
		case head[0] == ':' && len(revisions) > 0:
			change, rest, err := parseChange(fields)
			if err != nil {
				return nil, err
			}
			last := &revisions[len(revisions)-1]
			last.Changes, fields = append(last.Changes, change), rest
		case len(fields) < 4:
			return nil, fmt.Errorf("git log: %q is no commit", head)
		default:
			seconds, err := strconv.ParseInt(fields[2], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("git log: time of commit: %w", err)
			}
			revisions = append(revisions, Revision{Hash: head, Parents: strings.Fields(fields[1]), Time: time.Unix(seconds, 0), Message: fields[3]})
			fields = fields[4:]
		}
	}
	return revisions, nil
}

// parseChange reads one entry of --raw, and returns what stands behind it.
func parseChange(fields []string) (Change, []string, error) {
	// :100644 100644 <hash before> <hash after> M
	head := strings.Fields(strings.TrimLeft(fields[0], "\n"))
	if len(head) != 5 || len(fields) < 2 || head[4][0] == 'R' && len(fields) < 3 {
		return Change{}, nil, fmt.Errorf("git: %q is no change", fields[0])
	}
	change := Change{Path: fields[1], Before: blobHash(head[2]), After: blobHash(head[3])}
	if head[4][0] == 'R' {
		change.From, change.Path = fields[1], fields[2]
		return change, fields[3:], nil
	}
	return change, fields[2:], nil
}

// blobHash returns "" for the hash of nothing.
func blobHash(hash string) string {
	if strings.Trim(hash, "0") == "" {
		return ""
	}
	return hash
}

// Diff returns the files that differ between two commits or trees; submodules
// are none. Nothing is taken for a rename.
func Diff(ctx context.Context, dir, from, to string) ([]Change, error) {
	out, err := run(ctx, dir, nil, "diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=all", "--end-of-options", from, to)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for fields := split(out); len(fields) > 0; {
		var change Change
		if change, fields, err = parseChange(fields); err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// maxBatch bounds what one cat-file prints.
const maxBatch = 64 << 20 // bytes

// Blobs returns the contents of blobs by their hashes; those of more than limit
// bytes, and what is no blob, are left out.
func Blobs(ctx context.Context, dir string, hashes []string, limit int64) (map[string][]byte, error) {
	out, err := run(ctx, dir, strings.NewReader(strings.Join(hashes, "\n")+"\n"), "cat-file", "--batch-check")
	if err != nil {
		return nil, err
	}
	blobs := make(map[string][]byte, len(hashes))
	var batch []string
	total := int64(0)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := readBlobs(ctx, dir, batch, blobs)
		batch, total = batch[:0], 0
		return err
	}
	for line := range strings.Lines(string(out)) {
		hash, size, ok := parseBlobHead(line)
		if !ok || size > limit {
			continue
		}
		batch, total = append(batch, hash), total+size
		if total >= maxBatch {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	return blobs, flush()
}

// parseBlobHead reads "<hash> blob <size>".
func parseBlobHead(line string) (hash string, size int64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) != 3 || fields[1] != "blob" {
		return "", 0, false
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	return fields[0], size, err == nil
}

func readBlobs(ctx context.Context, dir string, hashes []string, blobs map[string][]byte) error {
	out, err := run(ctx, dir, strings.NewReader(strings.Join(hashes, "\n")+"\n"), "cat-file", "--batch")
	if err != nil {
		return err
	}
	for len(out) > 0 {
		head, rest, _ := bytes.Cut(out, []byte("\n"))
		hash, size, ok := parseBlobHead(string(head))
		if !ok || size >= int64(len(rest)) {
			return fmt.Errorf("git cat-file: %q is no blob", head)
		}
		blobs[hash], out = bytes.Clone(rest[:size]), rest[size+1:]
	}
	return nil
}
