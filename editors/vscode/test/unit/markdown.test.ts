import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fenced, plain, withoutImages } from '../../src/core/markdown.ts';

test('images of a model become links, code stays as it is', () => {
  const cases: [string, string][] = [
    ['See ![it](https://spy.example/?x=1) and ![ref][1].', 'See \\![it](https://spy.example/?x=1) and \\![ref][1].'],
    ['`![a](b)` and ``![`a`](b)`` stay', '`![a](b)` and ``![`a`](b)`` stay'],
    ['```js\nif (![1].length) {}\n```\n![a](b)', '```js\nif (![1].length) {}\n```\n\\![a](b)'],
    ['~~~\n![a](b)\n~~~\n', '~~~\n![a](b)\n~~~\n'],
    ['```\n![still streaming', '```\n![still streaming'],
    ['a ` alone ![a](b)', 'a ` alone \\![a](b)'],
    ['[![badge](x)](y)', '[\\![badge](x)](y)'],
  ];
  for (const [given, want] of cases) {
    assert.equal(withoutImages(given), want);
  }
});

test('a text as Markdown is nothing but text', () => {
  assert.equal(
    plain('grep a_b *.go | [x](y) <b> $(error)'),
    'grep a\\_b \\*.go \\| \\[x\\]\\(y\\) \\<b\\> $\\(error\\)',
  );
});

test('a block of code has a fence that its text does not end', () => {
  assert.equal(fenced('a\n```\nb'), '````text\na\n```\nb\n````');
});
