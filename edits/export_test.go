package edits

// Fault lets f come before whatever this package does to the disk, until it is
// put off.
func Fault(f func(op, path string) error) (off func()) {
	before := fault
	fault = f
	return func() { fault = before }
}
