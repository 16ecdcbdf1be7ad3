//go:build lite

package lang

// others are none: a lite build is for who works on something else, and wants
// it linked in seconds.
func others() []*Language { return nil }
