/** Runs the extension-host tests (index.ts, bundled) in a real VS Code. */
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { extension, Stage } from '../harness.ts';

const limit = 240_000; // milliseconds for all tests

const stage = new Stage();
let outcome: 'passed' | 'failed' = 'failed';
try {
  await stage.prepare(['ask', 'reply', 'change', 'conflict', 'problems', 'question', 'slow', 'remote']);
  stage.environment['AGENTLS_TEST_SERVICE'] = await stage.startService('sesame');
  await stage.serve('--vscode-option', 'enable-smoke-test-driver');
  const page = await stage.page();
  const exit = new Promise<number>((resolve) => void page.exposeFunction('codeAutomationExit', resolve));
  await page.exposeFunction('codeAutomationLog', () => undefined);
  page.on('console', (message) => {
    const [, line] = /\[host\] (.*)/s.exec(message.text()) ?? [];
    if (line) {
      console.log(line);
    }
  });
  const remote = (file: string) => `vscode-remote://${stage.address}${path.join(extension, file)}`;
  const payload = JSON.stringify([
    ['extensionDevelopmentPath', remote('.')],
    ['extensionTestsPath', remote('dist/host-tests.cjs')],
  ]);
  await page.goto(
    `http://${stage.address}/?folder=${encodeURIComponent(stage.project)}&payload=${encodeURIComponent(payload)}`,
  );
  const code = await Promise.race([exit, sleep(limit, 'late', { ref: false })]);
  if (code === 0) {
    outcome = 'passed';
  } else {
    console.error(code === 'late' ? `the tests did not end within ${limit} ms` : 'tests failed');
    await page.screenshot({ path: stage.path('failed.png') });
  }
} finally {
  await stage.end(outcome);
}
process.exit(outcome === 'passed' ? 0 : 1);
