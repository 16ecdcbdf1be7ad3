/** Tests inside the extension host of a real VS Code, with the real server and the scripted model. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Parts } from '../../src/parts.ts';
import type { Check, Outcome } from '../../src/core/contract.ts';
import { statusView } from '../../src/core/status.ts';
import { roots } from '../../src/core/tree.ts';
import { becomes, same, Suite, until } from './suite.ts';

const suite = new Suite();
const root = vscode.workspace.workspaceFolders?.[0]?.uri ?? vscode.Uri.file('/');
const tariff = vscode.Uri.joinPath(root, 'tariff.go');
const order = vscode.Uri.joinPath(root, 'order.go');
const zone = vscode.Uri.joinPath(root, 'zone.go');
const original = { tariff: onDisk(tariff) ?? '', order: onDisk(order) ?? '' };
let parts: Parts;

function onDisk(uri: vscode.Uri): string | undefined {
  return fs.existsSync(uri.fsPath) ? fs.readFileSync(uri.fsPath, 'utf8') : undefined;
}

async function textOf(uri: vscode.Uri): Promise<string> {
  return (await vscode.workspace.openTextDocument(uri)).getText();
}

/** The first occurrence of `text`, as a place for a command. */
function placeOf(document: vscode.TextDocument, text: string) {
  const at = document.positionAt(document.getText().indexOf(text));
  const position = { line: at.line, character: at.character };
  return { uri: document.uri.toString(), range: { start: position, end: position } };
}

const run = <T>(command: string, ...args: unknown[]) => vscode.commands.executeCommand<T>(command, ...args);

/** A comment as its author, its label and its text. */
function said(comment: vscode.Comment): string[] {
  const body = typeof comment.body === 'string' ? comment.body : comment.body.value;
  return [comment.author.name, body];
}

async function done(id: string) {
  const found = await until(`the end of run ${id}`, () => {
    const one = parts.work.runs.find(id);
    return one && one.state !== 'running' ? one : undefined;
  });
  return found;
}

/** The threads on hunks, as a user reads them, by file and line. */
function hunkThreads(): string[] {
  return parts.reviews
    .threads()
    .map(
      ({ thread }) =>
        `${thread.uri.query.split('.')[1]} ${thread.range?.start.line} ${thread.contextValue}: ${words(thread)}`,
    )
    .sort();
}

function words(thread: vscode.CommentThread): string {
  return `${thread.label}: ${thread.comments.map((one) => one.body).join()}`;
}

/** The thread on the hunk that begins with these words. */
const hunkThread = (text: string) =>
  parts.reviews.threads().find(({ thread }) => words(thread).startsWith(text))?.thread;

const tabs = () => vscode.window.tabGroups.all.flatMap((group) => group.tabs.map((tab) => tab.label));

suite.test('starts the server inside with the settings of the machine', async () => {
  await vscode.window.showTextDocument(tariff);
  const extension = vscode.extensions.getExtension<Parts>('agentls.agentls');
  parts = (await extension?.activate()) as Parts;
  await becomes(() => statusView(parts.work).text, '$(sparkle) agentls: scripted');
  await becomes(
    () => {
      const { model, source, files } = parts.work.status ?? {};
      return { model, source, files };
    },
    { model: 'scripted', source: 'endpoint from the editor, model from the editor', files: 4 },
  );
  same(parts.work.health, { state: 'running' });
});

suite.test('keeps refactorings from being saved unasked', async () => {
  same(vscode.workspace.getConfiguration('files').get('refactoring.autoSave'), false);
});

suite.test('offers its actions on a function', async () => {
  const at = (await vscode.workspace.openTextDocument(tariff))
    .getText()
    .split('\n')
    .findIndex((line) => line.startsWith('func Tariff'));
  const range = new vscode.Range(at, 6, at, 6);
  const actions = await until('code actions', async () => {
    const all = await run<vscode.CodeAction[]>('vscode.executeCodeActionProvider', tariff, range);
    return all.some((one) => one.title.startsWith('Ask')) && all;
  });
  same(
    actions
      .filter((one) => one.command?.command.startsWith('agentls.'))
      .map((one) => [one.title, one.command?.command])
      .sort(),
    [
      ['Ask about `Tariff`', 'agentls.ask'],
      ['Change `Tariff`…', 'agentls.change'],
      ['Explain `Tariff`', 'agentls.explain'],
      ['Rename `Tariff` (index)', 'agentls.rename'],
      ['Review `Tariff`', 'agentls.review'],
      ['Show call graph of `Tariff`', 'agentls.graph'],
    ],
  );
});

