package sandbox

import (
	"bytes"
	"errors"
	"io/fs"
)

// joinRenames returns the changes, with one Rename for a deleted file and a
// created one of the same content. Empty files are too alike for that.
func joinRenames(found []foundChange) ([]Change, error) {
	created := map[int64][]int{} // by size
	for i := range found {
		if c := &found[i].change; c.Op == Create && c.Size > 0 && c.Content != nil {
			created[c.Size] = append(created[c.Size], i)
		}
	}
	joined := map[int]bool{}
	for i := range found {
		c := &found[i].change
		if c.Op != Delete || c.Size == 0 || len(created[c.Size]) == 0 || c.Was&fs.ModeSymlink != 0 {
			continue
		}
		before, err := readRegular(found[i].entry.base.path)
		if errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, at := range created[c.Size] {
			if made := &found[at].change; !joined[at] && bytes.Equal(before, made.Content) {
				joined[at] = true
				c.Op, c.To, c.Content, c.Mode = Rename, made.Path, made.Content, made.Mode
				break
			}
		}
	}
	changes := make([]Change, 0, len(found))
	for i := range found {
		if !joined[i] {
			changes = append(changes, found[i].change)
		}
	}
	return changes, nil
}
