// Command model plays scripts as a model, for the tests of the editors' plugins: it prints the base URL to configure a
// client with, serves the conversations in the order of its arguments, and when its stdin ends says what went wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/agentls/agentls/agent/script"
)

func main() {
	err := play(context.Background(), os.Args[1:], os.Stdin, os.Stdout) //nolint:forbidigo // a program of its own
	if err != nil {
		fmt.Fprintln(os.Stderr, "model:", err)
		os.Exit(1)
	}
}

// play serves the scripts in files until in ends. Its error names each check that failed and each script that was not
// played to its end.
func play(ctx context.Context, files []string, in io.Reader, out io.Writer) error {
	if len(files) == 0 {
		return errors.New("usage: model SCRIPT.txtar…")
	}
	var scripts []*script.Script
	for _, name := range files {
		s, err := script.Load(os.DirFS(filepath.Dir(name)), filepath.Base(name))
		if err != nil {
			return err
		}
		scripts = append(scripts, s)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := script.New(scripts...)
	url, err := server.Start(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, url); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("wait for the end of stdin: %w", err)
	}
	cancel()
	server.Wait()
	return server.Done()
}