suite.test('shows the call graph as a document', async () => {
  await run('agentls.graph', placeOf(await vscode.workspace.openTextDocument(tariff), 'further := '));
  const shown = vscode.window.activeTextEditor?.document;
  same([shown?.fileName.endsWith('calls.md'), shown?.languageId], [true, 'markdown']);
  same(shown?.getText().startsWith('# Calls of `Tariff`\n'), true);
  same(shown?.getText().includes('## Called by\n\n- `Order.Total` in ['), true);
  await run('workbench.action.closeActiveEditor');
});

suite.test('attaches output and images, and shows that a question would send them', async () => {
  await run('agentls.attach.output', { output: 'panic: no such tariff\n\ttariff.go:9' });
  await run('agentls.attach.image', vscode.Uri.file('/no/such.png'));
  same(parts.attached.line, 'with 2 lines of output and such.png');
  const about = placeOf(await vscode.workspace.openTextDocument(tariff), 'further := ');
  same(await run('agentls.context', about), undefined); // it says that there is no such image
  parts.attached.clear();
  await run('agentls.attach.output', { output: 'panic: no such tariff\n\ttariff.go:9' });
  await run('agentls.context', about);
  same(vscode.window.activeTextEditor?.document.getText().includes('panic: no such tariff'), true);
  await run('workbench.action.closeActiveEditor');
  parts.attached.clear();
});

let asked: string;

suite.test('answers a question as a thread at the function, streamed', async () => {
  const document = await vscode.workspace.openTextDocument(tariff);
  const seen = new Set<string>();
  asked = await run<string>('agentls.ask', {
    ...placeOf(document, 'further := '),
    question: 'Is it safe for concurrent use?',
  });
  const thread = parts.threads.threadOf(asked);
  await until('the end of the answer', () => {
    seen.add(thread?.comments[1] ? (said(thread.comments[1])[1] ?? '') : '');
    return thread?.contextValue === 'idle';
  });
  const line = document
    .getText()
    .split('\n')
    .findIndex((text) => text.startsWith('func Tariff'));
  same(
    [thread?.uri.toString(), thread?.range?.start.line, thread?.label],
    [tariff.toString(), line, 'Ask about Tariff'],
  );
  same(thread?.comments.map(said), [
    ['You', 'Is it safe for concurrent use?'],
    [
      'agentls',
      'Yes: `Tariff` only reads `zones`, which nothing changes, and keeps no state of its own.\n\n' +
        'It **panics** on a zone that is not in the table. `Order.Total` passes the zone on unchecked, so a typo in an order ends the program.',
    ],
  ]);
  if (seen.size < 4) {
    throw new Error(`the answer was not streamed: ${JSON.stringify([...seen])}`);
  }
  same(thread?.comments[1]?.label?.startsWith('scripted · '), true);
  same(
    parts.work.runs.find(asked)?.steps.map(({ tool, state }) => [tool, state]),
    [['symbol_refs', 'done']],
  );
});

suite.test('answers a reply with what was said before', async () => {
  const thread = parts.threads.threadOf(asked);
  await run('agentls.thread.reply', { thread, text: 'Who calls it?' });
  await until('the second answer', () => thread?.contextValue === 'idle');
  same(thread?.comments.slice(2).map(said), [
    ['You', 'Who calls it?'],
    ['agentls', 'Only `Order.Total`, in `order.go`, and its test.'],
  ]);
});

suite.test('shows a conversation as a document', async () => {
  await run('agentls.thread.open', parts.threads.threadOf(asked));
  const shown = vscode.window.activeTextEditor?.document;
  same([shown?.uri.path, shown?.languageId], ['/Ask about Tariff.md', 'markdown']);
  same(shown?.getText().endsWith('> Who calls it?\n\nOnly `Order.Total`, in `order.go`, and its test.\n'), true);
  await run('workbench.action.closeActiveEditor');
});

