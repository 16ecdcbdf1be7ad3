package rpc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// What go.lsp.dev v1.0.1 offers and this package replaces: no order, a crash
// of the process, a deadlock, or unbounded memory.
var forbidden = map[string]string{
	"protocol.NewServer":       "runs edits out of order",
	"protocol.NewClient":       "runs messages out of order",
	"protocol.Handlers":        "runs edits out of order; DetachContext does nothing below it",
	"protocol.CancelHandler":   "dies of an id over 32 bits; derives from the wire's context",
	"protocol.LoggingStream":   "deadlocks after the first error response",
	"jsonrpc2.CancelHandler":   "derives from the wire's context",
	"jsonrpc2.AsyncHandler":    "runs edits out of order",
	"jsonrpc2.NewStream":       "allocates what a header claims",
	"jsonrpc2.NewHeaderStream": "allocates what a header claims",
	"conn.Close":               "deadlocks in a handler and on an input that is held open",
	"wire.Done":                "the wire's context is recycled with its request",
	"os.Exit":                  "main decides",
}

func TestForbiddenNames(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.SelectorExpr); ok {
				if why, bad := forbidden[lastName(call.X)+"."+call.Sel.Name]; bad {
					t.Errorf("%s: %s.%s %s", files.Position(n.Pos()), lastName(call.X), call.Sel.Name, why)
				}
			}
			return true
		})
	}
}

// The wire's context goes to DetachContext and Async, and nowhere else.
func TestWireContextStaysInHandle(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "dispatch.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	uses, allowed := 0, 0
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if n.Name == "wire" {
				uses++
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "DetachContext" || f.Sel.Name == "Async") {
				allowed++
			}
		}
		return true
	})
	if uses != 3 || allowed != 2 { // the parameter and its two uses
		t.Errorf("wire is named %d times, %d of them allowed", uses, allowed)
	}
}

// lastName is the name before the dot: pkg in pkg.F, field in x.field.F.
func lastName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}
