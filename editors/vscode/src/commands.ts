import * as vscode from 'vscode';
import { messageOf, type Connection } from './client.ts';
import type { NextStep, Problem } from './core/binary.ts';
import type { Outcome, Place, Position, Selection } from './core/contract.ts';
import { progressLine } from './core/conversation.ts';
import type { Run } from './core/runs.ts';
import type { Node } from './core/tree.ts';
import { countsLine, outcomeLine } from './core/words.ts';
import type { Work } from './core/work.ts';
import { tellEditor } from './editor.ts';
import { locate, means, selectedPlace, type Target } from './places.ts';
import type { Reviews } from './review.ts';
import type { Threads } from './threads.ts';

/** The parts of the extension that commands work on. */
export interface Parts {
  connection: Connection;
  work: Work;
  threads: Threads;
  reviews: Reviews;
}

/**
 * Registers all commands. Those of the server have its names, so that its code actions come here too; each takes the
 * server's argument, or none and then works on the active editor.
 */
export function registerCommands(parts: Parts, subscriptions: vscode.Disposable[]): void {
  const commands: Record<string, (argument: never) => Promise<unknown>> = {
    'agentls.ask': (place?: Place & { question?: string }) => ask(parts, place),
    'agentls.explain': (place?: Place) => explain(parts, place),
    'agentls.change': (place?: Place & { instruction?: string }) => change(parts, place),
    'agentls.rename': (at?: Naming) => rename(parts, at),
    'agentls.stop': (run?: { run?: string } | Node) => stop(parts, run),
    'agentls.changes.diff': (what?: Chosen) => review(parts, what),
    'agentls.changes.accept': (what?: Chosen) => accept(parts, what),
    'agentls.changes.reject': (what?: Chosen) => reject(parts, what),
    'agentls.changes.rejectAll': () => reject(parts, undefined),
    'agentls.changes.apply': (what?: Chosen) => apply(parts, what),
    'agentls.changes.undo': (entry?: { entry?: string } | Node) => undo(parts, entryOf(entry)),
    'agentls.changes.redo': (entry?: { entry?: string } | Node) => redo(parts, entryOf(entry)),
    'agentls.reveal': (node: Node) => reveal(parts, node),
    'agentls.thread.reply': (reply: vscode.CommentReply) => parts.threads.reply(reply),
    'agentls.thread.stop': (thread: vscode.CommentThread) => parts.threads.stop(thread),
    'agentls.thread.close': (thread: vscode.CommentThread) => parts.threads.close(thread),
    'agentls.restart': () => parts.connection.restart(),
    'agentls.showLog': async () => parts.connection.log.show(),
  };
  for (const [name, run] of Object.entries(commands)) {
    subscriptions.push(vscode.commands.registerCommand(name, (argument: never) => told(run(argument))));
  }
}

/** Tells the user why a command failed. Its result goes to whoever ran it by name. */
async function told<R>(result: Promise<R>): Promise<R | undefined> {
  try {
    return await result;
  } catch (error) {
    void vscode.window.showErrorMessage(prefixed(messageOf(error)));
    return undefined;
  }
}

function prefixed(message: string): string {
  return message.startsWith('agentls') ? message : `agentls: ${message}`;
}

/** Tells of a problem, with what can be done about it as buttons. */
export async function tellProblem(connection: Connection, problem: Problem): Promise<void> {
  const chosen = await vscode.window.showErrorMessage<NextStep>(problem.message, ...problem.steps);
  switch (chosen) {
    case 'Open Settings':
      await vscode.commands.executeCommand('workbench.action.openSettings', 'agentls.server.path');
      break;
    case 'Use the Server Inside':
      await vscode.workspace
        .getConfiguration('agentls')
        .update('server.path', undefined, vscode.ConfigurationTarget.Global);
      break; // the change of the setting restarts the server
    case 'Show Log':
      connection.log.show();
      break;
    case 'Restart Server':
      await connection.restart();
      break;
    case undefined:
      break;
  }
}

async function target({ connection }: Parts, given: Place | undefined): Promise<Target> {
  const place = given ? { uri: given.uri, range: given.range } : selectedPlace();
  if (!place) {
    throw new Error('put the cursor on the code that you mean.');
  }
  return locate(connection, place);
}

async function ask(parts: Parts, given: (Place & { question?: string }) | undefined): Promise<string | undefined> {
  const about = await target(parts, given);
  const question =
    given?.question ??
    (await vscode.window.showInputBox({
      title: `Ask about ${about.name}`,
      placeHolder: 'What it does and who uses it',
      prompt: 'The answer comes as a thread at the code.',
    }));
  return question === undefined ? undefined : (await parts.threads.ask(about, question)).id;
}

async function explain(parts: Parts, given: Place | undefined): Promise<string> {
  return (await parts.threads.explain(await target(parts, given))).id;
}

async function change(
  parts: Parts,
  given: (Place & { instruction?: string }) | undefined,
): Promise<string | undefined> {
  const { place, name } = await target(parts, given);
  const instruction =
    given?.instruction ||
    (await vscode.window.showInputBox({
      title: `Change ${name}`,
      placeHolder: 'Return an error instead of panicking',
      prompt: 'The change comes as a proposal. Nothing is written before you accept it.',
    }));
  if (!instruction) {
    return undefined;
  }
  await tellEditor(parts.connection);
  const { run } = await parts.connection.call('agentls.change', { ...place, instruction });
  void told(follow(parts, parts.work.runs.track(run)));
  return run;
}