suite.test('keeps the thread at its function', async () => {
  const thread = parts.threads.threadOf(asked);
  const editor = await vscode.window.showTextDocument(tariff);
  const line = thread?.range?.start.line ?? 0;
  const { text, range } = editor.document.lineAt(line);
  await editor.edit((edit) => edit.replace(range, `// A line more.\n${text}`));
  await becomes(() => thread?.range?.start.line, line + 1);
  await run('workbench.action.files.revert');
  await becomes(() => thread?.range?.start.line, line);
});

suite.test('closes a thread', async () => {
  await run('agentls.thread.close', parts.threads.threadOf(asked));
  same(parts.threads.threadOf(asked), undefined);
});

let changeSet: string;

suite.test('turns a change into a proposal and writes nothing', async () => {
  const document = await vscode.workspace.openTextDocument(tariff);
  const id = await run<string>('agentls.change', {
    ...placeOf(document, 'further := '),
    instruction: 'Return an error instead of panicking',
  });
  const result = await done(id);
  same([result.state, result.text], ['done', '`Tariff` now returns a `ZoneError`, and `Order.Total` passes it on.']);
  changeSet = result.changeSet ?? '';
  await becomes(() => parts.work.proposals.map((one) => [one.id, one.files, one.counts.pending]), [[changeSet, 3, 7]]);
  same([await textOf(tariff), onDisk(order), onDisk(zone)], [original.tariff, original.order, undefined]);
  const passed = [
    ['gofmt -l .', true],
    ['go list ./...', true],
  ];
  same(
    result.checks.map((check) => [check.command, check.passed]),
    passed,
  );
  same(
    parts.work.proposals[0]?.checks?.map((check) => [check.command, check.passed]),
    passed,
  );
  same(parts.work.status?.confinement, result.checks[0]?.confinement);
});

suite.test('shows the proposal in the multi-diff editor, with a thread on each hunk', async () => {
  await run('agentls.changes.diff', { changeSet });
  same(
    hunkThreads(),
    [
      'after 13 hunk: tariff.go: replaces 3 lines by 2',
      'after 17 hunk: tariff.go: replaces 1 line by 1',
      'after 20 hunk: tariff.go: replaces 1 line by 1',
      'after 0 hunk: zone.go: creates this file with 8 lines',
      'after 12 hunk: order.go: replaces 1 line by 5',
      'after 18 hunk: order.go: replaces 1 line by 1',
      'after 8 hunk: order.go: replaces 2 lines by 2',
    ].sort(),
  );
  await until('the tab', () => tabs().some((label) => label.includes('7 hunks in 3 files · ✓ 2 checks')));
  same(parts.reviews.active(), changeSet);
  const after = hunkThread('tariff.go')?.uri;
  const proposed = after ? await textOf(after) : '';
  same(proposed.includes('return 0, ZoneError{zone}'), true);
  same(await textOf(after?.with({ query: `${changeSet}.before` }) ?? zone), original.tariff);
});

suite.test('opens a review anew in place of the old one', async () => {
  await run('agentls.changes.diff', { changeSet });
  await becomes(() => tabs().filter((label) => label.includes('7 hunks in 3 files')).length, 1);
  same([parts.reviews.active(), hunkThreads().length], [changeSet, 7]);
});

suite.test('rejects a hunk', async () => {
  await run('agentls.changes.reject', hunkThread('order.go: replaces 2'));
  await becomes(() => hunkThreads().length, 6);
  same(parts.work.runs.running(), 0);
});

suite.test('takes no thread that is decided for more than that', async () => {
  const stale = { collapsibleState: 1, uri: tariff, range: undefined, comments: [] };
  same(await run('agentls.changes.accept', stale), undefined);
  same([hunkThreads().length, onDisk(zone)], [6, undefined]);
});

suite.test('accepts a hunk in the open document, which stays unsaved', async () => {
  await vscode.window.showTextDocument(tariff);
  const outcome = await run<Outcome>('agentls.changes.accept', hunkThread('tariff.go: replaces 3 lines by 2'));
  same([outcome.files, outcome.unsaved, outcome.conflicts], [[tariff.toString()], [tariff.toString()], []]);
  same((await textOf(tariff)).includes('or a ZoneError.'), true);
  same(onDisk(tariff), original.tariff);
  await becomes(() => hunkThreads().length, 5);
});

