import * as vscode from 'vscode';
import type { Outcome, Selection } from './core/contract.ts';
import type { Node } from './core/tree.ts';
import { countsLine, notice, outcomeLine } from './core/words.ts';
import { known, told, type Parts } from './parts.ts';
import { means } from './places.ts';

/** What a command on a proposal can be given: the server's argument, a line of the tree, or the thread on a hunk. */
export type Chosen = Partial<Selection> | Node | vscode.CommentThread;

/** The hunks that are meant. With nothing given those of the review in front; never more than what was pointed at. */
function selectionOf({ reviews }: Parts, what: Chosen | undefined): Selection {
  if (what && 'selection' in what) {
    return what.selection;
  }
  if (what && 'collapsibleState' in what) {
    return known(reviews.selectionOf(what), 'this hunk is decided already.');
  }
  if (what && 'changeSet' in what && what.changeSet) {
    return { ...what, changeSet: what.changeSet };
  }
  const changeSet = known(reviews.active(), 'open a review first: agentls: Review the Changes.');
  return { changeSet };
}

export function hunkAtCursor({ reviews }: Parts): Selection {
  return known(reviews.atCursor(), 'put the cursor on a hunk of a review.');
}

export async function review(parts: Parts, what: Chosen | undefined): Promise<void> {
  await parts.reviews.open(what ? selectionOf(parts, what).changeSet : undefined);
}

export async function accept(parts: Parts, what: Chosen | undefined): Promise<Outcome> {
  const outcome = await parts.connection.call('agentls.changes.accept', selectionOf(parts, what));
  void told(tellOutcome(parts, 'applied', outcome, 'briefly'));
  return outcome;
}

export async function reject(parts: Parts, what: Chosen | undefined): Promise<void> {
  const { counts } = await parts.connection.call('agentls.changes.reject', selectionOf(parts, what));
  vscode.window.setStatusBarMessage(`agentls: rejected; ${countsLine(counts)}`, 5000);
}

export async function apply(parts: Parts, what: Chosen | undefined): Promise<Outcome> {
  const { changeSet } = selectionOf(parts, what);
  const outcome = await parts.connection.call('agentls.changes.apply', { changeSet });
  void told(tellOutcome(parts, 'applied', outcome, 'Undo'));
  return outcome;
}

export async function undo(parts: Parts, entry: string | undefined): Promise<Outcome> {
  const outcome = await parts.connection.call('agentls.changes.undo', entry === undefined ? {} : { entry });
  void told(tellOutcome(parts, 'undone', outcome, 'Redo'));
  return outcome;
}

export async function redo(parts: Parts, entry: string | undefined): Promise<Outcome> {
  const outcome = await parts.connection.call('agentls.changes.redo', entry === undefined ? {} : { entry });
  void told(tellOutcome(parts, 'applied', outcome, 'Undo'));
  return outcome;
}

export function entryOf(what: { entry?: string } | Node | undefined): string | undefined {
  if (what && 'kind' in what) {
    return what.kind === 'entry' ? what.entry.id : undefined;
  }
  return what?.entry;
}

/** Tells what came of an apply, undo or redo: a conflict with both texts, else a line with the way back. */
async function tellOutcome(
  parts: Parts,
  verb: string,
  outcome: Outcome,
  next: 'Undo' | 'Redo' | 'briefly',
): Promise<void> {
  await parts.work.refresh();
  const line = notice(outcomeLine(verb, outcome));
  if (outcome.conflicts.length > 0) {
    const chosen = await vscode.window.showWarningMessage(line, 'Show Both');
    if (chosen) {
      await parts.reviews.showConflicts(outcome.title ?? 'agentls', outcome.conflicts);
    }
    return;
  }
  if (next === 'briefly') {
    vscode.window.setStatusBarMessage(line, 5000);
    return;
  }
  const buttons = outcome.unsaved.length > 0 ? [next, 'Save'] : [next];
  const chosen = await vscode.window.showInformationMessage(line, ...buttons);
  if (chosen === 'Save') {
    await save(outcome.unsaved);
  } else if (chosen === 'Undo') {
    await undo(parts, outcome.entry);
  } else if (chosen === 'Redo') {
    await redo(parts, outcome.entry);
  }
}

async function save(uris: string[]): Promise<void> {
  const documents = vscode.workspace.textDocuments.filter(({ uri }) => uris.some((name) => means(name, uri)));
  await Promise.all(documents.map((document) => document.save()));
}
