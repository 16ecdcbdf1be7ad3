import * as vscode from 'vscode';
import { messageOf, type Connection } from './client.ts';
import type { Attachments } from './core/attachments.ts';
import type { Place } from './core/contract.ts';
import { answerView, goesOnFrom, type Exchange } from './core/conversation.ts';
import { plain, withoutImages } from './core/markdown.ts';
import { begun, type Run } from './core/runs.ts';
import { named } from './core/text.ts';
import type { Work } from './core/work.ts';
import { tellEditor } from './editor.ts';
import { asked, fromRange, toRange, type Target } from './places.ts';
import type { Texts } from './texts.ts';

/** How long answers are gathered before a comment is drawn again: the editor lays the whole thread out anew. */
const redraw = 80; // milliseconds

/** How long after a keystroke the threads look where their declarations are. */
const settle = 400; // milliseconds

/** A conversation about a place in the code, shown as a comment thread there. */
interface Conversation {
  target: Target;
  thread: vscode.CommentThread;
  exchanges: (Exchange & { comments: vscode.Comment[] })[];
  timer?: NodeJS.Timeout;
}

/** The conversations of this session. */
export class Threads {
  readonly #controller = vscode.comments.createCommentController('agentls', 'agentls');
  readonly #conversations = new Set<Conversation>();
  readonly #server: Connection;
  readonly #edited = new Map<string, NodeJS.Timeout>();
  readonly #texts: Texts;
  readonly #work: Work;

