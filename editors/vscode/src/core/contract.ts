/**
 * The commands and events of lsp/COMMANDS.md, as types. A unit test holds this file against that document: nothing else
 * is known of the server.
 */

/** A place in a text; both count from 0, `character` in UTF-16 code units. */
export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

/** How many hunks of a change set are in which state, and how many lines it adds and removes. */
export interface Counts {
  files: number;
  pending: number;
  applied: number;
  rejected: number;
  inConflict: number;
  undone: number;
  added: number;
  removed: number;
}

export interface Status {
  version: string;
  /** Absent: the index answers. */
  model?: string;
  /** Of the modes that have a model of their own. */
  models?: Partial<Record<Mode, string>>;
  source: string;
  error?: string;
  ready: boolean;
  roots: string[];
  files: number;
  symbols: number;
  runs: string[];
  proposals: number;
  /** The task service's address; absent: none is configured. */
  remote?: string;
  /** How the agent's commands are confined, in words; absent until it was probed. */
  confinement?: string;
}

/** A verify command that ran on a proposal. */
export interface Check {
  command: string;
  passed: boolean;
  exit: number;
  /** The limit that ended it. */
  stopped?: string;
  /** The end of what it printed. */
  output: string;
  seconds: number;
  confinement: string;
}

export interface Proposal {
  id: string;
  title: string;
  files: number;
  counts: Counts;
  /** Absent where none ran. */
  checks?: Check[];
}

export type EntryState = 'open' | 'applied' | 'partly applied' | 'undone';

/** One line of the journal. */
export interface Entry {
  id: string;
  changeSet: string;
  title: string;
  state: EntryState;
  time: string;
  unsaved?: string[];
}

export interface Hunk {
  hunk: number;
  state: 'pending' | 'conflict';
  range: Range;
  newText: string;
  /** Why it cannot be accepted. */
  conflict?: string;
}

/** The undecided hunks of one file; their ranges count in `before`. */
export interface FileView {
  op: 'modify' | 'create' | 'delete' | 'rename';
  uri: string;
  /** Of a rename. */
  to?: string;
  before: string;
  hunks: Hunk[];
}

export interface ShownChanges {
  id: string;
  title: string;
  files: FileView[];
  /** What was to change too, is no text, and stays as it is. */
  leftOut?: { uri: string; why: string }[];
  checks?: Check[];
}

export interface Conflict {
  uri: string;
  hunk?: number;
  reason: string;
  ours: string;
  theirs: string;
}

/** What an apply, undo or redo did. With conflicts nothing was changed. */
export interface Outcome {
  entry?: string;
  title?: string;
  files: string[];
  unsaved: string[];
  conflicts: Conflict[];
}

export interface Place {
  uri: string;
  range: Range;
}

/** Hunks of a proposal: all, those of a file, or one. */
export interface Selection {
  changeSet: string;
  uri?: string;
  hunk?: number;
}

/** A diagnostic of another server, a compiler or a linter; `severity` as in LSP, from 1 for an error. */
export interface EditorProblem {
  uri: string;
  range: Range;
  severity: number;
  message: string;
  source?: string;
}

export type TaskState = 'pending' | 'running' | 'done' | 'failed' | 'cancelled';

/** A task at the task service. */
export interface Task {
  id: string;
  title: string;
  state: TaskState;
  /** Empty where the service does not say. */
  mode: Mode | '';
  created: string;
  updated: string;
  attempts: number;
  /** Of the change that it made: files, and lines. */
  files?: number;
  added?: number;
  removed?: number;
}

/** A step of what a run means to do. */
export interface PlanStep {
  step: string;
  status: 'pending' | 'in_progress' | 'completed' | 'failed';
}

/** What the user says to a hunk, or without one to the whole file. */
export interface HunkComment {
  uri: string;
  hunk?: number;
  text: string;
}

/** A run that is kept of this workspace. */
export interface KeptRun {
  id: string;
  title: string;
  mode: Mode;
  state: 'running' | 'cut off' | 'paused' | 'stopped' | 'failed' | 'done';
  reason?: string;
  turns: number;
  usage: Usage;
  /** US dollars; absent: no price is known. */
  cost?: number;
  last: string;
  /** The run that it is a part of. */
  parent?: string;
}

/** A language that another server answers for; without methods, everything. */
export interface Served {
  language: string;
  methods?: string[];
}

/** What a review found, and is still open. */
export interface Finding {
  /** Its fingerprint. */
  finding: string;
  uri: string;
  range: Range;
  title: string;
  body: string;
  /** 0 must not ship, to 3. */
  priority: number;
  /** 0 to 1. */
  confidence: number;
  fixable: boolean;
  /** Of the second pass; absent where there was none. */
  verdict?: 'confirmed' | 'unverified';
  reason?: string;
}

/** A piece of what a run would begin with. */
export interface ContextPiece {
  id: string;
  title: string;
  why: string;
  tokens: number;
  /** It cannot be removed. */
  fixed?: boolean;
  pinned?: boolean;
  /** Why it is not sent. */
  dropped?: string;
  text: string;
}

