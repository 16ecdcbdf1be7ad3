import * as vscode from 'vscode';
import type { EditorProblem, Server } from './core/contract.ts';
import { toRange } from './places.ts';

/** What the server is told of at most; it tells the model of fewer. */
const mostProblems = 200;

/** Tells the server which files are on screen and which errors and warnings the editor shows. Never rejects. */
export async function tellEditor(server: Server): Promise<void> {
  const argument = { visible: visibleFiles(), problems: problems() };
  await server.call('agentls.editor', argument).catch(() => undefined); // the run that follows will say what is wrong
}

function visibleFiles(): string[] {
  const front = vscode.window.activeTextEditor;
  const editors = vscode.window.visibleTextEditors.toSorted((a, b) => Number(b === front) - Number(a === front));
  const files = editors.map(({ document }) => document.uri).filter(({ scheme }) => scheme === 'file');
  return [...new Set(files.map((uri) => uri.toString()))];
}

/** The errors, then the warnings, of the workspace's files; not the hunks that wait for review. */
function problems(): EditorProblem[] {
  const all = vscode.languages
    .getDiagnostics()
    .filter(([uri]) => uri.scheme === 'file' && vscode.workspace.getWorkspaceFolder(uri));
  return all
    .flatMap(([uri, diagnostics]) => diagnostics.map((one) => problem(uri, one)))
    .filter(({ severity, source }) => severity <= 2 && source !== 'agentls')
    .sort((a, b) => a.severity - b.severity)
    .slice(0, mostProblems);
}

function problem(uri: vscode.Uri, { range, severity, message, source }: vscode.Diagnostic): EditorProblem {
  return { uri: uri.toString(), range: toRange(range), severity: severity + 1, message, ...(source ? { source } : {}) };
}
