import assert from 'node:assert/strict';
import { test } from 'node:test';
import { navigates } from '../../src/core/navigation.ts';

test('auto leaves a language to an extension that serves it', () => {
  assert.equal(navigates('auto', 'go', []), true);
  assert.equal(navigates('auto', 'go', ['vscode.typescript-language-features', 'Golang.Go']), false);
  assert.equal(navigates('auto', 'python', ['Golang.Go']), true);
});

test('on and off ask nobody', () => {
  assert.equal(navigates('on', 'go', ['golang.go']), true);
  assert.equal(navigates('off', 'go', []), false);
});
