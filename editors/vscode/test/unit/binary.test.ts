import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { Crashes, findServer, type Found } from '../../src/core/binary.ts';

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
});

test('what cannot be run says how it could', async () => {
  const folderThere = path.join(folder, 'bin');
  mkdirSync(folderThere);
  assert.match(
    text(await findServer({ configured: plain, bundled: good, version: '' })),
    /plain is not executable\. Make it so \(chmod \+x\), and restart the server\.$/,
  );
  assert.match(
    text(await findServer({ configured: folderThere, bundled: good, version: '' })),
    /bin is a folder; the setting agentls\.server\.path wants the program in it\.$/,
  );
  assert.deepEqual(await findServer({ configured: '', bundled: plain, version: '' }), {
    problem: {
      message: `agentls: ${plain} is not executable. Make it so (chmod +x), and restart the server.`,
      steps: ['Restart Server'],
    },
  });
});

test('a server that ends too often is left alone, one that ends now and then is not', () => {
  const crashes = new Crashes();
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((second) => crashes.note(second * 1000)),
    [true, true, true, true, false],
  );
  const rare = new Crashes();
  const minutes = Array.from({ length: 20 }, (_, minute) => rare.note(minute * 60_000));
  assert.deepEqual([...new Set(minutes)], [true]);
});

test('a program that is not agentls says so', async () => {
  assert.match(
    text(await findServer({ configured: wrong, bundled: good, version: '' })),
    /wrong is not a server that can be used: .*Is it agentls\?/,
  );
  assert.match(text(await findServer({ configured: silent, bundled: good, version: '' })), /it printed no version/);
  assert.match(text(await findServer({ configured: '', bundled: wrong, version: '' })), /may be for another system/);
});
