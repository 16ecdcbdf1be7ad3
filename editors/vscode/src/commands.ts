import * as vscode from 'vscode';
import { attachImage, attachOutput } from './attach.ts';
import { accept, apply, entryOf, hunkAtCursor, redo, reject, review, undo, type Chosen } from './changes.ts';
import type { Connection } from './client.ts';
import type { NextStep, Problem } from './core/binary.ts';
import type { Place, Position } from './core/contract.ts';
import type { Run } from './core/runs.ts';
import type { Node } from './core/tree.ts';
import { notice } from './core/words.ts';
import { tellEditor } from './editor.ts';
import { follow, showAnswer } from './follow.ts';
import { known, told, type Parts } from './parts.ts';
import { asked, locate, selectedPlace, type Target } from './places.ts';

/**
 * Registers all commands. Those of the server have its names, so that its code actions come here too; each takes the
 * server's argument, or none and then works on the active editor.
 */
export function registerCommands(parts: Parts, subscriptions: vscode.Disposable[]): void {
  const commands: Record<string, (argument: never) => Promise<unknown>> = {
    'agentls.ask': (given?: Given) => ask(parts, given),
    'agentls.explain': (given?: Given) => explain(parts, given),
    'agentls.change': (given?: Given) => change(parts, given),
    'agentls.changeByPlan': () => change(parts, { plan: true }),
    'agentls.askRemotely': () => ask(parts, { remote: true }),
    'agentls.explainRemotely': () => explain(parts, { remote: true }),
    'agentls.changeRemotely': () => change(parts, { remote: true }),
    'agentls.review': (given?: Given) => findProblems(parts, given),
    'agentls.context': (given?: Given) => showContext(parts, given),
    'agentls.lastRequest': () => showLastRequest(parts),
    'agentls.findings.fix': (of: { finding: string }) => parts.connection.call('agentls.findings.fix', of),
    'agentls.findings.dismiss': (of: { finding: string }) => parts.connection.call('agentls.findings.dismiss', of),
    'agentls.rename': (at?: Naming) => rename(parts, at),
    'agentls.graph': (given?: Given) => showGraph(parts, given),
    'agentls.stop': (run?: { run?: string } | Node) => stop(parts, run),
    'agentls.reply': async (of?: OfRun) =>
      parts.questions.answer(runOf(parts, of, ({ question, waits }) => !!question || waits)),
    'agentls.steer': async (of?: OfRun) => parts.questions.steer(runOf(parts, of, ({ state }) => state === 'running')),
    'agentls.continue': async (of?: OfRun) => parts.questions.goOn(runOf(parts, of, ({ goesOn }) => goesOn)),
    'agentls.changes.diff': (what?: Chosen) => review(parts, what),
    'agentls.changes.accept': (what?: Chosen) => accept(parts, what),
    'agentls.changes.reject': (what?: Chosen) => reject(parts, what),
    'agentls.changes.rejectAll': () => reject(parts, undefined),
    'agentls.changes.apply': (what?: Chosen) => apply(parts, what),
    'agentls.changes.undo': (entry?: { entry?: string } | Node) => undo(parts, entryOf(entry)),
    'agentls.changes.redo': (entry?: { entry?: string } | Node) => redo(parts, entryOf(entry)),
    'agentls.attach.output': (given?: { output?: string }) => attachOutput(parts.attached, given),
    'agentls.attach.image': (uri?: vscode.Uri) => attachImage(parts.attached, uri),
    'agentls.hunk.accept': () => accept(parts, hunkAtCursor(parts)),
    'agentls.hunk.reject': () => reject(parts, hunkAtCursor(parts)),
    'agentls.check.show': (what: Node | vscode.CommentThread) => showChecks(parts, what),
    'agentls.tasks.follow': (task?: { task?: string } | Node) => followTask(parts, task),
    'agentls.tasks.cancel': (task?: { task?: string } | Node) => cancelTask(parts, task),
    'agentls.tasks.open': (task?: { task?: string } | Node) => openTask(parts, task),
    'agentls.tasks.refresh': () => parts.tasks.refresh(),
    'agentls.tasks.more': () => parts.tasks.loadMore(),
    'agentls.reveal': (node: Node) => reveal(parts, node),
    'agentls.thread.reply': (reply: vscode.CommentReply) => parts.threads.reply(reply),
    'agentls.thread.stop': (thread: vscode.CommentThread) => parts.threads.stop(thread),
    'agentls.thread.open': (thread: vscode.CommentThread) => parts.threads.open(thread),
    'agentls.thread.close': (thread: vscode.CommentThread) => parts.threads.close(thread),
    'agentls.restart': () => parts.connection.restart(),
    'agentls.showLog': async () => parts.connection.log.show(),
  };
  for (const [name, run] of Object.entries(commands)) {
    subscriptions.push(
      vscode.commands.registerCommand(name, async (argument: never) => told(Promise.resolve(argument).then(run))),
    );
  }
}

