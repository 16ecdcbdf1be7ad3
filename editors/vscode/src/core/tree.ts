import type { Check, Entry, FileView, Proposal, Selection, ShownChanges, Step, Task } from './contract.ts';
import { progressLine } from './conversation.ts';
import type { Run } from './runs.ts';
import type { Tasks } from './tasks.ts';
import { baseName, checkResult, checksLine, countsLine, host, hunkEffect, plural } from './words.ts';
import type { Work } from './work.ts';

/** What every line of the tree but a group shows. `context` decides, in package.json, which actions it has. */
interface Line {
  label: string;
  description: string;
  icon: string;
  context: string;
}

/** One line of the tree. */
export type Node =
  | { kind: 'group'; id: string; label: string; children: Node[] }
  | (Line & { kind: 'run'; run: Run; children: Node[] })
  | (Line & { kind: 'step'; run: Run; step: { id: string } })
  | (Line & { kind: 'proposal'; selection: Selection; newest: boolean })
  | (Line & { kind: 'check'; id: string; changeSet: string; check: Check })
  | (Line & { kind: 'file'; selection: Selection; children: Node[] })
  | (Line & { kind: 'hunk'; selection: Selection })
  | (Line & { kind: 'entry'; entry: Entry })
  | (Line & { kind: 'task'; task: Task })
  | (Line & { kind: 'note'; command?: string });

/** How many lines of the journal are shown. */
const shownEntries = 20;

/**
 * The first two levels: what waits for the user, the runs of this session, the tasks at the service, what can be undone.
 * No group is empty.
 */
export function roots(work: Work, tasks: Tasks): Node[] {
  const service = tasks.service === undefined ? '' : `Tasks at ${host(tasks.service)}`;
  const groups: [string, string, Node[]][] = [
    ['proposals', 'To review', work.proposals.toReversed().map(proposalNode)],
    ['runs', 'Runs', work.runs.all().map(runNode)],
    ['tasks', service, tasks.service === undefined ? [] : taskNodes(tasks)],
    ['history', 'History', work.entries.slice(0, shownEntries).map(entryNode)],
  ];
  return groups
    .filter(([, , children]) => children.length > 0)
    .map(([id, label, children]) => ({ kind: 'group', id, label, children }));
}

function proposalNode(proposal: Proposal, index: number): Node {
  return {
    kind: 'proposal',
    label: proposal.title,
    description: joined(countsLine(proposal.counts), checksLine(proposal.checks)),
    icon: 'git-pull-request',
    context: 'proposal',
    selection: { changeSet: proposal.id },
    newest: index === 0,
  };
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}

/** What is below a proposal: its checks, then its files with their hunks. */
export function proposalNodes(shown: ShownChanges): Node[] {
  const checks = (shown.checks ?? []).map((check, index) => checkNode(shown.id, check, index));
  return [...checks, ...fileNodes(shown)];
}

function checkNode(changeSet: string, check: Check, index: number): Node {
  return {
    kind: 'check',
    id: `${changeSet} ${index}`,
    label: check.command,
    description: checkResult(check),
    icon: check.passed ? 'pass' : 'error',
    context: 'check',
    changeSet,
    check,
  };
}

function fileNodes(shown: ShownChanges): Node[] {
  return shown.files.map((file) => ({
    kind: 'file',
    label: baseName(file.to ?? file.uri),
    description: `${file.op === 'modify' ? '' : `${file.op} · `}${plural(file.hunks.length, 'hunk')}`,
    icon: 'file',
    context: 'file',
    selection: { changeSet: shown.id, uri: file.uri },
    children: hunkNodes(shown.id, file),
  }));
}

