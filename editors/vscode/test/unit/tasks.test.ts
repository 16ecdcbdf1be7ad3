import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tasks } from '../../src/core/tasks.ts';
import { Work } from '../../src/core/work.ts';
import { FakeServer, status, tasks } from './fake.ts';

const service = 'http://far:1';

async function configured(): Promise<{ server: FakeServer; work: Work; known: Tasks; asked: () => number }> {
  const server = new FakeServer();
  server.answers['agentls.status'] = () => ({ ...status, remote: service });
  server.answers['agentls.changes.list'] = () => ({ proposals: [], entries: [] });
  server.answers['agentls.tasks.list'] = () => ({ url: service, tasks });
  const work = new Work(server);
  const known = new Tasks(server, work);
  work.setHealth({ state: 'running' });
  await work.refresh();
  const asked = () => server.asked.filter(([command]) => command === 'agentls.tasks.list').length;
  return { server, work, known, asked };
}

test('tasks are asked for once a service is configured, and when a run tells of one', async () => {
  const { work, known, asked } = await configured();
  assert.deepEqual([known.service, asked(), known.unfinished], [service, 1, true]);
  work.handle({ kind: 'run.started', run: 'r', title: 't', mode: 'edit', remote: service });
  work.handle({ kind: 'run.text', run: 'r', text: 'x' });
  assert.equal(asked(), 1);
  work.handle({ kind: 'run.step', run: 'r', step: { id: 't4', tool: 'remote', title: 't4', state: 'started' } });
  work.handle({ kind: 'run.done', run: 'r', title: 't', mode: 'edit', source: 'm' });
  assert.equal(asked(), 3);
  work.handle({ kind: 'run.done', run: 'here', title: 't', mode: 'ask', source: 'm' });
  assert.equal(asked(), 3);
});

test('another service has other tasks; an answer of the old one comes too late', async () => {
  const { server, work, known } = await configured();
  let answer = (_: { url: string; tasks: typeof tasks }) => {};
  server.answers['agentls.tasks.list'] = () => new Promise((resolve) => (answer = resolve));
  const late = known.refresh();
  server.answers['agentls.status'] = () => status;
  await work.refresh();
  answer({ url: service, tasks });
  await late;
  assert.deepEqual([known.service, known.list, known.more], [undefined, [], false]);
});

test('a server that is started anew keeps the tasks on screen', async () => {
  const { work, known } = await configured();
  work.setHealth({ state: 'stopped', problem: 'gone' });
  assert.deepEqual([known.service, known.list.length], [service, 3]);
});

test('the page of a task, where there is one', async () => {
  const { server, work, known } = await configured();
  assert.equal(known.page('a b'), 'http://far:1/tasks/a%20b');
  server.answers['agentls.status'] = () => ({ ...status, remote: 'javascript:alert(1)//' });
  await work.refresh();
  assert.equal(known.page('t'), undefined);
});
