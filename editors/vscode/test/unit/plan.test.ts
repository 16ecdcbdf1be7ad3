import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlan, planText } from '../../src/core/plan.ts';
import { Runs } from '../../src/core/runs.ts';

test('a plan is the same after it was text', () => {
  const plan = [
    { step: 'look around', status: 'completed' as const },
    { step: 'rename', status: 'pending' as const },
  ];
  assert.equal(planText(plan), '- [x] look around\n- [ ] rename\n');
  assert.deepEqual(parsePlan(planText(plan)), plan);
});

test('a plan that a user wrote needs no boxes', () => {
  assert.deepEqual(parsePlan('# Plan\n* rename it\r\nand so on\n'), [{ step: 'rename it', status: 'pending' }]);
});

test('a run waits for an answer until it is given or the run ends', () => {
  const runs = new Runs();
  runs.handle({ kind: 'run.question', run: 'r', text: 'Which?', options: ['a'] });
  assert.deepEqual(runs.find('r')?.question, { text: 'Which?', options: ['a'] });
  runs.handle({
    kind: 'run.usage',
    run: 'r',
    usage: { requests: 1, inputTokens: 1, cachedTokens: 0, outputTokens: 1 },
  });
  assert.equal(runs.find('r')?.question?.text, 'Which?');
  runs.handle({ kind: 'run.failed', run: 'r', title: 'T', error: 'stopped' });
  assert.equal(runs.find('r')?.question, undefined);
});

test('a run that was cut off or paused can go on', () => {
  const runs = new Runs();
  runs.handle({ kind: 'run.cutoff', run: 'r', title: 'T', mode: 'edit' });
  assert.equal(runs.find('r')?.goesOn, true);
  runs.handle({ kind: 'run.started', run: 'r', title: 'T', mode: 'edit' });
  assert.equal(runs.find('r')?.goesOn, false);
  runs.handle({ kind: 'run.done', run: 'r', title: 'T', mode: 'edit', source: 'm', paused: 'the budget is spent' });
  assert.equal(runs.find('r')?.goesOn, true);
});
