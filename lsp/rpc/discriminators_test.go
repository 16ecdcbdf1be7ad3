package rpc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"

	"github.com/agentls/agentls/lsp/rpc"
)

func TestDiscriminators(t *testing.T) {
	title := "Indexing"
	for want, value := range map[string]any{
		`{"kind":"create","uri":"file:///a"}`:                         rpc.CreateFile(protocol.CreateFile{URI: "file:///a"}),
		`{"kind":"rename","oldUri":"file:///a","newUri":"file:///b"}`: rpc.RenameFile(protocol.RenameFile{OldURI: "file:///a", NewURI: "file:///b"}),
		`{"kind":"delete","uri":"file:///a"}`:                         rpc.DeleteFile(protocol.DeleteFile{URI: "file:///a"}),
		`{"kind":"full","items":[]}`:                                  rpc.FullDocumentDiagnosticReport(protocol.FullDocumentDiagnosticReport{}),
		`{"kind":"unchanged","resultId":"7"}`:                         rpc.UnchangedDocumentDiagnosticReport(protocol.UnchangedDocumentDiagnosticReport{ResultID: "7"}),
		`{"token":1,"value":{"kind":"begin","title":"Indexing"}}`: &protocol.ProgressParams{
			Token: protocol.Integer(1), Value: rpc.WorkDoneProgressBegin(protocol.WorkDoneProgressBegin{Title: title}),
		},
		`{"token":1,"value":{"kind":"report","message":"Indexing"}}`: &protocol.ProgressParams{
			Token: protocol.Integer(1), Value: rpc.WorkDoneProgressReport(protocol.WorkDoneProgressReport{Message: &title}),
		},
		`{"token":1,"value":{"kind":"end"}}`: &protocol.ProgressParams{
			Token: protocol.Integer(1), Value: rpc.WorkDoneProgressEnd(protocol.WorkDoneProgressEnd{}),
		},
	} {
		got, err := protocol.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
