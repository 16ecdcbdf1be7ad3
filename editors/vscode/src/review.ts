import * as vscode from 'vscode';
import type { Check, Conflict, Selection, Server } from './core/contract.ts';
import { preview, type Mark, type Preview } from './core/text.ts';
import { fenced, plain } from './core/markdown.ts';
import {
  baseName,
  checkResult,
  checksLine,
  checkText,
  checkTitle,
  distinct,
  hunkEffect,
  undecided,
  waiting,
} from './core/words.ts';
import type { Work } from './core/work.ts';
import { means } from './places.ts';
import type { Texts } from './texts.ts';

/** How long the review waits after a keystroke before it asks where the hunks are now. */
const settle = 300; // milliseconds

/** The thread on a hunk, and what its buttons decide. */
export interface HunkThread {
  thread: vscode.CommentThread;
  selection: Selection;
}

/** A proposal that is open in the multi-diff editor. */
interface Review {
  changeSet: string;
  /** What the label of its tab begins with; no other review's does. */
  label: string;
  previews: Preview[];
  checks: Check[];
  threads: HunkThread[];
  /** The thread that tells of the checks, at the first hunk. */
  told?: vscode.CommentThread;
  /** Counts the requests for its hunks: only the answer to the last one is drawn. */
  asked: number;
  timer?: NodeJS.Timeout;
}

/**
 * Proposals under review: each as a multi-diff editor of virtual documents, with a comment thread on every hunk that
 * carries its Accept and Reject.
 */
export class Reviews {
  readonly #controller = vscode.comments.createCommentController('agentls.review', 'agentls: review');
  readonly #texts: Texts;
  readonly #open = new Map<string, Review>();
  readonly #server: Server;

  #connected = true;

