import type { Check, Event, Mode, PlanStep, Step, Usage } from './contract.ts';

/** One execution of a task, as far as its events tell. */
export interface Run {
  id: string;
  title: string;
  mode: Mode;
  state: 'running' | 'done' | 'failed';
  /** The answer: streamed while the run goes on, then as a whole. Markdown. */
  text: string;
  steps: Step[];
  /** Why the run waits for the model's server; empty when it does not. */
  waiting: string;
  /** What its model asks the user, who has not answered yet. */
  question?: { text: string; options?: string[] } | undefined;
  /** What it means to do. */
  plan?: { explanation?: string; plan: PlanStep[] };
  /** The plan waits for the user's word. */
  waits: boolean;
  /** It was cut off or paused, and can go on. */
  goesOn: boolean;
  /** Who answered: the model's name, or `index`. */
  source: string;
  usage?: Usage;
  changeSet?: string;
  checks: Check[];
  /** Commands that would have checked what it changed, where none did. */
  suggest: string[];
  error?: string;
  /** The task service's address, of a run that was handed to it. */
  remote?: string;
  /** Whether the server that runs now knows this run; one that is started anew knows none. */
  known: boolean;
}

/** How many runs are remembered. Those under way are never dropped. */
const remembered = 30;

/** The runs of this session, made of the server's events. */
export class Runs {
  #runs = new Map<string, Run>();

  /** All runs, newest first. */
  all(): Run[] {
    return [...this.#runs.values()].reverse();
  }

  /** How many runs are under way. */
  running(): number {
    return this.all().filter((run) => run.state === 'running').length;
  }

  find(id: string): Run | undefined {
    return this.#runs.get(id);
  }

  /** The run with this id. One that no event told of begins here: a command's result may overtake its events. */
  track(id: string): Run {
    return this.#runs.get(id) ?? this.#begin(id);
  }

  /** Takes an event in, and returns the run that it moved, if it is about one. */
  handle(event: Event): Run | undefined {
    if (!('run' in event)) {
      return undefined;
    }
    const run = this.track(event.run);
    move(run, event);
    return run;
  }

  /** Fails all runs under way, and forgets none: their server has gone. */
  abandon(): void {
    for (const run of this.#runs.values()) {
      run.known = false;
      if (run.state === 'running') {
        const where = run.remote ? `; the task goes on at ${run.remote}: follow it in the view Work` : '';
        settle(run);
        Object.assign(run, { state: 'failed', error: `the server has gone${where}` });
      }
    }
  }

  #begin(id: string): Run {
    const run = begun(id);
    this.#runs.set(id, run);
    const over = [...this.#runs.values()].filter((old) => old.state !== 'running');
    for (const old of over.slice(0, Math.max(0, this.#runs.size - remembered))) {
      this.#runs.delete(old.id);
    }
    return run;
  }
}

/** A run of which nothing is known but its id. */
export function begun(id: string): Run {
  return {
    id,
    title: '',
    mode: 'ask',
    state: 'running',
    text: '',
    steps: [],
    waiting: '',
    waits: false,
    goesOn: false,
    source: '',
    checks: [],
    suggest: [],
    known: true,
  };
}

/** What moves a run; the other kinds tell of change sets and the index. */
type RunEvent = Extract<Event, { run: string }>;

function move(run: Run, event: RunEvent): void {
  if (event.kind !== 'run.waiting' && event.kind !== 'run.started') {
    run.waiting = '';
  }
  switch (event.kind) {
    case 'run.started':
      Object.assign(run, {
        title: event.title,
        mode: event.mode,
        remote: event.remote,
        state: 'running',
        error: undefined,
        goesOn: false,
      });
      break;
    case 'run.text':
      run.text += event.text;
      break;
    case 'run.reasoning':
      break; // a summary of thoughts is not the answer
    case 'run.waiting':
      run.waiting = event.text;
      run.text = withoutEnd(run.text, event.void ?? 0);
      break;
    case 'run.step':
      note(run.steps, event.step);
      break;
    case 'run.plan':
      run.plan = event.plan;
      run.waits = event.waits ?? false;
      break;
    case 'run.question':
      run.question = { text: event.text, ...(event.options ? { options: event.options } : {}) };
      break;
    case 'run.usage':
      break; // the steps and the end say enough
    case 'run.cutoff':
      Object.assign(run, {
        title: event.title,
        mode: event.mode,
        state: 'failed',
        error: 'it was cut off with its server',
        goesOn: true,
      });
      break;
    case 'run.done':
      finish(run, event);
      break;
    case 'run.failed':
      settle(run);
      Object.assign(run, { title: event.title, state: 'failed', error: event.error });
      break;
  }
}

/** The user has answered, or the run is over: nothing waits any more. */
export function settle(run: Run): void {
  run.question = undefined;
  run.waits = false;
}

function finish(run: Run, event: Extract<Event, { kind: 'run.done' }>): void {
  settle(run);
  run.state = 'done';
  run.goesOn = event.paused !== undefined;
  run.title = event.title;
  run.mode = event.mode;
  run.text = event.paused ? `It paused: ${event.paused}.` : (event.answer ?? ''); // a retry may have streamed some of it twice
  run.source = event.source;
  run.usage = event.usage;
  run.changeSet = event.changeSet;
  run.checks = event.checks ?? [];
  run.suggest = event.suggest ?? [];
}

/** The text without its last so many bytes of UTF-8. */
function withoutEnd(text: string, bytes: number): string {
  if (bytes === 0) {
    return text;
  }
  const encoded = Buffer.from(text);
  return encoded.subarray(0, Math.max(0, encoded.length - bytes)).toString();
}

function note(steps: Step[], step: Step): void {
  const at = steps.findIndex((old) => old.id === step.id);
  if (at < 0) {
    steps.push(step);
  } else {
    steps[at] = step;
  }
}
