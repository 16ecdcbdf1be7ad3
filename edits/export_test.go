package edits

// KeepEntries sets how many entries j keeps.
func KeepEntries(j *Journal, n int) { j.keep = n }
