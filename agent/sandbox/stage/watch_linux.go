package stage

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// watchInterval is how often the processes are counted. A process can double
// many times in it: the kernel's own limits stand behind.
const watchInterval = 50 * time.Millisecond

// watch ends the command when all processes together pass a limit that the
// kernel does not keep for us: memory without a control group, and the number
// of processes of root.
func (s *stage) watch() {
	limits := s.plan.Limits
	if limits.Memory <= 0 && limits.Processes <= 0 {
		return
	}
	for range time.Tick(watchInterval) {
		var memory int64
		threads := 0
		for _, p := range descendants() {
			memory += p.memory()
			threads += p.threads
		}
		switch {
		case limits.Memory > 0 && memory > limits.Memory:
			s.stop(LimitMemory)
		case limits.Processes > 0 && threads > limits.Processes:
			s.stop(LimitProcesses)
		}
	}
}

// stop kills everything for a limit; reap then reports it.
func (s *stage) stop(limit string) {
	select {
	case s.limit <- limit:
	default: // already said
	}
	killDescendants()
}

// A process is one that this stage, or what it started, has started.
type process struct {
	pid     int
	threads int
}

// memory returns the bytes of p that belong to no file. Pages shared since a
// fork count for each of their processes.
func (p process) memory() int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/statm")
	fields := bytes.Fields(b)
	if err != nil || len(fields) < 3 {
		return 0 // it ended
	}
	return (number(fields[1]) - number(fields[2])) * int64(os.Getpagesize())
}

func number(b []byte) int64 {
	n, _ := strconv.ParseInt(string(b), 10, 64) // the kernel writes numbers
	return n
}

// The fields of /proc/PID/stat behind the name, which may hold anything.
// (proc(5))
const (
	statParent  = 1
	statThreads = 17
)

// descendants returns the processes that began here, also those whose parents
// have gone: they were adopted.
func descendants() []process {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	children := make(map[int][]process, len(stats))
	for _, path := range stats {
		b, err := os.ReadFile(path)
		end := bytes.LastIndexByte(b, ')')
		if err != nil || end < 0 {
			continue // it ended
		}
		fields := bytes.Fields(b[end+1:])
		if len(fields) <= statThreads {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent := int(number(fields[statParent]))
		children[parent] = append(children[parent], process{pid, int(number(fields[statThreads]))})
	}
	found := append([]process(nil), children[os.Getpid()]...)
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i].pid]...)
	}
	return found
}

// killDescendants kills until there is nothing left to kill: what forks while
// we look is found the next time. Zombies are left to whoever waits.
func killDescendants() {
	for range 100 {
		left := 0
		for _, p := range descendants() {
			if p.threads > 0 && unix.Kill(p.pid, unix.SIGKILL) == nil && !isZombie(p.pid) {
				left++
			}
		}
		if left == 0 {
			return
		}
	}
}

func isZombie(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	end := bytes.LastIndexByte(b, ')')
	return err != nil || end < 0 || bytes.HasPrefix(b[end+1:], []byte(" Z"))
}