/** Shows a run under way as a notification with a cancel button, and then what came of it. */
async function follow(parts: Parts, run: Run): Promise<void> {
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: 'agentls', cancellable: true },
    (progress, token) =>
      new Promise<void>((ended) => {
        const show = () => {
          progress.report({ message: `${run.title}: ${progressLine(run).replace(/^\$\([^)]*\) /, '')}` });
          if (run.state !== 'running') {
            forget();
            ended();
          }
        };
        const forget = parts.work.onChange((moved) => {
          if (moved === run || moved === undefined) {
            show();
          }
        });
        token.onCancellationRequested(() => void told(parts.connection.call('agentls.stop', { run: run.id })));
        show();
      }),
  );
  await tellResult(parts, run);
}

async function tellResult(parts: Parts, run: Run): Promise<void> {
  if (run.state === 'failed') {
    throw new Error(`${run.title}: ${run.error ?? 'it failed'}`);
  }
  if (!run.changeSet) {
    await vscode.window.showInformationMessage(`${run.title}: nothing to change. ${run.text}`);
    return;
  }
  const { changeSet } = run;
  await parts.work.refresh();
  const proposal = parts.work.proposals.find((one) => one.id === changeSet);
  const counts = proposal ? countsLine(proposal.counts) : 'ready to review';
  const chosen = await vscode.window.showInformationMessage(`${run.title}: ${counts}`, 'Review', 'Apply');
  if (chosen === 'Review') {
    await parts.reviews.open(changeSet);
  } else if (chosen === 'Apply') {
    await apply(parts, { changeSet });
  }
}

/** What `agentls.rename` takes. */
interface Naming {
  uri: string;
  position: Position;
  newName?: string;
}

async function rename(parts: Parts, given: Naming | undefined): Promise<void> {
  const at = given ?? namingAtCursor();
  if (!at) {
    throw new Error('put the cursor on the name to change.');
  }
  const newName =
    at.newName || (await vscode.window.showInputBox({ title: 'Rename, by the index', prompt: 'The new name' }));
  if (!newName) {
    return;
  }
  const result = await parts.connection.call('agentls.rename', { ...at, newName });
  if (result.possible > 0) {
    const left = `${result.possible} more of that name are left alone: the index is not certain of them.`;
    void vscode.window.showInformationMessage(`agentls: ${result.renamed} places are in the proposal; ${left}`);
  }
  await parts.reviews.open(result.changeSet);
}

function namingAtCursor(): Naming | undefined {
  const place = selectedPlace();
  return place && { uri: place.uri, position: place.range.start };
}

async function stop({ connection }: Parts, what: { run?: string } | Node | undefined): Promise<void> {
  const run = what && 'kind' in what ? (what.kind === 'run' ? what.run.id : undefined) : what?.run;
  await connection.call('agentls.stop', run ? { run } : {});
}

/** What a command on a proposal can be given: the server's argument, a line of the tree, or the thread on a hunk. */
type Chosen = Partial<Selection> | Node | vscode.CommentThread;

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

function known<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) {
    throw new Error(otherwise);
  }
  return value;
}

async function review(parts: Parts, what: Chosen | undefined): Promise<void> {
  await parts.reviews.open(what ? selectionOf(parts, what).changeSet : undefined);
}

async function accept(parts: Parts, what: Chosen | undefined): Promise<Outcome> {
  const outcome = await parts.connection.call('agentls.changes.accept', selectionOf(parts, what));
  void told(tellOutcome(parts, 'applied', outcome, 'briefly'));
  return outcome;
}

async function reject(parts: Parts, what: Chosen | undefined): Promise<void> {
  const { counts } = await parts.connection.call('agentls.changes.reject', selectionOf(parts, what));
  vscode.window.setStatusBarMessage(`agentls: rejected; ${countsLine(counts)}`, 5000);
}

async function apply(parts: Parts, what: Chosen | undefined): Promise<Outcome> {
  const { changeSet } = selectionOf(parts, what);
  const outcome = await parts.connection.call('agentls.changes.apply', { changeSet });
  void told(tellOutcome(parts, 'applied', outcome, 'Undo'));
  return outcome;
}

async function undo(parts: Parts, entry: string | undefined): Promise<Outcome> {
  const outcome = await parts.connection.call('agentls.changes.undo', entry === undefined ? {} : { entry });
  void told(tellOutcome(parts, 'undone', outcome, 'Redo'));
  return outcome;
}

async function redo(parts: Parts, entry: string | undefined): Promise<Outcome> {
  const outcome = await parts.connection.call('agentls.changes.redo', entry === undefined ? {} : { entry });
  void told(tellOutcome(parts, 'applied', outcome, 'Undo'));
  return outcome;
}

function entryOf(what: { entry?: string } | Node | undefined): string | undefined {
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
  const line = prefixed(outcomeLine(verb, outcome));
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

/** Shows what a line of the tree is about. */
async function reveal(parts: Parts, node: Node): Promise<void> {
  switch (node.kind) {
    case 'run':
      await (node.run.changeSet ? parts.reviews.open(node.run.changeSet) : parts.threads.reveal(node.run.id));
      break;
    case 'hunk':
    case 'file':
      await parts.reviews.open(node.selection.changeSet);
      break;
    default:
      break;
  }
}
