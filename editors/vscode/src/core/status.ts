import { plural } from './words.ts';
import type { Work } from './work.ts';

/** What the status bar shows. `tooltip` is Markdown. */
export interface StatusView {
  text: string;
  tooltip: string;
  severity: 'none' | 'warning' | 'error';
}

/** One line for the status bar: who answers, whether the index is complete, what is under way, what waits. */
export function statusView(work: Work): StatusView {
  if (work.health.state === 'stopped') {
    return { text: '$(error) agentls', tooltip: work.health.problem, severity: 'error' };
  }
  if (work.health.state === 'starting' || !work.status) {
    return { text: '$(loading~spin) agentls', tooltip: 'The server is starting.', severity: 'none' };
  }
  if (work.status.error) {
    return { text: '$(warning) agentls: index', tooltip: work.status.error, severity: 'warning' };
  }
  const running = work.runs.running();
  const busy = work.indexing || !work.status.ready || running > 0;
  const parts = [
    `${busy ? '$(loading~spin)' : '$(sparkle)'} agentls: ${work.status.model ?? 'index'}`,
    work.indexing || !work.status.ready ? 'indexing' : '',
    running > 0 ? `${running} running` : '',
    work.proposals.length > 0 ? `$(git-pull-request) ${work.proposals.length}` : '',
  ];
  return { text: parts.filter((part) => part !== '').join('  '), tooltip: tooltip(work), severity: 'none' };
}

function tooltip(work: Work): string {
  const status = work.status;
  if (!status) {
    return '';
  }
  const answers = status.model ? `**${status.model}** answers` : 'The index answers; no model is configured';
  return [
    `${answers} (${status.source}).`,
    `Index: ${plural(status.files, 'file')}, ${plural(status.symbols, 'symbol')}.`,
    work.proposals.length > 0 ? `${plural(work.proposals.length, 'proposal')} to review.` : 'Nothing to review.',
    `Server ${status.version}.`,
  ].join('\n\n');
}
