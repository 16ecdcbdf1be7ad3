/**
 * One walk on screen, as a user takes it: ask, reply, change, review, reject a hunk, apply, undo. Pictures of it go to
 * the folder in AGENTLS_PICTURES, if that is set.
 */
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Locator, Page } from 'playwright-core';
import { extension, Stage, until } from '../harness.ts';
import { begins, ends } from '../report.ts';

const stage = new Stage();
const pictures = process.env['AGENTLS_PICTURES'];

/** Takes a step of the walk, and tells of it as of a test. */
async function step<T>(name: string, take: () => Promise<T>): Promise<T> {
  const begin = Date.now();
  const test = `screen/${name}`;
  console.log(begins(test));
  try {
    const result = await take();
    console.log(ends(test, 'PASS', Date.now() - begin));
    return result;
  } catch (error) {
    console.log(`${error instanceof Error ? error.stack : error}\n${ends(test, 'FAIL', Date.now() - begin)}`);
    throw error;
  }
}

/** Where the edge of the side bar is when the editor starts. */
const sash = { x: 350, y: 600 };

/** Where nothing has a tooltip. */
const nothing = { x: 26, y: 560 };

/** The editor, as the user's hands and eyes know it. */
class Screen {
  #page: Page;

  constructor(page: Page) {
    this.#page = page;
    page.setDefaultTimeout(45_000);
  }

  /** Opens a file of the project. */
  async open(name: string): Promise<void> {
    await this.#page.keyboard.press('Control+P');
    await this.#page.locator('.quick-input-widget input').first().waitFor();
    await this.#page.keyboard.type(name);
    await this.#page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().waitFor();
    await this.#page.keyboard.press('Enter');
    await this.#page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
  }

  /** Puts the cursor on a line, counted from 1. */
  async goTo(line: number): Promise<void> {
    await this.#page.keyboard.press('Control+G');
    await this.#page.locator('.quick-input-widget input').first().waitFor();
    await this.#page.keyboard.type(String(line));
    await this.#page.keyboard.press('Enter');
    await this.statusBar(`Ln ${line}`).waitFor();
  }

  /** Runs a command by its name in the palette. */
  async command(name: string): Promise<void> {
    await this.#page.keyboard.press('F1');
    await this.#page.locator('.quick-input-widget input').first().waitFor();
    await this.#page.keyboard.type(name);
    await this.#page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().waitFor();
    await this.#page.keyboard.press('Enter');
  }

  /** Answers the input box with this title. */
  async answer(title: string, text: string): Promise<void> {
    await this.#page.locator('.quick-input-title', { hasText: title }).waitFor();
    await this.#page.keyboard.type(text);
    await this.#page.keyboard.press('Enter');
  }

  statusBar(text: string): Locator {
    return this.#page.locator('.statusbar-item', { hasText: text }).first();
  }

  thread(text: string): Locator {
    return this.#page.locator('.review-widget', { hasText: text });
  }

  /** The thread on a hunk in a review. */
  hunk(file: string, effect: string): Locator {
    return this.thread(file).filter({ hasText: effect });
  }

  tree(text: string): Locator {
    return this.#page.locator('.pane-body .monaco-list-row', { hasText: text }).first();
  }

  /** How many runs the tree shows as handed to the service. */
  async tasks(): Promise<number> {
    await this.tree('at 127.0.0.1').waitFor();
    return this.#page.locator('.pane-body .monaco-list-row', { hasText: /at 127\.0\.0\.1:\d+ ·/ }).count();
  }

  notification(text: string): Locator {
    return this.#page.locator('.notification-list-item', { hasText: text });
  }

  /** The text of the editor in front. */
  async text(): Promise<string> {
    const lines = await this.#page.locator('.editor-instance .view-line').allInnerTexts();
    return lines.join('\n').replaceAll('\u00a0', ' ');
  }

  titleButton(name: string): Locator {
    return this.#page.locator(`.editor-actions .action-label[aria-label^="${name}"]`);
  }

