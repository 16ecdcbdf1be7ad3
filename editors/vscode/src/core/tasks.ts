import type { Event, Server, Task } from './contract.ts';
import type { Run } from './runs.ts';
import type { Work } from './work.ts';

/** The tasks at the task service, as far as they were asked for. They move without a word: whoever shows them asks. */
export class Tasks {
  /** Newest first. */
  list: Task[] = [];
  /** Whether there are older ones than those of `list`. */
  more = false;
  /** Why they could not be had; empty when they could. */
  problem = '';
  #service: string | undefined;
  #cursor: string | undefined;
  #asked = 0;
  #server: Server;
  #changed: () => void = () => {};

  constructor(server: Server, work: Work) {
    this.#server = server;
    work.onChange((moved, event) => this.#heed(work, moved, event));
  }

  /** Has `changed` called after each change. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  /** The service's address; undefined when none is configured. */
  get service(): string | undefined {
    return this.#service;
  }

  /** Whether some task is not at its end. */
  get unfinished(): boolean {
    return this.list.some(({ state }) => state === 'pending' || state === 'running');
  }

  /** The page of a task at the service; undefined where the address is none that a browser can open. */
  page(task: string): string | undefined {
    return /^https?:/.test(this.#service ?? '') ? `${this.#service}/tasks/${encodeURIComponent(task)}` : undefined;
  }

  /** Asks for the newest tasks. Never rejects: see `problem`. */
  async refresh(): Promise<void> {
    await this.#load(undefined, []);
  }

  /** Asks for those that follow. */
  async loadMore(): Promise<void> {
    await this.#load(this.#cursor, this.list);
  }

  async #load(cursor: string | undefined, before: Task[]): Promise<void> {
    const asked = ++this.#asked;
    try {
      const page = await this.#server.call('agentls.tasks.list', cursor === undefined ? {} : { cursor });
      if (asked === this.#asked) {
        const ids = new Set(before.map(({ id }) => id)); // new tasks have moved the pages since
        this.list = [...before, ...page.tasks.filter(({ id }) => !ids.has(id))];
        this.#cursor = page.cursor;
        this.problem = '';
      }
    } catch (error) {
      if (asked === this.#asked) {
        this.problem = error instanceof Error ? error.message : String(error); // what was known stays
      }
    }
    this.more = this.#cursor !== undefined;
    this.#changed();
  }

  /** Asks anew where a run tells that a task began or ended, or another service is configured. */
  #heed(work: Work, moved: Run | undefined, event: Event | undefined): void {
    const service = work.health.state === 'running' ? work.status?.remote : this.#service;
    if (service !== this.#service) {
      this.#service = service;
      this.#asked++; // an answer under way is about another service
      Object.assign(this, { list: [], more: false, problem: '' });
      this.#cursor = undefined;
      if (service !== undefined) {
        void this.refresh();
      }
    } else if (service !== undefined && moved?.remote && tells(event)) {
      void this.refresh();
    }
  }
}

/** Whether an event of a run at the service says that its task is new, or over. */
function tells(event: Event | undefined): boolean {
  return (
    event?.kind === 'run.done' ||
    event?.kind === 'run.failed' ||
    (event?.kind === 'run.step' && event.step.tool === 'remote')
  );
}
