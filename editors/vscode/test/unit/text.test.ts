import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileView, Hunk } from '../../src/core/contract.ts';
import { enclosing, Lines, named, preview } from '../../src/core/text.ts';

const at = (line: number, character = 0) => ({ line, character });

function hunk(number: number, [from, to]: [number, number], newText: string, conflict?: string): Hunk {
  const state = conflict ? 'conflict' : 'pending';
  return { hunk: number, state, range: { start: at(from), end: at(to) }, newText, ...(conflict ? { conflict } : {}) };
}

function file(op: FileView['op'], before: string, ...hunks: Hunk[]): FileView {
  return { op, uri: 'file:///w/a.go', before, hunks };
}

/** The marks of a preview, shortly: side, first and last line by hunk. */
const marks = (view: FileView) =>
  preview(view).marks.map(({ hunk: { hunk }, side, first, last }) => [hunk, side, first, last]);

test('offsets count in UTF-16, are clamped, and know all line ends', () => {
  const lines = new Lines('a😀b\r\nc\rd\n');
  assert.deepEqual(
    [at(0, 3), at(0, 99), at(1, 1), at(2, 0), at(3, 0), at(9, 9)].map((position) => lines.offset(position)),
    [3, 4, 7, 8, 10, 10],
  );
  assert.deepEqual([lines.count, lines.lineAt(0), lines.lineAt(4), lines.lineAt(6), lines.lineAt(10)], [4, 0, 0, 1, 3]);
  assert.equal(new Lines('').offset(at(0, 5)), 0);
});

test('a preview has all pending hunks and marks each where it shows', () => {
  const view = file(
    'modify',
    'one\ntwo\nthree\nfour\n',
    hunk(2, [3, 4], 'FOUR\nFIVE\n'),
    hunk(1, [0, 1], ''),
    hunk(3, [2, 2], 'new\n'),
  );
  assert.equal(preview(view).after, 'two\nnew\nthree\nFOUR\nFIVE\n');
  assert.deepEqual(marks(view), [
    [1, 'after', 0, 0],
    [3, 'after', 1, 1],
    [2, 'after', 3, 4],
  ]);
});

test('a hunk in conflict stays out and is marked in what is there now', () => {
  const view = file('modify', 'one\ntwo\n', hunk(1, [0, 1], 'ONE\n', 'changed meanwhile'), hunk(2, [1, 2], 'TWO\n'));
  assert.equal(preview(view).after, 'one\nTWO\n');
  assert.deepEqual(marks(view), [
    [1, 'before', 0, 0],
    [2, 'after', 1, 1],
  ]);
});

test('created, deleted and moved files', () => {
  const created = file('create', '', hunk(1, [0, 0], 'a\nb\n'));
  assert.deepEqual([preview(created).after, marks(created)], ['a\nb\n', [[1, 'after', 0, 1]]]);
  const deleted = file('delete', 'a\nb\n', hunk(1, [0, 2], ''));
  assert.deepEqual([preview(deleted).after, marks(deleted)], ['', [[1, 'before', 0, 1]]]);
  const moved = file('rename', 'a\n', hunk(1, [0, 0], ''));
  assert.deepEqual([preview(moved).after, marks(moved)], ['a\n', [[1, 'after', 0, 0]]]);
});

test('the innermost declaration around a position', () => {
  const range = (from: number, to: number) => ({ start: at(from), end: at(to, 1) });
  const method = { name: 'm', range: range(2, 4), selectionRange: range(2, 2) };
  const type = { name: 'T', range: range(1, 5), selectionRange: range(1, 1), children: [method] };
  const all = [{ name: 'f', range: range(7, 9), selectionRange: range(7, 7) }, type];
  assert.deepEqual(
    [3, 5, 6, 8].map((line) => enclosing(all, at(line))?.name),
    ['m', 'T', undefined, 'f'],
  );
  assert.deepEqual([named(all, 'm'), named(all, 'x')], [method, undefined]);
});
