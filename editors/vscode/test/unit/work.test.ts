import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerView, goesOnFrom } from '../../src/core/conversation.ts';
import { Runs } from '../../src/core/runs.ts';
import { statusView } from '../../src/core/status.ts';
import { proposalNodes, roots, type Node } from '../../src/core/tree.ts';
import { Tasks } from '../../src/core/tasks.ts';
import { Work } from '../../src/core/work.ts';
import { answered, checks, counts, FakeServer, status, tasks } from './fake.ts';

function work(): { server: FakeServer; work: Work } {
  const server = new FakeServer();
  server.answers['agentls.status'] = () => status;
  server.answers['agentls.changes.list'] = () => ({
    proposals: [
      { id: 'a', title: 'Older', files: 1, counts },
      { id: 'b', title: 'Newer', files: 1, counts: { ...counts, inConflict: 1, applied: 4 } },
    ],
    entries: [
      { id: 'e2', changeSet: 'c', title: 'Back', state: 'undone', time: '' },
      { id: 'e1', changeSet: 'c', title: 'There', state: 'applied', time: '', unsaved: ['file:///w/a.go'] },
    ],
  });
  return { server, work: new Work(server) };
}

test('a run as its events tell it', () => {
  const runs = new Runs();
  const views = answered.map((event) => {
    const run = runs.handle(event);
    return run && answerView(run);
  });
  assert.deepEqual(
    views.map((view) => [view?.label, view?.markdown]),
    [
      ['answering…', '_thinking…_'],
      ['answering…', '_search F…_'],
      ['waiting…', '_waiting: the server is busy_'],
      ['answering…', '_thinking…_'],
      ['answering…', 'It is \n\n_thinking…_'],
      ['answering…', 'It is safe.\n\n_thinking…_'],
      ['m · 100 tokens', 'It is safe.'],
    ],
  );
});

test('the whole answer wins over what was streamed', () => {
  const runs = new Runs();
  runs.handle({ kind: 'run.text', run: 'r', text: 'twice twice' });
  runs.handle({ kind: 'run.done', run: 'r', title: 't', mode: 'ask', answer: 'once', source: 'm' });
  assert.equal(runs.find('r')?.text, 'once');
});

test('a failed run says why, below what came before', () => {
  const runs = new Runs();
  runs.handle({ kind: 'run.text', run: 'r', text: 'So far' });
  const run = runs.handle({ kind: 'run.failed', run: 'r', title: 't', error: 'stopped by the user' });
  assert.deepEqual(run && answerView(run), { label: 'failed', markdown: 'So far\n\n✗ stopped by the user' });
});

test('old runs are forgotten, those under way never', () => {
  const runs = new Runs();
  runs.handle({ kind: 'run.started', run: 'slow', title: 'Slow', mode: 'ask' });
  for (let number = 0; number < 100; number++) {
    runs.handle({ kind: 'run.done', run: `r${number}`, title: 't', mode: 'ask', source: 'm' });
  }
  const ids = runs.all().map((run) => run.id);
  assert.deepEqual([ids.length <= 31, ids[0], ids.at(-1)], [true, 'r99', 'slow']);
});

test('what is void of an answer goes, by bytes', () => {
  const runs = new Runs();
  runs.handle({ kind: 'run.text', run: 'r', text: 'First: ü → twice' });
  const run = runs.handle({
    kind: 'run.waiting',
    run: 'r',
    text: 'the connection broke',
    void: 'ü → twice'.length + 3,
  });
  assert.deepEqual([run?.text, run?.waiting], ['First: ', 'the connection broke']);
  runs.handle({ kind: 'run.text', run: 'r', text: 'once' });
  assert.equal(run?.text, 'First: once');
});

test('a very long answer is cut in its thread, and says where the rest is', () => {
  const runs = new Runs();
  const run = runs.handle({ kind: 'run.text', run: 'r', text: 'x'.repeat(1_000_000) });
  const { markdown } = answerView(run ?? runs.track('r'));
  assert.equal(markdown.length < 50_000, true);
  assert.match(markdown, /x…\n\n_The answer goes on: open it as a document/);
  assert.equal(run?.text.length, 1_000_000);
});

