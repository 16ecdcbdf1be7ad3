import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { findServer, type Found } from '../../src/core/binary.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'agentls-binary-'));
after(() => rmSync(folder, { recursive: true }));

/** A program in the scratch folder that prints this. */
function program(name: string, printed: string, mode = 0o755): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\nprintf '%s' '${printed}'\n`, { mode });
  return file;
}

const good = program('good', '{"version":"v2","go":"go1.26"}');
const wrong = program('wrong', 'Usage: wrong');
const silent = program('silent', '{}');
const plain = program('plain', '', 0o644);
const absent = path.join(folder, 'absent');

const text = (found: Found) => ('problem' in found ? found.problem : found.warning)?.message ?? 'none';

test('the server inside, or the one that the setting names', async () => {
  assert.deepEqual(await findServer({ configured: '', bundled: good, version: 'v2' }), { path: good });
  assert.deepEqual(await findServer({ configured: good, bundled: absent, version: '' }), { path: good });
});

test('another version is told with what to do, and started', async () => {
  assert.deepEqual(await findServer({ configured: good, bundled: absent, version: 'v3' }), {
    path: good,
    warning: {
      message: `agentls: the server at ${good} is version v2; this extension was made with v3. Some things may not work: use the server inside the extension, or install v3.`,
      steps: ['Use the Server Inside', 'Open Settings'],
    },
  });
});

test('a missing server says what to do', async () => {
  assert.deepEqual(await findServer({ configured: absent, bundled: good, version: '' }), {
    problem: {
      message: `agentls: there is no program at ${absent}, which the setting agentls.server.path names. Correct it, or clear it to use the server inside the extension.`,
      steps: ['Open Settings', 'Use the Server Inside'],
    },
  });
  assert.match(
    text(await findServer({ configured: '', bundled: absent, version: '' })),
    /no server inside.*make vscode.*agentls\.server\.path/,
  );
  assert.match(text(await findServer({ configured: plain, bundled: good, version: '' })), /no program at/);
});

test('a program that is not agentls says so', async () => {
  assert.match(
    text(await findServer({ configured: wrong, bundled: good, version: '' })),
    /wrong is not a server that can be used: .*Is it agentls\?/,
  );
  assert.match(text(await findServer({ configured: silent, bundled: good, version: '' })), /it printed no version/);
  assert.match(text(await findServer({ configured: '', bundled: wrong, version: '' })), /may be for another system/);
});