/** Tells of a problem, with what can be done about it as buttons. */
export async function tellProblem(connection: Connection, problem: Problem): Promise<void> {
  const chosen = await vscode.window.showErrorMessage<NextStep>(notice(problem.message), ...problem.steps);
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

/**
 * What a command of the agent can be given: the server's argument, or a part of it. (The context menu of an editor gives
 * its URI, which says no more than that nothing is given.)
 */
interface Given extends Partial<Place> {
  remote?: boolean;
  question?: string;
  instruction?: string;
  plan?: boolean;
}

/** A run, by its id or its line in the tree. */
type OfRun = { run?: string } | Node;

/** The run that is meant, or the newest that fits. */
function runOf({ work }: Parts, of: OfRun | undefined, fits: (run: Run) => boolean): Run {
  const id = of && 'kind' in of ? (of.kind === 'run' ? of.run.id : undefined) : of?.run;
  const run = id === undefined ? work.runs.all().find(fits) : work.runs.find(id);
  if (!run) {
    throw new Error('there is no such run.');
  }
  return run;
}

async function target({ connection }: Parts, given: Given = {}): Promise<Target> {
  const { uri, range, remote } = given;
  const place = uri !== undefined && range !== undefined ? { uri, range } : selectedPlace();
  return locate(connection, remote ? { ...place, remote } : place);
}

/** What the user typed and the server did not take, by the title of the box: it is offered again. */
const drafts = new Map<string, string>();

/** Asks the user for words and sends them; undefined if there are none. */
async function worded<R>(
  box: vscode.InputBoxOptions & { title: string },
  send: (words: string) => Promise<R>,
): Promise<R | undefined> {
  const words = await vscode.window.showInputBox({ ...box, value: drafts.get(box.title) ?? '', ignoreFocusOut: true });
  if (words === undefined) {
    return undefined;
  }
  drafts.set(box.title, words);
  const result = await send(words);
  drafts.delete(box.title);
  return result;
}

/** What goes with the words, as a sentence. */
function attachedLine({ attached: { line } }: Parts): string {
  return line === '' ? '' : `It goes ${line}.`;
}

function titled(verb: string, { name, remote }: Target): string {
  return `${verb} ${name}${remote ? ' remotely' : ''}`;
}

async function ask(parts: Parts, given: Given | undefined): Promise<string | undefined> {
  const about = await target(parts, given);
  const send = async (question: string) => {
    const { id } = await parts.threads.ask(about, question, parts.attached.argument);
    parts.attached.clear();
    return id;
  };
  if (given?.question !== undefined) {
    return send(given.question);
  }
  const box = {
    title: titled('Ask about', about),
    placeHolder: 'What it does and who uses it',
    prompt: `The answer comes as a thread at the code. ${attachedLine(parts)}`,
  };
  return worded(box, send);
}

async function explain(parts: Parts, given: Given | undefined): Promise<string> {
  return (await parts.threads.explain(await target(parts, given))).id;
}

/** Has the code at the cursor reviewed; what is found stands as diagnostics. */
async function findProblems(parts: Parts, given: Given | undefined): Promise<string> {
  const { place } = await target(parts, given);
  await tellEditor(parts.connection);
  const { run } = await parts.connection.call('agentls.review', place);
  void told(follow(parts, parts.work.runs.track(run), 'here'));
  return run;
}

/** Shows what a question here would send. */
async function showContext(parts: Parts, given: Given | undefined): Promise<void> {
  const { place } = await target(parts, given);
  await tellEditor(parts.connection);
  await open((await parts.connection.call('agentls.context', { ...place, ...parts.attached.argument })).uri);
}

/** Shows who calls the function at the cursor and what it calls, as a page. */
async function showGraph(parts: Parts, given: Given | undefined): Promise<void> {
  const { place } = await target(parts, given);
  await open((await parts.connection.call('agentls.graph', place)).uri);
}

async function showLastRequest({ connection }: Parts): Promise<void> {
  await open((await connection.call('agentls.lastRequest', {})).uri);
}

async function open(uri: string): Promise<void> {
  await vscode.window.showTextDocument(vscode.Uri.parse(uri), { preview: true });
}

async function change(parts: Parts, given: Given | undefined): Promise<string | undefined> {
  const about = await target(parts, given);
  const send = async (instruction: string) => {
    if (instruction === '') {
      return undefined;
    }
    await tellEditor(parts.connection);
    const { run } = await parts.connection.call('agentls.change', {
      ...asked(about.place, about),
      ...parts.attached.argument,
      instruction,
      ...(given?.plan ? { plan: true } : {}),
    });
    parts.attached.clear();
    void told(follow(parts, parts.work.runs.track(run), about.remote ? 'there' : 'here'));
    return run;
  };
  if (given?.instruction) {
    return send(given.instruction);
  }
  const box = {
    title: titled('Change', about),
    placeHolder: 'Return an error instead of panicking',
    prompt: `The change comes as a proposal. Nothing is written before you accept it. ${attachedLine(parts)}`,
  };
  return worded(box, send);
}

/** The task that a command is given, as the server's argument or as a line of the tree. */
function taskOf(what: { task?: string } | Node | undefined): string {
  const task = what && 'kind' in what ? (what.kind === 'task' ? what.task.id : undefined) : what?.task;
  return known(task, 'choose a task in the view Work.');
}

/** Follows a task, or shows the run that does so already. */
async function followTask(parts: Parts, what: { task?: string } | Node | undefined): Promise<string> {
  const task = taskOf(what);
  const already = parts.work.following(task);
  if (already) {
    await revealRun(parts, already);
    return already.id;
  }
  const { run } = await parts.connection.call('agentls.tasks.follow', { task });
  void told(follow(parts, parts.work.runs.track(run), 'there'));
  return run;
}

async function cancelTask(parts: Parts, what: { task?: string } | Node | undefined): Promise<string> {
  const { state } = await parts.connection.call('agentls.tasks.cancel', { task: taskOf(what) });
  vscode.window.setStatusBarMessage(`agentls: the task is ${state}`, 5000);
  await parts.tasks.refresh();
  return state;
}

async function openTask({ tasks }: Parts, what: { task?: string } | Node | undefined): Promise<void> {
  const page = known(tasks.page(taskOf(what)), 'the task service has no page that a browser could open.');
  await vscode.env.openExternal(vscode.Uri.parse(page));
}

async function showChecks({ reviews }: Parts, what: Node | vscode.CommentThread): Promise<void> {
  if (!('kind' in what)) {
    const { changeSet, checks } = known(reviews.checksOf(what), 'this review is closed.');
    await reviews.showChecks(changeSet, checks);
  } else if (what.kind === 'check') {
    await reviews.showChecks(what.changeSet, [what.check]);
  }
}

/** What `agentls.rename` takes. */
interface Naming {
  uri: string;
  position: Position;
  newName?: string;
}

async function rename(parts: Parts, given: Naming | undefined): Promise<void> {
  const at = given?.position ? given : namingAtCursor(); // the context menu gives a URI
  const newName =
    at.newName || (await vscode.window.showInputBox({ title: 'Rename, by the index', prompt: 'The new name' }));
  if (!newName) {
    return;
  }
  const { uri, position } = at;
  const result = await parts.connection.call('agentls.rename', { uri, position, newName });
  if (result.possible > 0) {
    const left = `${result.possible} more of that name are left alone: the index is not certain of them.`;
    void vscode.window.showInformationMessage(`agentls: ${result.renamed} places are in the proposal; ${left}`);
  }
  await parts.reviews.open(result.changeSet);
}

function namingAtCursor(): Naming {
  const { uri, range } = selectedPlace();
  return { uri, position: range.start };
}

async function stop({ connection }: Parts, what: { run?: string } | Node | undefined): Promise<void> {
  const run = what && 'kind' in what ? (what.kind === 'run' ? what.run.id : undefined) : what?.run;
  await connection.call('agentls.stop', run ? { run } : {});
}

/** Shows what a line of the tree is about. */
async function reveal(parts: Parts, node: Node): Promise<void> {
  switch (node.kind) {
    case 'run':
      await revealRun(parts, node.run);
      break;
    case 'check':
      await showChecks(parts, node);
      break;
    case 'task':
      await followTask(parts, node);
      break;
    case 'hunk':
    case 'file':
      await parts.reviews.open(node.selection.changeSet);
      break;
    default:
      break;
  }
}

async function revealRun(parts: Parts, run: Run): Promise<void> {
  if (parts.work.proposals.some(({ id }) => id === run.changeSet)) {
    await parts.reviews.open(run.changeSet);
  } else if (parts.threads.threadOf(run.id)) {
    await parts.threads.reveal(run.id);
  } else if (run.text !== '') {
    await showAnswer(parts, run);
  }
}