  constructor(server: Connection, work: Work, texts: Texts, subscriptions: vscode.Disposable[]) {
    this.#server = server;
    this.#texts = texts;
    this.#work = work;
    this.#controller.options = { prompt: 'Ask on', placeHolder: 'Ask on about this code' };
    const forget = work.onChange((run) => this.#moved(run));
    const typed = vscode.workspace.onDidChangeTextDocument(({ document }) => this.#follow(document.uri.toString()));
    subscriptions.push(this.#controller, typed, { dispose: forget }, { dispose: () => this.#clearTimers() });
  }

  /** Asks about a place; an empty question is the server's own. What is attached goes along. Returns the run. */
  async ask(target: Target, question: string, attached: Attachments['argument']): Promise<Run> {
    await tellEditor(this.#server);
    const about = { ...asked(target.place, target), ...attached };
    const { run } = await this.#server.call('agentls.ask', question === '' ? about : { ...about, question });
    return this.#open(target, run, question);
  }

  /** Has the code at a place explained. Returns the run. */
  async explain(target: Target): Promise<Run> {
    await tellEditor(this.#server);
    const { run } = await this.#server.call('agentls.explain', asked(target.place, target));
    return this.#open(target, run, '');
  }

  /** Asks on in a thread. What goes wrong is told there, below the question, so that it is not lost. */
  async reply({ thread, text }: vscode.CommentReply): Promise<void> {
    const conversation = this.#of(thread);
    const after = goesOnFrom(conversation.exchanges);
    const about = asked(placeOf(conversation), conversation.target);
    await tellEditor(this.#server);
    const run = await this.#server.call('agentls.ask', { ...about, question: text, ...(after ? { after } : {}) }).then(
      ({ run }) => this.#work.runs.track(run),
      (error): Run => ({ ...begun(''), state: 'failed', error: messageOf(error) }),
    );
    const exchange = exchangeOf(run, text);
    const [question] = exchange.comments;
    if (question && after === undefined && run.state !== 'failed') {
      question.label = 'asked anew: the server does not know what was said before';
    }
    conversation.exchanges.push(exchange);
    this.#draw(conversation);
  }

  /** Shows a conversation as a document. */
  async open(thread: vscode.CommentThread): Promise<void> {
    const { exchanges } = this.#of(thread);
    const text = exchanges.map(({ question, run }) => (question === '' ? run.text : `> ${question}\n\n${run.text}`));
    const [first] = exchanges;
    await this.#texts.show(`${first?.run.title || 'Answer'}.md`, first?.run.id ?? '', `${text.join('\n\n---\n\n')}\n`);
  }

  /** Stops what is under way in a thread. */
  async stop(thread: vscode.CommentThread): Promise<void> {
    const under = this.#of(thread).exchanges.filter((one) => one.run.state === 'running');
    await Promise.all(under.map((one) => this.#server.call('agentls.stop', { run: one.run.id })));
  }

  /** Takes a thread away, and stops what is under way in it. */
  async close(thread: vscode.CommentThread): Promise<void> {
    const conversation = this.#of(thread);
    const stopped = this.stop(thread);
    clearTimeout(conversation.timer);
    this.#conversations.delete(conversation);
    thread.dispose();
    await stopped;
  }

  /** The thread in which a run answers. */
  threadOf(run: string): vscode.CommentThread | undefined {
    return this.#find(run)?.thread;
  }

  /** Shows the thread in which a run answers. */
  async reveal(run: string): Promise<void> {
    const thread = this.threadOf(run);
    if (thread) {
      thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
      await vscode.window.showTextDocument(thread.uri, { selection: startOf(thread) });
    }
  }

  #open(target: Target, id: string, question: string): Run {
    const exchange = exchangeOf(this.#work.runs.track(id), question);
    const thread = this.#controller.createCommentThread(
      vscode.Uri.parse(target.place.uri),
      target.at,
      exchange.comments,
    );
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    const conversation = { target, thread, exchanges: [exchange] };
    this.#conversations.add(conversation);
    this.#draw(conversation);
    return exchange.run;
  }

  /** Keeps threads at their declarations: an edit that replaces a declaration leaves its thread anywhere. */
  #follow(uri: string): void {
    clearTimeout(this.#edited.get(uri));
    const about = [...this.#conversations].filter(({ target }) => target.place.uri === uri && target.declaration);
    if (about.length > 0) {
      this.#edited.set(
        uri,
        setTimeout(() => void this.#settle(uri, about), settle),
      );
    }
  }

  async #settle(uri: string, about: Conversation[]): Promise<void> {
    this.#edited.delete(uri);
    const declarations = await this.#server.declarations(uri).catch(() => []);
    for (const { thread, target } of about) {
      const now = named(declarations, target.declaration ?? '');
      if (now && !thread.range?.isEqual(fromRange(now.selectionRange))) {
        thread.range = fromRange(now.selectionRange);
      }
    }
  }

  #clearTimers(): void {
    this.#edited.forEach((timer) => clearTimeout(timer));
    this.#conversations.forEach(({ timer }) => clearTimeout(timer));
  }

  #moved(run: Run | undefined): void {
    for (const conversation of this.#conversations) {
      const concerned = run === undefined || conversation.exchanges.some((one) => one.run === run);
      if (concerned) {
        conversation.timer ??= setTimeout(() => this.#draw(conversation), redraw);
      }
    }
  }

  /** Brings the thread in step with its runs. Comments keep their identity: the editor updates them in place. */
  #draw(conversation: Conversation): void {
    clearTimeout(conversation.timer);
    conversation.timer = undefined;
    const { thread, exchanges } = conversation;
    for (const { run, comments } of exchanges) {
      const view = answerView(run);
      const answer = comments.at(-1);
      if (answer) {
        answer.label = view.label;
        answer.body = modelText(view.markdown);
      }
    }
    thread.label = exchanges[0]?.run.title || 'agentls';
    thread.contextValue = exchanges.some((one) => one.run.state === 'running') ? 'running' : 'idle';
    thread.comments = exchanges.flatMap((one) => one.comments);
  }

  #find(run: string): Conversation | undefined {
    return [...this.#conversations].find((one) => one.exchanges.some((exchange) => exchange.run.id === run));
  }

  #of(thread: vscode.CommentThread): Conversation {
    const found = [...this.#conversations].find((one) => one.thread === thread);
    if (!found) {
      throw new Error('agentls: this conversation is over; ask anew.');
    }
    return found;
  }
}

/** The place that a conversation is about, where it stands now. */
function placeOf({ thread, target: { place } }: Conversation): Place {
  return thread.range ? { uri: place.uri, range: toRange(thread.range) } : place;
}

function startOf(thread: vscode.CommentThread): vscode.Range | undefined {
  return thread.range && new vscode.Range(thread.range.start, thread.range.start);
}

function exchangeOf(run: Run, question: string): Conversation['exchanges'][number] {
  const answer = comment('agentls', '');
  return { question, run, comments: question === '' ? [answer] : [comment('You', question), answer] };
}

/** A comment; what a user writes is no Markdown. */
function comment(author: string, body: string): vscode.Comment {
  const text = new vscode.MarkdownString(plain(body));
  return { author: { name: author }, body: text, mode: vscode.CommentMode.Preview };
}

/** Markdown of a model: it may run no command, fetch nothing and has no HTML, and `$(…)` in it is no icon. */
function modelText(markdown: string): vscode.MarkdownString {
  const text = new vscode.MarkdownString(withoutImages(markdown), false);
  text.isTrusted = false;
  text.supportHtml = false;
  return text;
}
