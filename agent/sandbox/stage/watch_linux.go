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
	state   byte // as in /proc/PID/stat
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
	statState   = 0
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
		children[parent] = append(children[parent], process{pid, fields[statState][0], int(number(fields[statThreads]))})
	}
	found := append([]process(nil), children[os.Getpid()]...)
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i].pid]...)
	}
	return found
}

// threadsOf returns how many threads a user has.
func threadsOf(uid int) int {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	threads := 0
	for _, dir := range dirs {
		var st unix.Stat_t
		if unix.Stat(dir, &st) == nil && int(st.Uid) == uid {
			tasks, _ := os.ReadDir(dir + "/task")
			threads += len(tasks)
		}
	}
	return threads
}

// killDescendants kills all that began here, and returns when two looks in turn
// found nothing alive. What is seen is stopped before anything is killed: it can
// start no more, so that there is an end to what must be looked for. Zombies are
// left to whoever waits.
func killDescendants() {
	for clean := 0; clean < 2; {
		clean++
		for stopped := map[int]bool{}; ; {
			fresh := 0
			for _, p := range descendants() {
				if p.isDead() || stopped[p.pid] {
					continue
				}
				stopped[p.pid] = true
				if unix.Kill(p.pid, unix.SIGSTOP) == nil {
					fresh++
				}
			}
			if fresh == 0 {
				break
			}
			clean = 0
		}
		for _, p := range descendants() {
			_ = unix.Kill(p.pid, unix.SIGKILL) // it may have ended
		}
	}
}

// isDead reports whether p only waits for somebody to ask how it ended.
func (p process) isDead() bool { return p.state == 'Z' || p.state == 'X' }