  /** Leaves the status bar to what belongs to every VS Code, and gives the tree room for its titles. */
  async tidy(): Promise<void> {
    if (!pictures) {
      return;
    }
    for (const item of ['status.forwardedPorts', 'status.workbench.keyboardLayout']) {
      await this.#page.locator(`[id="${item}"]`).click({ button: 'right' });
      const menu = this.#page.locator('.context-view .action-item', { hasText: "Hide '" });
      await menu.waitFor();
      await this.#page.keyboard.press('End');
      await this.#page.keyboard.press('Enter');
      await menu.waitFor({ state: 'detached' });
    }
    await this.#page.mouse.move(sash.x, sash.y);
    await this.#page.mouse.down();
    await this.#page.mouse.move(sash.x + 90, sash.y, { steps: 5 });
    await this.#page.mouse.up();
    await this.#page.mouse.move(nothing.x, nothing.y);
  }

  /** Takes a picture of what is on screen now. */
  async snap(name: string): Promise<void> {
    if (pictures) {
      await this.#page.screenshot({ path: path.join(pictures, `${name}.png`) });
    }
  }

  /** Takes a picture once nothing moves any more. */
  async picture(name: string): Promise<void> {
    if (!pictures) {
      return;
    }
    await this.#page.mouse.move(nothing.x, nothing.y);
    let before: Buffer = Buffer.alloc(0);
    await until('a still screen', async () => {
      const now = await this.#page.screenshot();
      const still = now.equals(before);
      before = now;
      await this.#page.waitForTimeout(400);
      return still;
    });
    writeFileSync(path.join(pictures, `${name}.png`), before);
  }

  async failure(): Promise<void> {
    await this.#page.screenshot({ path: stage.path('failed.png') });
  }

  /** The keyboard and all else. */
  get page(): Page {
    return this.#page;
  }
}

/** The walk, step by step; each goes on where the one before it ended. */
async function walk(screen: Screen): Promise<void> {
  await step('the server starts', async () => {
    await screen.open('tariff.go');
    await screen.statusBar('agentls: scripted').waitFor();
    await screen.tidy();
  });
  await step('a question', () => ask(screen));
  await step('a reply', () => askOn(screen));
  await step('a closed thread', () => closeThread(screen));
  await step('a proposal', () => propose(screen));
  await step('a rejected hunk', () => rejectHunk(screen));
  await step('an accepted hunk', () => acceptHunk(screen));
  await step('apply', () => apply(screen));
  await step('undo', () => undo(screen));
  await step('a task at the service', () => changeRemotely(screen));
}

async function ask(screen: Screen): Promise<void> {
  await screen.goTo(22);
  await screen.command('agentls: Ask About This');
  await screen.answer('Ask about Tariff', 'Is it safe for concurrent use?');
  const thread = screen.thread('Ask about Tariff');
  await thread.getByText('Yes: ').waitFor();
  await screen.snap('vscode-ask-streaming');
  await thread.getByText('a typo in an order ends the program').waitFor();
}

async function askOn(screen: Screen): Promise<void> {
  const thread = screen.thread('Ask about Tariff');
  await thread.locator('.review-thread-reply-button').click();
  await screen.page.keyboard.type('Who calls it?');
  await thread.locator('.monaco-button:not(.disabled)', { hasText: 'Ask' }).waitFor(); // what is typed is taken in
  await screen.page.keyboard.press('Control+Enter');
  await thread.getByText('and its test').waitFor();
  await screen.picture('vscode-ask');
}

async function closeThread(screen: Screen): Promise<void> {
  const thread = screen.thread('Ask about Tariff');
  await thread.locator('.action-label[aria-label^="Close"]').click();
  await thread.waitFor({ state: 'detached' });
}

async function propose(screen: Screen): Promise<void> {
  await screen.command('agentls: Change This');
  await screen.answer('Change Tariff', 'Return an error instead of panicking');
  const proposal = screen.notification('Change Tariff: 7 to review');
  await proposal.waitFor();
  await screen.notification('Source: agentls').getByRole('button', { name: 'Cancel' }).waitFor({ state: 'detached' });
  await screen.picture('vscode-proposal');
  await proposal.getByRole('button', { name: 'Review' }).click();
  await screen.hunk('order.go', 'replaces 2 lines by 2').waitFor();
  await screen.command('View: Show agentls');
  await screen.tree('To review').waitFor();
  await screen.picture('vscode-review');
}