  constructor(server: Server, work: Work, texts: Texts, subscriptions: vscode.Disposable[]) {
    this.#server = server;
    this.#texts = texts;
    subscriptions.push(
      this.#controller,
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.#edited(document.uri)),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => this.#tabsChanged(closed)),
      {
        dispose: work.onChange((_, event) => {
          if (event?.kind === 'changes') {
            this.#decided(event.changeSet, undecided(event.counts));
          }
          this.#connection(work.health.state === 'running');
        }),
      },
      { dispose: () => this.#open.forEach(dispose) },
    );
  }

  /** Opens a proposal, or the newest one, in the multi-diff editor. */
  async open(changeSet?: string): Promise<void> {
    const shown = await this.#server.call('agentls.changes.show', changeSet === undefined ? {} : { changeSet });
    await this.#close(shown.id);
    if (shown.files.length === 0) {
      throw new Error(`${shown.title}: nothing is left to review.`);
    }
    const state = [waiting(shown.files), checksLine(shown.checks)].filter((part) => part !== '').join(' · ');
    const label = distinct(`${shown.title}: ${state}`, this.#labels());
    const review: Review = {
      changeSet: shown.id,
      label,
      previews: shown.files.map(preview),
      checks: shown.checks ?? [],
      threads: [],
      asked: 0,
    };
    this.#open.set(shown.id, review);
    await this.#draw(review);
    await vscode.commands.executeCommand(
      'vscode.changes',
      label,
      review.previews.map((one) => this.#resources(review, one)),
    );
    await vscode.commands.executeCommand('workbench.action.keepEditor'); // else the next file opened takes its tab
    await this.#tabsChanged([]);
  }

  /** What the thread on a hunk decides. */
  selectionOf(thread: vscode.CommentThread): Selection | undefined {
    return this.threads().find((one) => one.thread === thread)?.selection;
  }

  /** The hunk that the cursor is on, in a review. */
  atCursor(): Selection | undefined {
    const editor = vscode.window.activeTextEditor;
    const line = editor?.selection.active.line ?? 0;
    const found = this.threads().find(({ thread: { uri, range } }) => {
      return (
        uri.toString() === editor?.document.uri.toString() &&
        range &&
        range.start.line <= line &&
        line <= range.end.line
      );
    });
    return found?.selection;
  }

  /** Shows what the checks of a proposal printed. */
  async showChecks(changeSet: string, checks: Check[]): Promise<void> {
    const [first] = checks;
    const name = checks.length === 1 && first ? first.command : 'checks';
    await this.#texts.show(`${name}.txt`, changeSet, checks.map(checkText).join('\n\n'));
  }

  /** The threads that tell of checks. */
  checkThreads(): vscode.CommentThread[] {
    return [...this.#open.values()].flatMap(({ told }) => told ?? []);
  }

  /** The checks that a thread tells of, and of which proposal. */
  checksOf(thread: vscode.CommentThread): { changeSet: string; checks: Check[] } | undefined {
    return [...this.#open.values()].find((review) => review.told === thread);
  }

  /** The threads on the hunks of all open reviews. */
  threads(): HunkThread[] {
    return [...this.#open.values()].flatMap((review) => review.threads);
  }

  /** The change set whose review is the active tab. */
  active(): string | undefined {
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    return tab && this.#reviewOf(tab)?.changeSet;
  }

  /** Shows what a change set wants beside what is there now, for each conflict. */
  async showConflicts(title: string, conflicts: Conflict[]): Promise<void> {
    const resources = conflicts.map((conflict, index) => {
      const file = vscode.Uri.parse(conflict.uri);
      const theirs = this.#texts.put(file, `conflict${index}.theirs`, conflict.theirs);
      const ours = this.#texts.put(file, `conflict${index}.ours`, conflict.ours);
      return [file, theirs, ours];
    });
    await vscode.commands.executeCommand('vscode.changes', `Conflict: ${title}`, resources);
  }

  #reviewOf(tab: vscode.Tab): Review | undefined {
    return [...this.#open.values()].find((review) => isOf(tab, review));
  }

  #labels(): string[] {
    return [...this.#open.values()].map((review) => review.label);
  }

  /** The two sides of a file, as the multi-diff editor takes them. */
  #resources(review: Review, { file }: Preview): (vscode.Uri | undefined)[] {
    const target = vscode.Uri.parse(file.to ?? file.uri);
    const before = this.#texts.uri(vscode.Uri.parse(file.uri), `${review.changeSet}.before`);
    const after = this.#texts.uri(target, `${review.changeSet}.after`);
    return [target, file.op === 'create' ? undefined : before, file.op === 'delete' ? undefined : after];
  }

  /** Writes the virtual documents of a review and puts a thread on each hunk. Threads that stand already are moved. */
  async #draw(review: Review): Promise<void> {
    const places = review.previews.flatMap((one) => this.#write(review, one));
    await Promise.all(places.map(({ uri }) => this.#texts.shown(uri))); // the editor moves threads as texts change
    const old = review.threads;
    review.threads = places.map(({ uri, one, mark }) => {
      const selection = { changeSet: review.changeSet, uri: one.file.uri, hunk: mark.hunk.hunk };
      const at = new vscode.Range(mark.first, 0, mark.last, 0);
      const stands = old.find(({ thread, selection: { uri: file, hunk } }) => {
        return file === selection.uri && hunk === selection.hunk && thread.uri.toString() === uri.toString();
      });
      const thread = stands?.thread ?? this.#controller.createCommentThread(uri, at, []);
      thread.range = at;
      describe(thread, one, mark);
      return { thread, selection };
    });
    for (const { thread } of old.filter((one) => review.threads.every((kept) => kept.thread !== one.thread))) {
      thread.dispose();
    }
    const [first] = places;
    if (first) {
      this.#drawChecks(review, first.uri, first.mark.first);
    }
  }

  /** Puts the thread that tells of the checks at the first hunk: lines without hunks are folded away. */
  #drawChecks(review: Review, uri: vscode.Uri, line: number): void {
    if (review.checks.length === 0) {
      return;
    }
    if (review.told?.uri.toString() !== uri.toString()) {
      review.told?.dispose();
      review.told = this.#controller.createCommentThread(
        uri,
        new vscode.Range(line, 0, line, 0),
        review.checks.map(checkComment),
      );
      const failed = review.checks.some(({ passed }) => !passed);
      const { Expanded, Collapsed } = vscode.CommentThreadCollapsibleState;
      review.told.collapsibleState = failed ? Expanded : Collapsed;
    }
    review.told.label = `Checks of this proposal: ${checksLine(review.checks)}`;
    review.told.contextValue = 'checks';
    review.told.canReply = false;
  }

  /** Writes the two sides of a file, and returns its hunks with the side that shows each. */
  #write(review: Review, one: Preview): { uri: vscode.Uri; one: Preview; mark: Mark }[] {
    const from = vscode.Uri.parse(one.file.uri);
    const to = vscode.Uri.parse(one.file.to ?? one.file.uri);
    const before = this.#texts.put(from, `${review.changeSet}.before`, one.before);
    const after = this.#texts.put(to, `${review.changeSet}.after`, one.after);
    return one.marks.map((mark) => ({ uri: mark.side === 'before' ? before : after, one, mark }));
  }

  /** A server that is started anew may know of decisions that no event told. */
  #connection(running: boolean): void {
    if (running && !this.#connected) {
      for (const review of this.#open.values()) {
        void this.#refresh(review);
      }
    }
    this.#connected = running;
  }

  #edited(uri: vscode.Uri): void {
    for (const review of this.#open.values()) {
      if (review.previews.some(({ file }) => means(file.uri, uri))) {
        review.timer ??= setTimeout(() => void this.#refresh(review), settle);
      }
    }
  }

  #decided(changeSet: string, left: number): void {
    const review = this.#open.get(changeSet);
    if (review && left > 0) {
      void this.#refresh(review);
    } else if (review) {
      void this.#close(changeSet);
    }
  }

  /** Asks anew where the hunks stand. A file that has none left shows as unchanged. */
  async #refresh(review: Review): Promise<void> {
    clearTimeout(review.timer);
    review.timer = undefined;
    const asked = ++review.asked;
    const shown = await this.#server
      .call('agentls.changes.show', { changeSet: review.changeSet })
      .catch(() => undefined);
    if (!shown || asked !== review.asked || this.#open.get(review.changeSet) !== review) {
      return; // the server has gone, a later request is under way, or the review is closed
    }
    const now = shown.files.map(preview);
    const done = review.previews.filter((old) => now.every(({ file }) => file.uri !== old.file.uri));
    for (const { file } of done) {
      await this.#settled(review, file.uri, file.to ?? file.uri);
    }
    review.previews = now;
    review.checks = shown.checks ?? [];
    await this.#draw(review);
    if (this.#open.get(review.changeSet) !== review) {
      dispose(review); // it was closed meanwhile
    }
  }

  /** Both sides of a file that has nothing left to decide show what is there now. */
  async #settled(review: Review, from: string, to: string): Promise<void> {
    const uri = vscode.Uri.parse(to);
    const now = await vscode.workspace.openTextDocument(uri).then(
      (document) => document.getText(),
      () => '', // it does not exist: a rejected new file, or an accepted removal
    );
    this.#texts.put(vscode.Uri.parse(from), `${review.changeSet}.before`, now);
    this.#texts.put(uri, `${review.changeSet}.after`, now);
  }