suite.test('moves hunks along while the user types', async () => {
  const editor = await vscode.window.showTextDocument(tariff);
  await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), '// Typed meanwhile.\n\n'));
  await becomes(
    () => hunkThreads().filter((line) => line.includes('tariff.go')),
    ['after 19 hunk: tariff.go: replaces 1 line by 1', 'after 22 hunk: tariff.go: replaces 1 line by 1'],
  );
});

suite.test('applies the rest, undoes all of it and keeps what was typed', async () => {
  const applied = await run<Outcome>('agentls.changes.apply', { changeSet });
  same([applied.conflicts, applied.files.length], [[], 3]);
  await until('the review to close', () => !tabs().some((label) => label.includes('hunks in')));
  same(parts.reviews.threads(), []);
  same((await textOf(tariff)).includes('return 0, ZoneError{zone}'), true);
  same(onDisk(order)?.includes('func (o Order) Total() int {'), true); // rejected
  same(onDisk(order)?.includes('price, err := Tariff'), true);
  same(onDisk(zone)?.includes('type ZoneError'), true);
  await run('agentls.changes.undo', { entry: applied.entry });
  same([onDisk(zone), onDisk(order)], [undefined, original.order]);
  await run('agentls.changes.redo', { entry: applied.entry });
  same(onDisk(zone)?.includes('type ZoneError'), true);
  await run('agentls.changes.undo');
  await run('agentls.changes.undo');
  same(
    [onDisk(zone), onDisk(order), await textOf(tariff)],
    [undefined, original.order, `// Typed meanwhile.\n\n${original.tariff}`],
  );
  await becomes(() => parts.work.entries.map((entry) => entry.state), ['undone', 'undone']);
  await run('workbench.action.files.revert');
});

suite.test('says a conflict and changes nothing', async () => {
  const document = await vscode.workspace.openTextDocument(order);
  const id = await run<string>('agentls.change', {
    ...placeOf(document, 'total := '),
    instruction: 'Name the unit in the comment',
  });
  const result = await done(id);
  await run('agentls.changes.diff', { changeSet: result.changeSet });
  await becomes(hunkThreads, ['after 8 hunk: order.go: replaces 1 line by 1']);
  const line = document.lineAt(8);
  await vscode.window.showTextDocument(document);
  await vscode.window.activeTextEditor?.edit((edit) => edit.replace(line.range, '// Total adds the tariffs up.'));
  await becomes(hunkThreads, ['before 8 conflict: order.go: Conflict: the same lines were changed meanwhile']);
  const mine = document.getText();
  const outcome = await parts.connection.call('agentls.changes.accept', { changeSet: result.changeSet ?? '' });
  same(
    outcome.conflicts.map(({ uri, ours, theirs }) => [uri, ours, theirs]),
    [
      [
        order.toString(),
        "// Total returns the sum of its parcels' tariffs, in euro cents.\n",
        '// Total adds the tariffs up.\n',
      ],
    ],
  );
  same([document.getText(), onDisk(order)], [mine, original.order]);
  await run('agentls.changes.reject', { changeSet: result.changeSet });
  await becomes(hunkThreads, []);
  await vscode.window.showTextDocument(document);
  await run('workbench.action.files.revert');
});

suite.test('tells of the files on screen and of the errors and warnings of others', async () => {
  const linter = vscode.languages.createDiagnosticCollection('linter');
  const found = (line: number, message: string, severity: vscode.DiagnosticSeverity) => {
    return Object.assign(new vscode.Diagnostic(new vscode.Range(line, 0, line, 1), message, severity), {
      source: 'linter',
    });
  };
  linter.set(order, [
    found(8, 'comment is vague', vscode.DiagnosticSeverity.Warning),
    found(1, 'just a hint', vscode.DiagnosticSeverity.Hint),
  ]);
  linter.set(tariff, [found(18, 'this panics', vscode.DiagnosticSeverity.Error)]);
  const id = await run<string>(
    'agentls.explain',
    placeOf(await vscode.workspace.openTextDocument(tariff), 'further := '),
  );
  const explained = await done(id);
  linter.dispose();
  same([explained.error, explained.text], [undefined, 'The linter minds the panic.']);
});

