import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileView } from '../../src/core/contract.ts';
import {
  baseName,
  checksLine,
  checkText,
  distinct,
  hunkEffect,
  notice,
  outcomeLine,
  suggestionLine,
} from '../../src/core/words.ts';
import { checks } from './fake.ts';

const before = 'one\ntwo\nthree\n';

function effect(op: FileView['op'], [from, to]: [number, number], newText: string): string {
  const range = { start: { line: from, character: 0 }, end: { line: to, character: 0 } };
  const hunk = { hunk: 1, state: 'pending' as const, range, newText };
  return hunkEffect({ op, uri: 'file:///w/a.go', to: 'file:///w/b%20c.go', before, hunks: [hunk] }, hunk);
}

test('what a hunk does', () => {
  assert.deepEqual(
    [
      effect('modify', [0, 2], 'x\n'),
      effect('modify', [1, 1], 'x\ny'),
      effect('modify', [1, 2], ''),
      effect('create', [0, 0], 'x\n'),
      effect('delete', [0, 3], ''),
      effect('rename', [0, 0], ''),
    ],
    [
      'replaces 2 lines by 1',
      'inserts 2 lines',
      'removes 1 line',
      'creates this file with 1 line',
      'deletes this file',
      'moves this file to b c.go',
    ],
  );
});

test('what came of an apply', () => {
  const outcome = { title: 'Fix it', files: ['file:///a', 'file:///b'], unsaved: ['file:///a'], conflicts: [] };
  assert.equal(outcomeLine('applied', outcome), 'Fix it: applied in 2 files, 1 not yet saved');
  const conflict = { uri: 'file:///w/a.go', reason: 'the same lines were changed meanwhile', ours: '', theirs: '' };
  assert.equal(
    outcomeLine('undone', { files: [], unsaved: [], conflicts: [conflict, conflict] }),
    'Nothing was undone: a.go: the same lines were changed meanwhile (and 1 more)',
  );
});

test('labels are distinct, names readable', () => {
  assert.deepEqual([distinct('a', []), distinct('a', ['a']), distinct('a', ['a', '2: a'])], ['a', '2: a', '3: a']);
  assert.deepEqual([baseName('file:///w/%E2%82%AC.go'), baseName('file:///w/100%.go')], ['€.go', '100%.go']);
});

test('what could check an unchecked change', () => {
  assert.deepEqual(
    [suggestionLine([]), suggestionLine(['go test ./a', 'go vet ./...'])],
    ['', 'not checked; go test ./a, go vet ./... could do it'],
  );
});

test('checks, in short and as a whole', () => {
  assert.deepEqual(
    [checksLine(undefined), checksLine([]), checksLine(checks), checksLine(checks.slice(0, 1))],
    ['', '', '✗ 2 of 3 checks', '✓ 1 check'],
  );
  assert.deepEqual(checks.map(checkText), [
    '✓ go test ./...\n2.3 s\nconfined: full\n\nok\n',
    '✗ go vet ./...\nexit 1 after 12 s\nconfined: full\n\na.go:1: bad\n',
    '✗ sleep 99\nstopped: the time limit, after 60 s\nconfined: full\n\n',
  ]);
});

test('a notice has an owner, no links and an end', () => {
  assert.equal(notice('see [this](command:evil) now'), 'agentls: see [this] (command:evil) now');
  assert.equal(notice('agentls: as it is'), 'agentls: as it is');
  assert.equal(notice('x'.repeat(100_000)).length < 700, true);
});