  async #close(changeSet: string): Promise<void> {
    const review = this.#open.get(changeSet);
    if (!review) {
      return;
    }
    this.#open.delete(changeSet);
    dispose(review);
    this.#texts.drop(changeSet);
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    await vscode.window.tabGroups.close(tabs.filter((tab) => isOf(tab, review)));
  }

  /** A review ends with its tab; the buttons of the active one show. */
  async #tabsChanged(closed: readonly vscode.Tab[]): Promise<void> {
    for (const tab of closed) {
      const review = this.#reviewOf(tab);
      if (review) {
        void this.#close(review.changeSet);
      }
    }
    await vscode.commands.executeCommand('setContext', 'agentls.reviewing', this.active() !== undefined);
  }
}

function dispose(review: Review): void {
  clearTimeout(review.timer);
  review.told?.dispose();
  for (const { thread } of review.threads.splice(0)) {
    thread.dispose();
  }
}

/** Says in a thread what its hunk does. (Without a comment, VS Code would offer to delete the thread.) */
function describe(thread: vscode.CommentThread, { file }: Preview, { hunk }: Mark): void {
  thread.label = baseName(file.to ?? file.uri);
  thread.contextValue = hunk.state === 'conflict' ? 'conflict' : 'hunk';
  thread.canReply = false;
  const body = plain(hunk.conflict ? `Conflict: ${hunk.conflict}` : hunkEffect(file, hunk));
  if (thread.comments[0]?.body !== body) {
    thread.comments = [{ author: { name: `Hunk ${hunk.hunk}` }, body, mode: vscode.CommentMode.Preview }];
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
  }
}

/** How many of the last lines of a failed check's output a review shows. */
const shownOutput = 12;

function checkComment(check: Check): vscode.Comment {
  const tail = check.output.trimEnd().split('\n').slice(-shownOutput).join('\n');
  const output = check.passed || tail === '' ? '' : `\n\n${fenced(tail)}`;
  return {
    author: { name: checkTitle(check) },
    body: new vscode.MarkdownString(plain(checkResult(check)) + output),
    mode: vscode.CommentMode.Preview,
  };
}

/** Whether a tab shows a review. The editor puts the number of files behind the label, in its own language. */
function isOf(tab: vscode.Tab, review: Review): boolean {
  return tab.label.startsWith(review.label);
}