/** The line of a run in the view Work, with those below it. */
function runLine(id: string): { context: string; description: string; below: string[] } | undefined {
  const groups = roots(parts.work, parts.tasks).flatMap((group) => ('children' in group ? group.children : []));
  const line = groups.find((node) => node.kind === 'run' && node.run.id === id);
  if (line?.kind !== 'run') {
    return undefined;
  }
  const below = line.children.map((node) => ('description' in node ? `${node.label} | ${node.description}` : ''));
  return { context: line.context, description: line.description, below };
}

suite.test('shows what a run asks, and lets it be answered after it was dismissed', async () => {
  const document = await vscode.workspace.openTextDocument(tariff);
  const place = placeOf(document, 'Tariff(');
  const id = (await run<string>('agentls.change', { ...place, instruction: 'a better name', plan: true })) ?? '';
  await becomes(() => runLine(id)?.context, 'run.waiting');
  same(runLine(id)?.description, 'asks: Which name?');
  const dismissed = run('agentls.reply', { run: id });
  let closed = false;
  void dismissed.then(() => (closed = true));
  await until('the choices to close', async () => {
    await run('workbench.action.closeQuickOpen');
    return closed;
  });
  same(runLine(id)?.context, 'run.waiting');
  void run('agentls.reply', { run: id });
  await until('the answer to be taken', async () => {
    await run('workbench.action.acceptSelectedQuickOpenItem');
    return !parts.work.runs.find(id)?.question;
  });

  await becomes(() => runLine(id)?.description, 'its plan waits for your word');
  same(runLine(id)?.below.slice(0, 2), ['rename Tariff | planned', 'run tests | planned']);
  const found = parts.work.runs.find(id);
  if (!found) {
    throw new Error('the run is gone');
  }
  await parts.questions.edit(found);
  const editor = vscode.window.activeTextEditor;
  same(editor?.document.getText(), '- [ ] rename Tariff\n- [ ] run tests\n');
  await editor?.edit((edit) => edit.replace(new vscode.Range(0, 0, 2, 0), '- rename it everywhere\n'));
  await parts.questions.acceptDocument(found, editor?.document as vscode.TextDocument);
  const ended = await done(id);
  same([ended.state, ended.text, ended.waits], ['done', 'I stop here.', false]);
  await run('workbench.action.revertAndCloseActiveEditor');
});

suite.test('stops a run', async () => {
  const editor = await vscode.window.showTextDocument(tariff);
  const inside = editor.document.positionAt(editor.document.getText().indexOf('further := '));
  editor.selection = new vscode.Selection(inside, inside);
  const id = await run<string>('agentls.explain', tariff); // as the context menu does: the cursor counts
  const thread = parts.threads.threadOf(id);
  await becomes(() => thread?.label, 'Explain Tariff');
  await until('some of the answer', () => parts.work.runs.find(id)?.text);
  await run('agentls.thread.stop', thread);
  const stopped = await done(id);
  same([stopped.state, stopped.error], ['failed', 'stopped by the user']);
  await becomes(() => thread?.comments[0]?.label, 'failed');
});

const settings = () => vscode.workspace.getConfiguration('agentls');
const service = process.env['AGENTLS_TEST_SERVICE'] ?? '';
const remote = () => roots(parts.work, parts.tasks).find((one) => 'id' in one && one.id === 'tasks');

/** The tasks in the tree, as a user reads them. */
function taskLines(): string[] {
  const group = remote();
  const nodes = group && 'children' in group ? group.children : [];
  return nodes.map((node) => ('description' in node ? `${node.label} | ${node.description}` : ''));
}

suite.test('says that the task service cannot be reached, and that it wants another token', async () => {
  await settings().update('remote.url', 'http://127.0.0.1:9', vscode.ConfigurationTarget.Global);
  const [down] = await until('the problem', () => taskLines().length > 0 && taskLines());
  same([/127\.0\.0\.1:9/.test(down ?? ''), parts.work.status?.remote], [true, 'http://127.0.0.1:9']);
  await settings().update('remote.token', 'open barley', vscode.ConfigurationTarget.Global);
  await settings().update('remote.url', service, vscode.ConfigurationTarget.Global);
  await until('the problem', () => taskLines().some((text) => text.includes('token')));
});

