/** What the tests in a real VS Code share: a scratch folder, the scripted model, code-server, and a browser on it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Browser, type Page } from 'playwright-core';

const here = import.meta.dirname;

/** The folder of the extension. */
export const extension = path.dirname(here);

/** A path that test.sh built and names in the environment. */
function built(variable: string): string {
  const value = process.env[variable];
  if (!value) {
    throw new Error(`${variable} is not set: run test.sh`);
  }
  return value;
}

/** Polls until `look` returns something; `what` is for the message when it does not within `limit` milliseconds. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>, limit = 30_000): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    if (Date.now() > end) {
      throw new Error(`waited ${limit} ms for ${what}`);
    }
    await sleep(50);
  }
}

/** A running VS Code on a copy of the sample project, with the model playing `scripts`. */
export class Stage {
  readonly dir = fs.mkdtempSync(path.join(tmpdir(), 'agentls-vscode-'));
  /** The sample project; the folder around it has a name that every URI must get right. */
  readonly project = path.join(this.dir, 'a b (ü)+%41&', 'parcel');
  address = '';
  /** What the editor, and so the tests in it, find in their environment. */
  readonly environment: Record<string, string> = {};
  #model: ChildProcess | undefined;
  #service: ChildProcess | undefined;
  #url = '';
  #settings: Record<string, unknown> = {};
  #server: ChildProcess | undefined;
  #browser: Browser | undefined;

  /** Prepares the scratch folder and starts the model. */
  async prepare(scripts: string[]): Promise<void> {
    fs.cpSync(path.join(here, 'testdata/parcel'), this.project, { recursive: true });
    fs.mkdirSync(this.path('home'));
    fs.writeFileSync(this.path('home/.profile'), `PATH='${process.env['PATH']}'\n`); // the editor asks a login shell
    fs.writeFileSync(this.path('config.yaml'), '');
    this.#url = await this.#startModel(scripts);
    this.configure({
      'agentls.baseUrl': this.#url,
      'agentls.model': 'scripted',
      'agentls.verify': ['gofmt -l .', 'go list ./...'],
      'chat.disableAIFeatures': true,
      'editor.cursorBlinking': 'solid',
      'editor.lightbulb.enabled': 'off',
      'extensions.autoCheckUpdates': false,
      'extensions.autoUpdate': false,
      'files.autoSave': 'off', // in a browser the default is on
      'security.workspace.trust.enabled': false,
      'telemetry.telemetryLevel': 'off',
      'update.mode': 'none',
      'window.confirmBeforeClose': 'never',
      'workbench.secondarySideBar.defaultVisibility': 'hidden',
      'workbench.startupEditor': 'none',
      'workbench.tips.enabled': false,
    });
  }

  /** Adds to the user's settings. */
  configure(settings: Record<string, unknown>): void {
    Object.assign(this.#settings, settings);
    for (const scope of ['User', 'Machine']) {
      const file = this.path('user', scope, 'settings.json'); // settings of scope "machine" are read from there alone
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, JSON.stringify(this.#settings));
    }
  }

  path(...parts: string[]): string {
    return path.join(this.dir, ...parts);
  }

  /** The sample project's file as it is on disk; undefined if it is not there. */
  read(name: string): string | undefined {
    const file = path.join(this.project, name);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
  }

  /** Starts a task service that wants this token, with the server of the package and the same model. */
  async startService(token: string): Promise<string> {
    fs.writeFileSync(this.path('tokens'), `${token}\n`, { mode: 0o600 });
    const options = ['--listen', '127.0.0.1:0', '--data', this.path('tasks'), '--token-file', this.path('tokens')];
    const model = ['--base-url', this.#url, '--model', 'scripted'];
    const log = fs.openSync(this.path('service.log'), 'w');
    this.#service = spawn(path.join(extension, 'bin/agentls'), ['remote', 'serve', ...options, ...model], {
      env: this.#environment(),
      stdio: ['ignore', log, log],
    });
    return until('the service', async () => {
      return /http:\/\/[\d.:]+/.exec(fs.readFileSync(this.path('service.log'), 'utf8'))?.[0];
    });
  }

  #environment(): Record<string, string | undefined> {
    return { PATH: process.env['PATH'], HOME: this.path('home'), LANG: 'C.UTF-8', ...this.environment };
  }

  /** Installs the packaged extension. */
  async install(vsix: string): Promise<void> {
    const installer = this.#codeServer(['--install-extension', vsix], 'install.log');
    const [code] = await once(installer, 'exit');
    if (code !== 0) {
      throw new Error(`the extension was not installed: ${fs.readFileSync(this.path('install.log'), 'utf8')}`);
    }
  }

  /** Starts code-server. */
  async serve(...options: string[]): Promise<void> {
    const port = await freePort();
    this.address = `127.0.0.1:${port}`;
    this.#server = this.#codeServer([...options, '--auth', 'none', '--bind-addr', this.address], 'server.log');
    const healthy = async () => (await fetch(`http://${this.address}/healthz`).catch(() => undefined))?.ok;
    await until('code-server', healthy, 60_000);
  }

  /** Opens a page in Chromium. */
  async page(): Promise<Page> {
    this.#browser = await chromium.launch({
      executablePath: process.env['AGENTLS_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'],
    });
    return this.#browser.newPage({ viewport: { width: 1400, height: 860 } });
  }

  /** Ends everything. The scratch folder of a failure stays. It rejects if a request failed the model's checks. */
  async end(outcome: 'passed' | 'failed'): Promise<void> {
    await this.#browser?.close();
    await ended(this.#server, 'SIGTERM');
    await ended(this.#service, 'SIGTERM');
    this.#model?.stdin?.end();
    const code = await ended(this.#model);
    if (outcome === 'failed') {
      console.error(`everything is kept in ${this.dir}`);
      return;
    }
    if (code !== 0) {
      throw new Error('the model was not asked as its scripts want it; see above');
    }
    fs.rmSync(this.dir, { recursive: true, force: true });
  }

  async #startModel(scripts: string[]): Promise<string> {
    const files = scripts.map((name) => path.join(here, 'testdata/scripts', `${name}.txtar`));
    this.#model = spawn(built('AGENTLS_TEST_MODEL'), files, { stdio: ['pipe', 'pipe', 'inherit'] });
    const [printed] = await once(this.#model.stdout ?? this.#model, 'data');
    return String(printed).trim();
  }

  #codeServer(options: string[], log: string): ChildProcess {
    const out = fs.openSync(this.path(log), 'w');
    const folders = ['--user-data-dir', this.path('user'), '--extensions-dir', this.path('extensions')];
    const quiet = ['--disable-telemetry', '--disable-update-check', '--disable-workspace-trust', '--disable-proxy'];
    return spawn(
      process.execPath,
      [built('AGENTLS_TEST_EDITOR'), '--config', this.path('config.yaml'), ...folders, ...quiet, ...options],
      { env: this.#environment(), stdio: ['ignore', out, out] },
    );
  }
}

/** Waits for a process that was told to end, and kills it when it does not. Returns its exit code. */
async function ended(child: ChildProcess | undefined, signal?: NodeJS.Signals): Promise<number | null> {
  if (!child || child.exitCode !== null || child.signalCode !== null) {
    return child?.exitCode ?? null;
  }
  const exit = once(child, 'exit');
  if (signal) {
    child.kill(signal);
  }
  const late = sleep(10_000).then(() => child.kill('SIGKILL'));
  await Promise.race([exit, late.then(() => exit)]);
  return child.exitCode;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}
