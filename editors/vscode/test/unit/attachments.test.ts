import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attachments } from '../../src/core/attachments.ts';

test('what goes with a task, once', () => {
  const attached = new Attachments();
  assert.deepEqual([attached.argument, attached.line], [{}, '']);
  attached.attachOutput('FAIL\n');
  assert.equal(attached.line, 'with 1 line of output');
  attached.attachOutput('FAIL\n\nexit 1\n');
  attached.attachImages(['file:///w/a%20b.png', 'file:///w/c.png']);
  attached.attachImages(['file:///w/c.png']);
  assert.equal(attached.line, 'with 3 lines of output, a b.png and c.png');
  const images = ['file:///w/a%20b.png', 'file:///w/c.png'];
  assert.deepEqual(attached.argument, { output: 'FAIL\n\nexit 1\n', images });
  attached.clear();
  assert.deepEqual([attached.argument, attached.line], [{}, '']);
});
