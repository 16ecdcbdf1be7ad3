import type { Check, CommandName, Commands, Event, Server, Task } from '../../src/core/contract.ts';

/** A server whose answers the test gives, by command; it notes what it was asked. */
export class FakeServer implements Server {
  readonly asked: [string, unknown][] = [];
  readonly answers: { [N in CommandName]?: () => Commands[N]['result'] | Promise<Commands[N]['result']> } = {};

  async call<N extends CommandName>(command: N, argument: Commands[N]['argument']): Promise<Commands[N]['result']> {
    this.asked.push([command, argument]);
    const answer = this.answers[command];
    if (!answer) {
      throw new Error(`no answer to ${command}`);
    }
    return answer();
  }
}

export const counts = { files: 1, pending: 2, applied: 0, rejected: 0, inConflict: 0, undone: 0, added: 3, removed: 1 };

export const status = {
  version: 'v1',
  model: 'm',
  source: 'the test',
  ready: true,
  roots: ['/w'],
  files: 3,
  symbols: 1,
  runs: [],
  proposals: 0,
};

/** The events of a run that looks something up and answers. */
export const answered: Event[] = [
  { kind: 'run.started', run: 'r', title: 'Ask about F', mode: 'ask' },
  { kind: 'run.step', run: 'r', step: { id: '1', tool: 'grep', title: 'search F', state: 'started' } },
  { kind: 'run.waiting', run: 'r', text: 'the server is busy' },
  { kind: 'run.step', run: 'r', step: { id: '1', tool: 'grep', title: 'search F', state: 'done' } },
  { kind: 'run.text', run: 'r', text: 'It is ' },
  { kind: 'run.text', run: 'r', text: 'safe.' },
  {
    kind: 'run.done',
    run: 'r',
    title: 'Ask about F',
    mode: 'ask',
    answer: 'It is safe.',
    source: 'm',
    usage: { requests: 1, inputTokens: 90, cachedTokens: 0, outputTokens: 10 },
  },
];

/** A check that passed, one that failed, one that a limit ended. */
export const checks: Check[] = [
  { command: 'go test ./...', passed: true, exit: 0, output: 'ok\n', seconds: 2.31, confinement: 'full' },
  { command: 'go vet ./...', passed: false, exit: 1, output: 'a.go:1: bad\n', seconds: 12.3, confinement: 'full' },
  {
    command: 'sleep 99',
    passed: false,
    exit: -1,
    stopped: 'the time limit',
    output: '',
    seconds: 60,
    confinement: 'full',
  },
];

const task = { mode: 'edit', created: '2026-01-02T03:04:05Z', updated: '2026-01-02T03:04:05Z', attempts: 1 } as const;

/** Tasks at a service, newest first. */
export const tasks: Task[] = [
  { ...task, id: 't3', title: 'Newest', state: 'running', attempts: 2 },
  { ...task, id: 't2', title: 'Middle', state: 'done', files: 2, added: 3, removed: 0 },
  { ...task, id: 't1', title: 'Oldest', state: 'cancelled' },
];
