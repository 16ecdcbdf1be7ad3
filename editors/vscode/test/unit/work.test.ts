import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerView, followUp } from '../../src/core/conversation.ts';
import { Runs } from '../../src/core/runs.ts';
import { statusView } from '../../src/core/status.ts';
import { fileNodes, roots } from '../../src/core/tree.ts';
import { Work } from '../../src/core/work.ts';
import { answered, counts, FakeServer, status } from './fake.ts';

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
      ['answering…', '$(loading~spin) thinking'],
      ['answering…', '$(loading~spin) search F'],
      ['waiting…', '$(watch) the server is busy'],
      ['answering…', '$(loading~spin) thinking'],
      ['answering…', 'It is \n\n$(loading~spin) thinking'],
      ['answering…', 'It is safe.\n\n$(loading~spin) thinking'],
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
  assert.deepEqual(run && answerView(run), { label: 'failed', markdown: 'So far\n\n$(error) stopped by the user' });
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

test('a reply carries the conversation to a model, and goes alone to the index', () => {
  const run = new Runs().track('r');
  Object.assign(run, { state: 'done', text: 'x'.repeat(5000), title: 'Ask about F' });
  const sent = followUp([{ question: '', run }], 'Why?', 'm');
  assert.equal(
    sent,
    `Earlier in this conversation:\n\nQuestion: Ask about F\nAnswer: ${'x'.repeat(4000)}\n\nQuestion now: Why?`,
  );
  assert.equal(followUp([{ question: '', run }], 'Why?', undefined), 'Why?');
  assert.equal(followUp([], 'Why?', 'm'), 'Why?');
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
  assert.deepEqual(statusView(now), { text: '$(error) agentls', tooltip: 'It is not there.', severity: 'error' });
  assert.equal(now.runs.find('r')?.error, 'the server has gone');
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

test('the tree: what waits newest first, runs, history', async () => {
  const { work: now } = work();
  answered.forEach((event) => now.handle(event));
  now.handle({ kind: 'run.failed', run: 'bad', title: 'Change F', error: 'no luck' });
  await now.refresh();
  const lines = roots(now).map((group) => {
    const children = 'children' in group ? group.children : [];
    return [
      group.label,
      ...children.map((node) => ('context' in node ? `${node.label} | ${node.description} | ${node.context}` : '')),
    ];
  });
  assert.deepEqual(lines, [
    ['To review', 'Newer | 3 to review · 4 applied · +3 −1 | proposal', 'Older | 2 to review · +3 −1 | proposal'],
    ['Runs', 'Change F | no luck | run.failed', 'Ask about F | m | run.done'],
    ['History', 'Back | undone | entry.undone', 'There | applied · 1 unsaved | entry.applied'],
  ]);
  assert.deepEqual(roots(new Work(new FakeServer())), []);
});

test('the tree: files and hunks of a proposal', () => {
  const range = { start: { line: 4, character: 0 }, end: { line: 4, character: 0 } };
  const nodes = fileNodes({
    id: 's',
    title: 'T',
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
  const lines = nodes.flatMap((node) => ('children' in node ? [node, ...node.children] : [node]));
  assert.deepEqual(
    lines.map((node) => ('selection' in node ? [node.label, node.description, node.context, node.selection] : [])),
    [
      ['a b.go', '2 hunks', 'file', { changeSet: 's', uri: 'file:///w/a%20b.go' }],
      ['Line 5', 'inserts 2 lines', 'hunk', { changeSet: 's', uri: 'file:///w/a%20b.go', hunk: 1 }],
      ['Line 5', 'conflict: changed', 'conflict', { changeSet: 's', uri: 'file:///w/a%20b.go', hunk: 2 }],
    ],
  );
});