test('a reply goes on from the last answer that the server still knows', () => {
  const runs = new Runs();
  const exchange = (run: string) => ({ question: '', run: runs.track(run) });
  const done = (run: string) => runs.handle({ kind: 'run.done', run, title: 't', mode: 'ask', source: 'm' });
  done('r1');
  done('r2');
  runs.handle({ kind: 'run.failed', run: 'r3', title: 't', error: 'no luck' });
  const exchanges = ['r1', 'r2', 'r3', 'r4'].map(exchange);
  assert.equal(goesOnFrom(exchanges), 'r2');
  assert.equal(goesOnFrom([]), undefined);
  runs.abandon();
  assert.equal(goesOnFrom(exchanges), undefined);
});

test('a restart fails the runs here and leaves those at the service', async () => {
  const { work: now } = work();
  now.setHealth({ state: 'running' });
  now.handle({ kind: 'run.started', run: 'here', title: 'Here', mode: 'ask' });
  now.handle({ kind: 'run.started', run: 'there', title: 'There', mode: 'edit', remote: 'http://far' });
  now.setHealth({ state: 'starting' });
  assert.deepEqual(
    now.runs.all().map(({ state, error }) => [state, error]),
    [
      ['failed', 'the server has gone; the task goes on at http://far: follow it in the view Work'],
      ['failed', 'the server has gone'],
    ],
  );
});

test('the status bar: starting, ready, busy, wrong, gone', async () => {
  const { server, work: now } = work();
  const texts = [statusView(now).text];
  now.setHealth({ state: 'running' });
  await now.refresh();
  texts.push(statusView(now).text);
  now.handle({ kind: 'index.started' });
  now.handle({ kind: 'run.started', run: 'r', title: 't', mode: 'ask' });
  texts.push(statusView(now).text);
  server.answers['agentls.status'] = () => ({ ...status, error: 'no model is named' });
  await now.refresh();
  texts.push(statusView(now).text);
  now.setHealth({ state: 'stopped', problem: 'It is not there.' });
  texts.push(statusView(now).text);
  assert.deepEqual(texts, [
    '$(loading~spin) agentls',
    '$(sparkle) agentls: m  $(git-pull-request) 2',
    '$(loading~spin) agentls: m  indexing  1 running  $(git-pull-request) 2',
    '$(warning) agentls: index',
    '$(error) agentls',
  ]);
  assert.deepEqual(statusView(now), {
    text: '$(error) agentls',
    tooltip: 'It is not there.',
    spoken: 'agentls: stopped',
    severity: 'error',
  });
  assert.equal(now.runs.find('r')?.error, 'the server has gone');
});

test('the status bar says how commands are confined, where tasks can run, and reads without icons', async () => {
  const { server, work: now } = work();
  server.answers['agentls.status'] = () => ({ ...status, confinement: 'full: a *view*', remote: 'http://far:1' });
  now.setHealth({ state: 'running' });
  await now.refresh();
  const { tooltip, spoken } = statusView(now);
  assert.equal(spoken, 'agentls: m, 2 to review');
  assert.deepEqual(tooltip.split('\n\n'), [
    '**m** answers (the test).',
    'Index: 3 files, 1 symbol.',
    '2 proposals to review.',
    'Commands of the agent: full: a \\*view\\*.',
    'Tasks can run at http://far:1.',
    'Server v1.',
  ]);
});

test('a refresh resolves with an answer asked for since; calls meanwhile share one', async () => {
  const { server, work: now } = work();
  const first = now.refresh();
  const later = [now.refresh(), now.refresh()];
  server.answers['agentls.status'] = () => ({ ...status, files: 99 });
  await Promise.all(later);
  await first;
  assert.equal(now.status?.files, 99);
  assert.equal(server.asked.filter(([command]) => command === 'agentls.status').length, 2);
});

test('a server that has gone leaves what was known', async () => {
  const { server, work: now } = work();
  await now.refresh();
  server.answers['agentls.status'] = () => Promise.reject(new Error('gone'));
  await now.refresh();
  assert.equal(now.proposals.length, 2);
});

/** A line of the tree as a user reads it, with its actions. */
function line(node: Node): string {
  return 'context' in node ? `${node.label} | ${node.description} | ${node.context}` : node.label;
}

function lines(groups: Node[]): string[][] {
  return groups.map((group) => [group, ...('children' in group ? group.children : [])].map(line));
}

