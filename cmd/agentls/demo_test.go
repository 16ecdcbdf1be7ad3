package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/agentls/agentls/cmd/agentls/demo"
	"github.com/agentls/agentls/editors/nvimtest"
)

// TestDemo walks the whole way in every Neovim there is, 0.7.2 and 0.10.4.
func TestDemo(t *testing.T) {
	found, err := nvimtest.Find()
	if err != nil {
		t.Fatal(err)
	}

	for _, nvim := range found {
		t.Run(nvim, func(t *testing.T) {
			var out bytes.Buffer
			err := demo.Run(t.Context(), demo.Options{Server: []string{"env", asMain + "=1", os.Args[0], "serve"}, Nvim: nvim, Out: &out})
			t.Log("\n" + out.String())
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
