// Package demo walks the whole way on a real project in a real editor: index,
// ask, change, preview, apply, undo, and a change from a task service. It checks every step, so that what it
// shows is true.
package demo

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Options say where and with what the demo runs.
type Options struct {
	Server  []string // argv of the language server
	Service []string // argv of the task service: "… remote serve"
	Nvim    string   // path of Neovim; "" finds one
	Keep    bool     // leave the scratch folder
	Out     io.Writer
}

// A step is one thing that the demo shows. Run returns what it saw, for
// people, or what differed.
type step struct {
	name string
	run  func(*stage, context.Context) (saw string, err error)
}

// steps is the way, in order.
func steps() []step {
	return []step{
		{"copy a real project and index it", (*stage).index},
		{"ask about a function: the index answers", (*stage).askIndex},
		{"open it again: the index comes from the cache", (*stage).reopen},
		{"ask the model, streamed", (*stage).askModel},
		{"have it changed: a patch fails, one fits; built, tested and checked in the sandbox", (*stage).change},
		{"type in a changed file meanwhile", (*stage).typeMeanwhile},
		{"preview: hunks in the editor, one is rejected", (*stage).preview},
		{"apply to the open document and to the disk", (*stage).apply},
		{"verify every file, and run the project's tests", (*stage).verify},
		{"undo: all of it back, the typing kept", (*stage).undo},
		{"redo: all of it again, the typing kept", (*stage).redo},
		{"a conflict: shown, and nothing lost", (*stage).conflict},
		{"hand a change to a task service, kill -9 that in the middle, start it again", (*stage).offload},
		{"apply what came back, and undo it", (*stage).bringHome},
		{"nothing else in the project was touched", (*stage).untouched},
	}
}

// Run walks all steps and prints a line for each. It stops at the first that
// deviates, with an error that says what differed.
func Run(ctx context.Context, opts Options) error {
	st, err := newStage(opts)
	if err != nil {
		return err
	}
	defer st.close()
	began := time.Now()
	all := steps()
	for i, s := range all {
		started := time.Now()
		limited, cancel := context.WithTimeout(ctx, 45*time.Second)
		saw, err := s.run(st, limited)
		cancel()
		if err != nil {
			fmt.Fprintf(opts.Out, "%2d  FAIL  %s\n", i+1, s.name)
			return fmt.Errorf("demo step %d, %s: %w%s", i+1, s.name, err, st.witnesses())
		}
		fmt.Fprintf(opts.Out, "%2d  ok %6d ms  %s\n                 %s\n", i+1, time.Since(started).Milliseconds(), s.name, saw)
	}
	fmt.Fprintf(opts.Out, "demo: %d steps passed in %.1f s (%s, %s)\n", len(all), time.Since(began).Seconds(), st.project, st.editorName)
	if opts.Keep {
		fmt.Fprintln(opts.Out, "kept:", st.dir)
	}
	return nil
}
