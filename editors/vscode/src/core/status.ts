import { plain } from './markdown.ts';
import { plural } from './words.ts';
import type { Work } from './work.ts';

/** What the status bar shows. `tooltip` is Markdown. */
export interface StatusView {
  text: string;
  tooltip: string;
  /** The text as it is read aloud: without icons. */
  spoken: string;
  severity: 'none' | 'warning' | 'error';
}

/** One line for the status bar: who answers, whether the index is complete, what is under way, what waits. */
export function statusView(work: Work): StatusView {
  if (work.health.state === 'stopped') {
    return {
      text: '$(error) agentls',
      tooltip: plain(work.health.problem),
      spoken: 'agentls: stopped',
      severity: 'error',
    };
  }
  if (work.health.state === 'starting' || !work.status) {
    return {
      text: '$(loading~spin) agentls',
      tooltip: 'The server is starting.',
      spoken: 'agentls: starting',
      severity: 'none',
    };
  }
  if (work.status.error) {
    return {
      text: '$(warning) agentls: index',
      tooltip: plain(work.status.error),
      spoken: 'agentls: the index answers; the model cannot be used',
      severity: 'warning',
    };
  }
  const running = work.runs.running();
  const indexing = work.indexing || !work.status.ready;
  const who = `agentls: ${work.status.model ?? 'index'}`;
  const waiting = work.proposals.length;
  return {
    text: listed(
      `${indexing || running > 0 ? '$(loading~spin)' : '$(sparkle)'} ${who}`,
      indexing ? 'indexing' : '',
      running > 0 ? `${running} running` : '',
      waiting > 0 ? `$(git-pull-request) ${waiting}` : '',
    ).join('  '),
    tooltip: tooltip(work),
    spoken: listed(
      who,
      indexing ? 'indexing' : '',
      running > 0 ? `${running} running` : '',
      waiting > 0 ? `${waiting} to review` : '',
    ).join(', '),
    severity: 'none',
  };
}

function listed(...parts: string[]): string[] {
  return parts.filter((part) => part !== '');
}

function tooltip(work: Work): string {
  const status = work.status;
  if (!status) {
    return '';
  }
  const answers = status.model ? `**${plain(status.model)}** answers` : 'The index answers; no model is configured';
  return listed(
    `${answers} (${plain(status.source)}).`,
    `Index: ${plural(status.files, 'file')}, ${plural(status.symbols, 'symbol')}.`,
    work.proposals.length > 0 ? `${plural(work.proposals.length, 'proposal')} to review.` : 'Nothing to review.',
    status.confinement ? `Commands of the agent: ${plain(status.confinement)}.` : '',
    status.remote ? `Tasks can run at ${plain(status.remote)}.` : '',
    `Server ${plain(status.version)}.`,
  ).join('\n\n');
}