suite.test('offers its actions remotely, where a service is configured', async () => {
  await settings().update('remote.token', 'sesame', vscode.ConfigurationTarget.Global);
  await run('agentls.tasks.refresh');
  await becomes(taskLines, []);
  const at = (await textOf(tariff)).split('\n').findIndex((text) => text.startsWith('func Tariff'));
  const actions = await run<vscode.CodeAction[]>(
    'vscode.executeCodeActionProvider',
    tariff,
    new vscode.Range(at, 6, at, 6),
  );
  same(
    actions
      .filter((one) => one.title.endsWith(' remotely'))
      .map((one) => [one.title, one.command?.command, one.command?.arguments?.[0].remote])
      .sort(),
    [
      ['Ask about `Tariff` remotely', 'agentls.ask', true],
      ['Change `Tariff`… remotely', 'agentls.change', true],
      ['Explain `Tariff` remotely', 'agentls.explain', true],
    ],
  );
});

/** A review of a proposal that has checks, as the server would tell of them. */
async function showChecks(changeSet: string): Promise<void> {
  const check = { confinement: 'full', seconds: 2.31 };
  const checks: Check[] = [
    { ...check, command: 'go test', passed: true, exit: 0, output: 'ok\n' },
    { ...check, command: 'go vet', passed: false, exit: 1, output: 'tariff.go:1: ```bad```\n' },
  ];
  const { connection, reviews } = parts;
  const call = connection.call.bind(connection);
  connection.call = async (command, argument) => {
    const result = await call(command, argument);
    return command === 'agentls.changes.show' ? { ...result, checks } : result;
  };
  await run('agentls.changes.diff', { changeSet });
  const [thread] = reviews.checkThreads();
  same(
    [thread?.label, thread?.range?.start.line, thread?.contextValue],
    ['Checks of this proposal: ✗ 1 of 2 checks', 10, 'checks'],
  );
  same(thread?.comments.map(said), [
    ['✓ go test', '2.3 s'],
    ['✗ go vet', 'exit 1 after 2.3 s\n\n````text\ntariff.go:1: ```bad```\n````'],
  ]);
  await run('agentls.check.show', thread);
  const output = vscode.window.activeTextEditor?.document.getText();
  same(output?.includes('✗ go vet\nexit 1 after 2.3 s\nconfined: full\n\ntariff.go:1: ```bad```\n'), true);
  await run('workbench.action.closeActiveEditor');
  connection.call = call;
}

suite.test('hands a change to the service, and follows its task again', async () => {
  const document = await vscode.workspace.openTextDocument(tariff);
  const id = await run<string>('agentls.change', {
    ...placeOf(document, 'further := '),
    instruction: 'Say the unit',
    remote: true,
  });
  const result = await done(id);
  same([result.state, result.error, result.remote], ['done', undefined, service]);
  await becomes(() => parts.work.proposals.map((one) => [one.id, one.counts.pending]), [[result.changeSet, 1]]);
  await becomes(taskLines, ['Say the unit | done · 1 file +1 −1']);
  const [task] = parts.tasks.list;
  same(parts.tasks.page(task?.id ?? ''), `${service}/tasks/${task?.id}`);
  same(parts.work.following(task?.id ?? '')?.id, id);
  same(await run('agentls.tasks.follow', { task: task?.id }), id); // its proposal waits: it is shown
  await showChecks(result.changeSet ?? '');
  await run('agentls.changes.reject', { changeSet: result.changeSet });
  await becomes(() => parts.work.proposals.length, 0);
  const followed = await done(await run<string>('agentls.tasks.follow', { task: task?.id }));
  same([followed.state, followed.text, followed.remote], ['done', 'The comment says the unit.', service]);
  same(await run('agentls.tasks.follow', {}), undefined); // it says to choose one
  await run('agentls.changes.reject', { changeSet: followed.changeSet });
  await becomes(() => parts.work.proposals.length, 0);
});

/** The server's process, which is a child of this one. */
function serverProcess(): number | undefined {
  const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  const line = children.split('\n').find((one) => one.includes('agentls serve'));
  return line ? Number.parseInt(line, 10) : undefined;
}

