package rpc

import "go.lsp.dev/protocol"

// protocol leaves the member that tells the arms of a union apart empty, and a
// client then ignores the value or fails. These functions return the value with
// its discriminator; whatever the caller put there is replaced.

// CreateFile returns f as an operation of a workspace edit.
func CreateFile(f protocol.CreateFile) *protocol.CreateFile {
	f.Kind = string(protocol.ResourceOperationKindCreate)
	return &f
}

// RenameFile returns f as an operation of a workspace edit.
func RenameFile(f protocol.RenameFile) *protocol.RenameFile {
	f.Kind = string(protocol.ResourceOperationKindRename)
	return &f
}

// DeleteFile returns f as an operation of a workspace edit.
func DeleteFile(f protocol.DeleteFile) *protocol.DeleteFile {
	f.Kind = string(protocol.ResourceOperationKindDelete)
	return &f
}

// FullDocumentDiagnosticReport returns r as the answer to textDocument/diagnostic.
func FullDocumentDiagnosticReport(r protocol.FullDocumentDiagnosticReport) protocol.FullDocumentDiagnosticReport {
	r.Kind = string(protocol.DocumentDiagnosticReportKindFull)
	return r
}

// UnchangedDocumentDiagnosticReport returns r as the answer to textDocument/diagnostic.
func UnchangedDocumentDiagnosticReport(r protocol.UnchangedDocumentDiagnosticReport) protocol.UnchangedDocumentDiagnosticReport {
	r.Kind = string(protocol.DocumentDiagnosticReportKindUnchanged)
	return r
}

// WorkDoneProgressBegin returns p as the Value of protocol.ProgressParams.
func WorkDoneProgressBegin(p protocol.WorkDoneProgressBegin) protocol.LSPAny {
	p.Kind = "begin"
	return encoded(&p)
}

// WorkDoneProgressReport returns p as the Value of protocol.ProgressParams.
func WorkDoneProgressReport(p protocol.WorkDoneProgressReport) protocol.LSPAny {
	p.Kind = "report"
	return encoded(&p)
}

// WorkDoneProgressEnd returns p as the Value of protocol.ProgressParams.
func WorkDoneProgressEnd(p protocol.WorkDoneProgressEnd) protocol.LSPAny {
	p.Kind = "end"
	return encoded(&p)
}

// encoded marshals a progress value, which is made of strings, numbers and
// booleans only and cannot fail.
func encoded(v any) protocol.LSPAny {
	raw, err := protocol.Marshal(v)
	if err != nil {
		return protocol.LSPAny("null")
	}
	return raw
}