/** Each command with its argument and its result. */
export interface Commands {
  'agentls.ask': {
    argument: Place & {
      remote?: boolean;
      output?: string;
      drop?: string[];
      pin?: string[];
      images?: string[];
      question?: string;
      after?: string;
    };
    result: { run: string };
  };
  'agentls.explain': { argument: Place & { remote?: boolean }; result: { run: string } };
  'agentls.change': {
    argument: Place & {
      remote?: boolean;
      output?: string;
      drop?: string[];
      pin?: string[];
      images?: string[];
      instruction: string;
      plan?: boolean;
      attempts?: number;
    };
    result: { run: string };
  };
  'agentls.review': { argument: Place & { remote?: boolean; focus?: string }; result: { run: string } };
  'agentls.findings.list': { argument: object; result: { findings: Finding[] } };
  'agentls.findings.fix': { argument: { finding: string }; result: { changeSet: string } };
  'agentls.findings.dismiss': { argument: { finding: string }; result: { dismissed: string } };
  'agentls.rename': {
    argument: { uri: string; position: Position; newName: string };
    result: { changeSet: string; renamed: number; possible: number };
  };
  'agentls.graph': {
    argument: Place & { depth?: number };
    result: { uri: string; nodes: number; edges: number; cut: boolean };
  };
  'agentls.stop': { argument: { run?: string }; result: { stopped: string[] } };
  'agentls.context.choose': { argument: { run: string; drop?: string[]; pin?: string[] }; result: { run: string } };
  'agentls.steer': { argument: { run: string; message: string }; result: { run: string } };
  'agentls.reply': { argument: { run: string; answer: string }; result: { run: string } };
  'agentls.plan.accept': { argument: { run: string; plan?: PlanStep[]; refuse?: string }; result: { run: string } };
  'agentls.continue': { argument: { run: string; message?: string }; result: { run: string } };
  'agentls.revise': {
    argument: { changeSet?: string; message?: string; comments?: HunkComment[] };
    result: { run: string };
  };
  'agentls.verify': { argument: { commands: string[] }; result: { commands: string[] } };
  'agentls.runs.list': { argument: object; result: { runs: KeptRun[] } };
  'agentls.context': {
    argument: Place & {
      mode?: Mode;
      question?: string;
      output?: string;
      drop?: string[];
      pin?: string[];
      images?: string[];
    };
    result: { uri: string; tokens: number; budget: number; pieces: ContextPiece[] };
  };
  'agentls.lastRequest': { argument: { run?: string }; result: { uri: string } };
  'agentls.editor': { argument: { visible: string[]; problems: EditorProblem[] }; result: { problems: number } };
  'agentls.navigation': {
    argument: { served: Served[] };
    result: { offered: string[] };
  };
  'agentls.status': { argument: object; result: Status };
  'agentls.tasks.list': { argument: { cursor?: string }; result: { url: string; tasks: Task[]; cursor?: string } };
  'agentls.tasks.follow': { argument: { task: string }; result: { run: string } };
  'agentls.tasks.cancel': { argument: { task: string }; result: { state: TaskState } };
  'agentls.changes.list': { argument: object; result: { proposals: Proposal[]; entries: Entry[] } };
  'agentls.changes.show': { argument: { changeSet?: string }; result: ShownChanges };
  'agentls.changes.diff': { argument: { changeSet?: string }; result: { path: string; text: string } };
  'agentls.changes.accept': { argument: Selection; result: Outcome };
  'agentls.changes.reject': { argument: Selection; result: { counts: Counts } };
  'agentls.changes.apply': { argument: { changeSet?: string }; result: Outcome };
  'agentls.changes.undo': { argument: { entry?: string; uri?: string; hunk?: number }; result: Outcome };
  'agentls.changes.redo': { argument: { entry?: string; uri?: string; hunk?: number }; result: Outcome };
}

export type CommandName = keyof Commands;

/** The server, as everything here sees it. A rejection carries a message for people. */
export interface Server {
  call<N extends CommandName>(command: N, argument: Commands[N]['argument']): Promise<Commands[N]['result']>;
}

export type Mode = 'ask' | 'explain' | 'edit' | 'plan' | 'review';

export interface Usage {
  requests: number;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
}

/** A tool call of a run. */
export interface Step {
  id: string;
  tool: string;
  title: string;
  state: 'started' | 'done' | 'failed';
  /** What a finished step says of itself. */
  detail?: string;
  error?: string;
}

/** What `agentls/event` carries. */
export type Event =
  | { kind: 'run.started'; run: string; title: string; mode: Mode; remote?: string }
  | { kind: 'run.text' | 'run.reasoning'; run: string; text: string }
  | { kind: 'run.waiting'; run: string; text: string; void?: number }
  | { kind: 'run.step'; run: string; step: Step }
  | { kind: 'run.plan'; run: string; plan: { explanation?: string; plan: PlanStep[] }; waits?: boolean }
  | { kind: 'run.question'; run: string; text: string; options?: string[] }
  | { kind: 'run.usage'; run: string; usage: Usage; cost?: number }
  | { kind: 'run.cutoff'; run: string; title: string; mode: Mode }
  | {
      kind: 'run.done';
      run: string;
      title: string;
      mode: Mode;
      answer?: string;
      source: string;
      usage?: Usage;
      cost?: number;
      /** Why it paused: it is not done. */
      paused?: string;
      changeSet?: string;
      checks?: Check[];
      /** Commands that would have checked it, where none did: for the user to judge. */
      suggest?: string[];
      /** Where there were several: how each went. */
      attempts?: { number: number; run: string; kept: boolean; says: string; changeSet?: string }[];
      /** The proposals that it came in, a step each; `changeSet` is the last. */
      steps?: string[];
    }
  | { kind: 'run.failed'; run: string; title: string; error: string }
  | { kind: 'changes'; changeSet: string; title: string; counts: Counts }
  | { kind: 'index.started' }
  | { kind: 'index.done'; files?: number; symbols?: number };

/** What a client declares under `capabilities.experimental.agentls`. */
export const declared = { events: true, prompts: true, questions: true } as const;