test('the tree: what waits newest first, runs, history', async () => {
  const { server, work: now } = work();
  answered.forEach((event) => now.handle(event));
  now.handle({ kind: 'run.failed', run: 'bad', title: 'Change F', error: 'no luck' });
  await now.refresh();
  assert.deepEqual(lines(roots(now, new Tasks(server, now))), [
    ['To review', 'Newer | 3 to review · 4 applied · +3 −1 | proposal', 'Older | 2 to review · +3 −1 | proposal'],
    ['Runs', 'Change F | no luck | run.failed', 'Ask about F | m | run.done'],
    ['History', 'Back | undone | entry.undone', 'There | applied · 1 unsaved | entry.applied'],
  ]);
  const nothing = new Work(new FakeServer());
  assert.deepEqual(roots(nothing, new Tasks(server, nothing)), []);
});

test('the tree: the steps of a run, with what each says of itself', () => {
  const { server, work: now } = work();
  const step = { tool: 'shell', title: 'go test', state: 'started' as const };
  now.handle({ kind: 'run.started', run: 'r', title: 'Change F', mode: 'edit', remote: 'http://far:1' });
  now.handle({ kind: 'run.step', run: 'r', step: { ...step, id: '1' } });
  now.handle({ kind: 'run.step', run: 'r', step: { ...step, id: '1', state: 'done', detail: 'exit 1 after 2.3 s' } });
  now.handle({ kind: 'run.step', run: 'r', step: { ...step, id: '2', state: 'failed', error: 'refused' } });
  now.handle({ kind: 'run.step', run: 'r', step: { ...step, id: '3' } });
  const [group] = roots(now, new Tasks(server, now));
  const [run] = group && 'children' in group ? group.children : [];
  assert.deepEqual(lines(run ? [run] : []), [
    [
      'Change F | at far:1 · go test… | run.running',
      'go test | exit 1 after 2.3 s | step',
      'go test | refused | step',
      'go test |  | step',
    ],
  ]);
});

test('the tree: the tasks at the service, older ones, and why they cannot be had', async () => {
  const { server, work: now } = work();
  server.answers['agentls.status'] = () => ({ ...status, remote: 'http://far:1' });
  server.answers['agentls.changes.list'] = () => ({ proposals: [], entries: [] });
  server.answers['agentls.tasks.list'] = () => ({ url: 'http://far:1', tasks: tasks.slice(0, 2), cursor: 'c' });
  const service = new Tasks(server, now);
  now.setHealth({ state: 'running' });
  await now.refresh();
  await service.refresh();
  assert.deepEqual(lines(roots(now, service)), [
    [
      'Tasks at far:1',
      'Newest | running · 2 attempts | task.open',
      'Middle | done · 2 files +3 −0 | task.over',
      'Older tasks… |  | note',
    ],
  ]);
  server.answers['agentls.tasks.list'] = () => ({ url: 'http://far:1', tasks: tasks.slice(1) });
  await service.loadMore();
  assert.deepEqual(server.asked.at(-1), ['agentls.tasks.list', { cursor: 'c' }]);
  server.answers['agentls.tasks.list'] = () => Promise.reject(new Error('http://far:1: the token is wrong'));
  await service.refresh();
  assert.deepEqual(lines(roots(now, service)), [
    [
      'Tasks at far:1',
      'http://far:1: the token is wrong |  | note',
      'Newest | running · 2 attempts | task.open',
      'Middle | done · 2 files +3 −0 | task.over',
      'Oldest | cancelled | task.over',
    ],
  ]);
});

test('the tree: checks, files and hunks of a proposal', () => {
  const range = { start: { line: 4, character: 0 }, end: { line: 4, character: 0 } };
  const nodes = proposalNodes({
    id: 's',
    title: 'T',
    checks,
    files: [
      {
        op: 'modify',
        uri: 'file:///w/a%20b.go',
        before: '',
        hunks: [
          { hunk: 1, state: 'pending', range, newText: 'x\ny\n' },
          { hunk: 2, state: 'conflict', range, newText: 'x\n', conflict: 'changed' },
        ],
      },
    ],
  });
  assert.deepEqual(lines(nodes), [
    ['go test ./... | 2.3 s | check'],
    ['go vet ./... | exit 1 after 12 s | check'],
    ['sleep 99 | stopped: the time limit, after 60 s | check'],
    ['a b.go | 2 hunks | file', 'Line 5 | inserts 2 lines | hunk', 'Line 5 | conflict: changed | conflict'],
  ]);
  const file = nodes.at(-1);
  const hunks = file && 'children' in file ? file.children : [];
  assert.deepEqual(
    hunks.map((node) => ('selection' in node ? node.selection : undefined)),
    [1, 2].map((hunk) => ({ changeSet: 's', uri: 'file:///w/a%20b.go', hunk })),
  );
});
