import * as vscode from 'vscode';
import type { Connection } from './client.ts';
import type { Place, Range } from './core/contract.ts';
import { enclosing } from './core/text.ts';

export function toRange(range: vscode.Range): Range {
  const { start, end } = range;
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

export function fromRange({ start, end }: Range): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}

/** Whether a server's URI means the same as the editor's: programs differ in what they escape. */
export function means(name: string, uri: vscode.Uri): boolean {
  return vscode.Uri.parse(name).toString() === uri.toString();
}

/** A place with what is known of the declaration there. */
export interface Target {
  place: Place;
  /** Whether the task service works on it. */
  remote: boolean;
  /** What it is called: a declaration's name, or the file's. */
  name: string;
  /** The declaration that is meant as a whole; undefined for a selection or a file. */
  declaration: string | undefined;
  /** Where a thread about it stands: at the declaration's name, or at the selection. */
  at: vscode.Range;
}

/** The selection of the active editor. It throws where that is on no file. */
export function selectedPlace(): Place {
  const editor = vscode.window.activeTextEditor;
  if (!editor) {
    throw new Error('open a file and put the cursor on the code that you mean.');
  }
  if (editor.document.isUntitled) {
    throw new Error('save this document first: only files can be asked about.');
  }
  if (editor.document.uri.scheme !== 'file') {
    throw new Error('this document is no file on the disk; put the cursor on code in a file.');
  }
  return { uri: editor.document.uri.toString(), range: toRange(editor.selection) };
}

/** Finds the declaration that a place is in. */
export async function locate(connection: Connection, given: Place & { remote?: boolean }): Promise<Target> {
  const place = { uri: given.uri, range: given.range };
  const around = enclosing(await connection.declarations(place.uri), place.range.start);
  const name = around?.name ?? vscode.workspace.asRelativePath(vscode.Uri.parse(place.uri));
  const selected = fromRange(place.range);
  const whole = selected.isEmpty ? around : undefined;
  const at = whole ? fromRange(whole.selectionRange) : selected;
  return { place, remote: given.remote ?? false, name, declaration: whole?.name, at };
}

/** A target's place as the commands of the agent take it. */
export function asked(place: Place, { remote }: Target): Place & { remote?: boolean } {
  return remote ? { ...place, remote } : place;
}
