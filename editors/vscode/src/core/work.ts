import type { Entry, Event, Proposal, Server, Status } from './contract.ts';
import { Runs, settle, type Run } from './runs.ts';

/** How the server is: what the status bar must tell beside `Status`. */
export type Health = { state: 'starting' } | { state: 'running' } | { state: 'stopped'; problem: string };

/** What a listener is told: which run moved, or that something else did. */
export type Listener = (moved: Run | undefined, event: Event | undefined) => void;

/**
 * All that is known of the server's work: runs, proposals, journal, status. It is kept current by events; what an event
 * does not carry is asked for again.
 */
export class Work {
  readonly runs = new Runs();
  health: Health = { state: 'starting' };
  status: Status | undefined;
  indexing = false;
  proposals: Proposal[] = [];
  entries: Entry[] = [];
  #server: Server;
  #listeners = new Set<Listener>();
  #refreshing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Calls `listener` after each change; the returned function ends that. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes in an event of the server. */
  handle(event: Event): void {
    const moved = this.runs.handle(event);
    if (event.kind === 'index.started') {
      this.indexing = true;
    }
    if (event.kind === 'index.done') {
      this.indexing = false;
    }
    this.#tell(moved, event);
    if (event.kind === 'changes' || event.kind === 'index.done' || event.kind === 'run.done') {
      void this.refresh();
    }
  }

  /** The run that a task's events come to, while it goes on or its proposal waits. */
  following(task: string): Run | undefined {
    return this.runs.all().find((run) => {
      const waits = this.proposals.some(({ id }) => id === run.changeSet);
      const current = run.known && (run.state === 'running' || waits);
      return current && run.steps.some((step) => step.tool === 'remote' && step.id === task);
    });
  }

  /** Notes that the user has answered what a run waited for. */
  answered(run: Run): void {
    settle(run);
    this.#tell(run, undefined);
  }

  /** The server runs, or has gone and why. */
  setHealth(health: Health): void {
    this.health = health;
    if (health.state !== 'running') {
      this.indexing = false;
      this.runs.abandon();
    }
    this.#tell(undefined, undefined);
    if (health.state === 'running') {
      void this.refresh();
    }
  }

  /** Asks for status, proposals and journal. The answer was asked for after the call; calls meanwhile share one. */
  refresh(): Promise<void> {
    if (!this.#refreshing) {
      this.#refreshing = this.#load().finally(() => (this.#refreshing = undefined));
      return this.#refreshing;
    }
    this.#next ??= this.#refreshing.then(() => {
      this.#next = undefined;
      return this.refresh();
    });
    return this.#next;
  }

  async #load(): Promise<void> {
    try {
      const [status, changes] = await Promise.all([
        this.#server.call('agentls.status', {}),
        this.#server.call('agentls.changes.list', {}),
      ]);
      this.status = status;
      this.proposals = changes.proposals;
      this.entries = changes.entries;
    } catch {
      return; // the server has gone, which health tells
    }
    this.#tell(undefined, undefined);
  }

  #tell(moved: Run | undefined, event: Event | undefined): void {
    for (const listener of this.#listeners) {
      listener(moved, event);
    }
  }
}
