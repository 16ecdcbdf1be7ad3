import type { Check, Counts, FileView, Hunk, Outcome } from './contract.ts';
import { Lines } from './text.ts';

/** `1 file`, `2 files`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The last part of a path or URI, as people read it. */
export function baseName(uri: string): string {
  const name = uri.slice(uri.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // a stray percent sign
  }
}

/** What accepting a hunk does: `replaces 2 lines by 3`. */
export function hunkEffect(file: FileView, hunk: Hunk): string {
  const removed = lineCount(new Lines(file.before).slice(hunk.range));
  const added = lineCount(hunk.newText);
  if (file.op === 'create') {
    return `creates this file with ${plural(added, 'line')}`;
  }
  if (file.op === 'delete') {
    return 'deletes this file';
  }
  if (removed === 0 && added === 0) {
    return `moves this file to ${baseName(file.to ?? '')}`;
  }
  if (removed === 0) {
    return `inserts ${plural(added, 'line')}`;
  }
  return added === 0 ? `removes ${plural(removed, 'line')}` : `replaces ${plural(removed, 'line')} by ${added}`;
}

function lineCount(text: string): number {
  return text === '' ? 0 : text.replace(/\n$/, '').split('\n').length;
}

/** What is left to decide in a proposal: `2 hunks in 1 file`. */
export function waiting(files: FileView[]): string {
  const hunks = files.reduce((sum, file) => sum + file.hunks.length, 0);
  return `${plural(hunks, 'hunk')} in ${plural(files.length, 'file')}`;
}

/** The label, with a number in front if it is taken. */
export function distinct(label: string, taken: string[]): string {
  let result = label;
  for (let number = 2; taken.includes(result); number++) {
    result = `${number}: ${label}`;
  }
  return result;
}

/** How many hunks of a change set wait for the user. */
export function undecided(counts: Counts): number {
  return counts.pending + counts.inConflict;
}

/** Counts in short: `3 to review · 1 applied · +12 −4`. */
export function countsLine(counts: Counts): string {
  const parts = [
    [undecided(counts), 'to review'],
    [counts.applied, 'applied'],
    [counts.rejected, 'rejected'],
    [counts.undone, 'undone'],
  ]
    .filter(([count]) => count !== 0)
    .map(([count, word]) => `${count} ${word}`);
  return [...parts, `+${counts.added} −${counts.removed}`].join(' · ');
}

/** What to tell the user about an apply, undo or redo. `verb` is its past: `applied`. */
export function outcomeLine(verb: string, outcome: Outcome): string {
  const [first] = outcome.conflicts;
  if (first) {
    const more = outcome.conflicts.length > 1 ? ` (and ${outcome.conflicts.length - 1} more)` : '';
    return `Nothing was ${verb}: ${baseName(first.uri)}: ${first.reason}${more}`;
  }
  const unsaved = outcome.unsaved.length > 0 ? `, ${outcome.unsaved.length} not yet saved` : '';
  return `${outcome.title ?? 'The change'}: ${verb} in ${plural(outcome.files.length, 'file')}${unsaved}`;
}

/** A check in one line: `✓ go test ./...`. */
export function checkTitle(check: Check): string {
  return `${check.passed ? '✓' : '✗'} ${check.command}`;
}

/** How a check ended: `2.3 s`, `exit 1 after 2.3 s`, `stopped by the time limit after 60 s`. */
export function checkResult(check: Check): string {
  const took = `${check.seconds.toFixed(check.seconds < 10 ? 1 : 0)} s`;
  if (check.stopped) {
    return `stopped: ${check.stopped}, after ${took}`;
  }
  return check.passed ? took : `exit ${check.exit} after ${took}`;
}

/** The checks of a proposal in short: `✓ 2 checks`, `✗ 1 of 2 checks`; empty where none ran. */
export function checksLine(checks: Check[] | undefined): string {
  const failed = checks?.filter(({ passed }) => !passed).length ?? 0;
  if (!checks?.length) {
    return '';
  }
  return failed === 0 ? `✓ ${plural(checks.length, 'check')}` : `✗ ${failed} of ${plural(checks.length, 'check')}`;
}

/** What could check a change that no command checked. */
export function suggestionLine(suggest: string[]): string {
  return suggest.length === 0 ? '' : `not checked; ${suggest.join(', ')} could do it`;
}

/** All of a check, to read. */
export function checkText(check: Check): string {
  return `${checkTitle(check)}\n${checkResult(check)}\nconfined: ${check.confinement}\n\n${check.output}`;
}

/** An address without what everybody knows of it: `127.0.0.1:9258`. */
export function host(url: string): string {
  return url.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

/** How much of a message a notification shows. */
const shownMessage = 600; // characters

/**
 * A message for a notification: it says whose it is, and is no longer than people read. Titles and errors come from
 * elsewhere, so nothing in it is a link: the editor would run commands behind those.
 */
export function notice(message: string): string {
  const own = message.startsWith('agentls') ? message : `agentls: ${message}`;
  const short = own.length > shownMessage ? `${own.slice(0, shownMessage)}…` : own;
  return short.replaceAll('](', '] (');
}