suite.test('starts the server again when it is killed', async () => {
  const before = await until('the process', serverProcess);
  process.kill(before, 'SIGKILL');
  await until('another process', () => serverProcess() !== before && serverProcess());
  await becomes(() => parts.work.health, { state: 'running' });
  await parts.work.refresh();
  same([parts.work.status?.model, parts.work.entries.length], ['scripted', 2]);
});

const setPath = (value: string | undefined) =>
  settings().update('server.path', value, vscode.ConfigurationTarget.Global);

suite.test('says what to do when the server is missing', async () => {
  const absent = path.join(root.fsPath, 'no-such-agentls');
  await setPath(absent);
  await becomes(() => parts.work.health, {
    state: 'stopped',
    problem: `agentls: there is no program at ${absent}, which the setting agentls.server.path names. Correct it, or clear it to use the server inside the extension.`,
  });
  same(statusView(parts.work).text, '$(error) agentls');
  const document = await vscode.workspace.openTextDocument(tariff);
  same(await run('agentls.explain', placeOf(document, 'further := ')), undefined); // it says so, and does not throw
  await setPath(undefined);
  await becomes(() => parts.work.health, { state: 'running' });
});

suite.test('leaves a server alone that ends too often, until the user wants it again', async () => {
  for (let kills = 0; kills < 5; kills++) {
    const pid = await until('the server', () => parts.work.health.state === 'running' && serverProcess());
    process.kill(pid, 'SIGKILL');
    await until('its end', () => parts.work.health.state !== 'running'); // heard of, too
  }
  const stopped = await until('the problem', () => {
    const { health } = parts.work;
    return health.state === 'stopped' && health.problem.includes('5 times') && health.problem;
  });
  same(/not started again\. Nothing is lost.*Its log says why\.$/.test(stopped), true);
  await becomes(serverProcess, undefined);
  await run('agentls.restart');
  await becomes(() => parts.work.health, { state: 'running' });
  await becomes(() => parts.work.entries.length, 2);
});

suite.test('says that a server does not start, and does not try for ever', async () => {
  const broken = path.join(root.fsPath, '..', 'broken-agentls');
  const starts = `${broken}-starts`;
  const script = `case $1 in version) echo '{"version":"v0.0.1"}' ;; *) echo start >>'${starts}'; exit 3 ;; esac`;
  fs.writeFileSync(broken, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await setPath(broken);
  const stopped = await until('the problem', () => {
    const { health } = parts.work;
    return health.state === 'stopped' && health.problem.includes('does not start') && health.problem;
  });
  same(/Its log says more\.$/.test(stopped), true);
  await new Promise((resolve) => setTimeout(resolve, 500)); // nothing tells that it is not started again
  same(fs.readFileSync(starts, 'utf8'), 'start\n');
  await setPath(undefined);
  await becomes(() => parts.work.health, { state: 'running' });
});

suite.test('starts a server of another version', async () => {
  const other = path.join(root.fsPath, '..', 'other-agentls');
  const started = `${other}-started`;
  const script = `case $1 in version) echo '{"version":"v0.0.1"}' ;; *) touch '${started}'; exec '${parts.connection.bundled}' "$@" ;; esac`;
  fs.writeFileSync(other, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await setPath(other);
  await until('the other server', () => fs.existsSync(started) && parts.work.health.state === 'running');
  await setPath(undefined);
  await until('the server inside', () => serverProcess() && parts.work.health.state === 'running');
});

suite.test('tells in the thread that the model cannot be reached', async () => {
  await settings().update('baseUrl', 'http://127.0.0.1:9/v1', vscode.ConfigurationTarget.Global);
  await parts.work.refresh();
  const document = await vscode.workspace.openTextDocument(tariff);
  const id = await run<string>('agentls.explain', placeOf(document, 'further := '));
  const waiting = await until('the reason', () => {
    const one = parts.work.runs.find(id);
    return one && (one.waiting !== '' || one.state === 'failed') && one;
  });
  same(/127\.0\.0\.1:9|refused/.test(waiting.waiting + (waiting.error ?? '')), true);
  await run('agentls.stop', { run: id });
  same((await done(id)).state, 'failed');
});

/** What VS Code calls. */
export async function run_(): Promise<void> {
  await suite.run();
}

export { run_ as run };