function hunkNodes(changeSet: string, file: FileView): Node[] {
  return file.hunks.map((hunk) => ({
    kind: 'hunk',
    label: `Line ${hunk.range.start.line + 1}`,
    description: hunk.conflict ? `conflict: ${hunk.conflict}` : hunkEffect(file, hunk),
    icon: hunk.state === 'conflict' ? 'warning' : 'diff',
    context: hunk.state === 'conflict' ? 'conflict' : 'hunk',
    selection: { changeSet, uri: file.uri, hunk: hunk.hunk },
  }));
}

function runNode(run: Run): Node {
  const icons = { running: 'loading~spin', done: 'check', failed: 'error' };
  return {
    kind: 'run',
    label: run.title,
    description: joined(run.remote ? `at ${host(run.remote)}` : '', runDescription(run)),
    icon: icons[run.state],
    context: runContext(run),
    run,
    children: [...planNodes(run), ...run.steps.map((step) => stepNode(run, step))],
  };
}

function runContext(run: Run): string {
  if (run.goesOn) {
    return 'run.paused';
  }
  return run.question || run.waits ? 'run.waiting' : `run.${run.state}`;
}

/** What a run means to do, a line for each step of its plan. */
function planNodes(run: Run): Node[] {
  const icons = { pending: 'circle-large-outline', in_progress: 'arrow-right', completed: 'check', failed: 'error' };
  return (run.plan?.plan ?? []).map(({ step, status }, index) => ({
    kind: 'step',
    label: step,
    description: status === 'pending' ? 'planned' : status.replace('_', ' '),
    icon: icons[status],
    context: 'step',
    run,
    step: { id: `plan ${index}` },
  }));
}

function runDescription(run: Run): string {
  switch (run.state) {
    case 'running':
      return progressLine(run);
    case 'failed':
      return run.error ?? '';
    case 'done':
      return run.changeSet ? 'a proposal' : run.source;
  }
}

function stepNode(run: Run, step: Step): Node {
  const over = run.state !== 'running' && step.state === 'started';
  const icons = { started: over ? 'circle-slash' : 'loading~spin', done: 'check', failed: 'error' };
  return {
    kind: 'step',
    label: step.title,
    description: step.error ?? step.detail ?? '',
    icon: icons[step.state],
    context: 'step',
    run,
    step,
  };
}

function taskNodes(tasks: Tasks): Node[] {
  const nodes = tasks.list.map(taskNode);
  if (tasks.problem !== '') {
    nodes.unshift(note(tasks.problem, 'warning', 'agentls.tasks.refresh'));
  }
  if (tasks.more) {
    nodes.push(note('Older tasks…', 'ellipsis', 'agentls.tasks.more'));
  }
  return nodes;
}

function note(label: string, icon: string, command: string): Node {
  return { kind: 'note', label, description: '', icon, context: 'note', command };
}

function taskNode(task: Task): Node {
  const icons = {
    pending: 'clock',
    running: 'loading~spin',
    done: 'check',
    failed: 'error',
    cancelled: 'circle-slash',
  };
  const made = task.files ? `${plural(task.files, 'file')} +${task.added ?? 0} −${task.removed ?? 0}` : '';
  const over = task.state !== 'pending' && task.state !== 'running';
  return {
    kind: 'task',
    label: task.title,
    description: joined(task.state, task.attempts > 1 ? plural(task.attempts, 'attempt') : '', made),
    icon: icons[task.state],
    context: over ? 'task.over' : 'task.open',
    task,
  };
}

/** What a line without children of its own says where they could not be had. */
export function problemNode(problem: string): Node {
  return { kind: 'note', label: problem, description: '', icon: 'warning', context: 'note' };
}

function entryNode(entry: Entry): Node {
  const undone = entry.state === 'undone';
  const unsaved = entry.unsaved?.length ? ` · ${entry.unsaved.length} unsaved` : '';
  return {
    kind: 'entry',
    label: entry.title,
    description: `${entry.state}${unsaved}`,
    icon: undone ? 'discard' : 'history',
    context: undone ? 'entry.undone' : 'entry.applied',
    entry,
  };
}