async function rejectHunk(screen: Screen): Promise<void> {
  const hunk = screen.hunk('order.go', 'replaces 2 lines by 2');
  await hunk.locator('.action-label[aria-label^="Reject"]').click();
  await hunk.waitFor({ state: 'detached' });
  await screen.statusBar('6 to review').waitFor();
  await screen.picture('vscode-review-rejected');
}

async function acceptHunk(screen: Screen): Promise<void> {
  const hunk = screen.hunk('order.go', 'replaces 1 line by 5');
  await screen.page.locator('.view-line', { hasText: 'total += price' }).click();
  await screen.page.keyboard.press('Control+Alt+Enter');
  await hunk.waitFor({ state: 'detached' });
  check('the accepted hunk', stage.read('order.go')?.includes('price, err := Tariff'), true);
}

/** The files before the change. */
const before = { tariff: '', order: '' };

async function apply(screen: Screen): Promise<void> {
  await screen.titleButton('Apply All').click();
  await screen.notification('applied in 3 files, 1 not yet saved').waitFor();
  await screen.open('tariff.go');
  await until('the applied text', async () => (await screen.text()).includes('return 0, ZoneError{zone}'));
  check('tariff.go on disk, since nobody saved it', stage.read('tariff.go'), before.tariff);
  check('the rejected hunk', stage.read('order.go')?.includes('Total() int {'), true);
  check('the new file', stage.read('zone.go')?.includes('type ZoneError'), true);
  await screen.picture('vscode-applied');
}

async function undo(screen: Screen): Promise<void> {
  const applied = screen.notification('applied in 3 files, 1 not yet saved');
  await applied.getByRole('button', { name: 'Undo' }).click();
  await screen.notification('undone in 3 files').waitFor();
  await until('the text as before', async () => (await screen.text()).includes('panic("unknown zone " + zone)'));
  await screen.command('agentls: Undo');
  await screen.notification('undone in 1 file').waitFor();
  const after = { tariff: stage.read('tariff.go'), order: stage.read('order.go'), zone: stage.read('zone.go') };
  check('the files on disk', after, { ...before, zone: undefined });
  await screen.tree('undone').waitFor();
  await screen.picture('vscode-undone');
}

async function changeRemotely(screen: Screen): Promise<void> {
  await screen.command('Notifications: Clear All Notifications');
  await screen.goTo(12);
  await screen.command('agentls: Remotely: Change This');
  await screen.answer('Change perKilogram remotely', 'Say the unit');
  const proposal = screen.notification('Change perKilogram: 1 to review');
  await proposal.waitFor();
  check('what was handed to the service', await screen.tasks(), 1);
  await proposal.getByRole('button', { name: 'Review' }).click();
  await screen.hunk('tariff.go', 'replaces 1 line by 1').waitFor();
  await screen.tree('Tasks at 127.0.0.1').waitFor();
  await screen.tree('1 file +1 −1').waitFor();
  await screen.picture('vscode-remote');
}

function check(what: string, got: unknown, want: unknown): void {
  if (!isDeepStrictEqual(got, want)) {
    throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  }
}

let outcome: 'passed' | 'failed' = 'failed';
let screen: Screen | undefined;
try {
  screen = await step('the editor starts', async () => {
    await stage.prepare(['ask', 'reply', 'change', 'remote']);
    await stage.install(path.join(extension, 'agentls.vsix'));
    const service = await stage.startService('sesame');
    stage.configure({ 'agentls.remote.url': service, 'agentls.remote.token': 'sesame' });
    await stage.serve();
    const shown = new Screen(await stage.page());
    await shown.page.goto(`http://${stage.address}/?folder=${encodeURIComponent(stage.project)}`);
    await shown.page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
    return shown;
  });
  Object.assign(before, { tariff: stage.read('tariff.go'), order: stage.read('order.go') });
  await walk(screen);
  outcome = 'passed';
} catch {
  await screen?.failure(); // step told why
} finally {
  await stage.end(outcome);
}
process.exit(outcome === 'passed' ? 0 : 1);
