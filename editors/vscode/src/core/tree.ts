import type { Entry, FileView, Proposal, Selection, ShownChanges } from './contract.ts';
import { progressLine } from './conversation.ts';
import type { Run } from './runs.ts';
import { baseName, countsLine, hunkEffect, plural } from './words.ts';
import type { Work } from './work.ts';

/** One line of the tree. `context` decides, in package.json, which actions it has. */
export type Node =
  | { kind: 'group'; label: string; children: Node[] }
  | { kind: 'run'; label: string; description: string; icon: string; context: string; run: Run }
  | {
      kind: 'proposal';
      label: string;
      description: string;
      icon: string;
      context: string;
      selection: Selection;
      newest: boolean;
    }
  | { kind: 'file'; label: string; description: string; context: string; selection: Selection; children: Node[] }
  | { kind: 'hunk'; label: string; description: string; icon: string; context: string; selection: Selection }
  | { kind: 'entry'; label: string; description: string; icon: string; context: string; entry: Entry };

/** How many lines of the journal are shown. */
const shownEntries = 20;

/** The first two levels: what waits for the user, the runs of this session, what can be undone. No group is empty. */
export function roots(work: Work): Node[] {
  const groups: [string, Node[]][] = [
    ['To review', work.proposals.toReversed().map(proposalNode)],
    ['Runs', work.runs.all().map(runNode)],
    ['History', work.entries.slice(0, shownEntries).map(entryNode)],
  ];
  return groups
    .filter(([, children]) => children.length > 0)
    .map(([label, children]) => ({ kind: 'group', label, children }));
}

function proposalNode(proposal: Proposal, index: number): Node {
  return {
    kind: 'proposal',
    label: proposal.title,
    description: countsLine(proposal.counts),
    icon: 'git-pull-request',
    context: 'proposal',
    selection: { changeSet: proposal.id },
    newest: index === 0,
  };
}

/** The files of a proposal, with their hunks. */
export function fileNodes(shown: ShownChanges): Node[] {
  return shown.files.map((file) => ({
    kind: 'file',
    label: baseName(file.to ?? file.uri),
    description: `${file.op === 'modify' ? '' : `${file.op} · `}${plural(file.hunks.length, 'hunk')}`,
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
    description: runDescription(run),
    icon: icons[run.state],
    context: `run.${run.state}`,
    run,
  };
}

function runDescription(run: Run): string {
  switch (run.state) {
    case 'running':
      return progressLine(run).replace(/^\$\([^)]*\) /, '');
    case 'failed':
      return run.error ?? '';
    case 'done':
      return run.changeSet ? 'a proposal' : run.source;
  }
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
