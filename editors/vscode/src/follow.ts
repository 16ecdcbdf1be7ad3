import * as vscode from 'vscode';
import { apply } from './changes.ts';
import { progressLine } from './core/conversation.ts';
import type { Run } from './core/runs.ts';
import { checksLine, countsLine, notice, suggestionLine } from './core/words.ts';
import { told, type Parts } from './parts.ts';

/**
 * Shows a run under way, and then what came of it: one here as a notification with a cancel button, one at the task
 * service, which may take long, in the status bar. (The tree has its button to stop it.)
 */
export async function follow(parts: Parts, run: Run, where: 'here' | 'there'): Promise<void> {
  let stopped = false;
  const location = where === 'here' ? vscode.ProgressLocation.Notification : vscode.ProgressLocation.Window;
  await vscode.window.withProgress(
    { location, title: 'agentls', cancellable: where === 'here' },
    (progress, token) =>
      new Promise<void>((ended) => {
        const show = () => {
          progress.report({ message: notice(`${run.title}: ${progressLine(run)}`).replace('agentls: ', '') });
          if (run.state !== 'running') {
            forget();
            ended();
          }
        };
        const forget = parts.work.onChange((moved) => {
          if (moved === run || moved === undefined) {
            show();
          }
        });
        token.onCancellationRequested(() => {
          stopped = true;
          void told(parts.connection.call('agentls.stop', { run: run.id }));
        });
        show();
      }),
  );
  if (!(stopped && run.state === 'failed')) {
    await tellResult(parts, run);
  }
}

async function tellResult(parts: Parts, run: Run): Promise<void> {
  if (run.state === 'failed') {
    throw new Error(`${run.title}: ${run.error ?? 'it failed'}`);
  }
  if (!run.changeSet) {
    await tellAnswer(parts, run);
    return;
  }
  const { changeSet } = run;
  await parts.work.refresh();
  const proposal = parts.work.proposals.find((one) => one.id === changeSet);
  const state = [proposal ? countsLine(proposal.counts) : 'ready to review', checksLine(run.checks)];
  const chosen = await vscode.window.showInformationMessage(
    notice(`${run.title}: ${[...state, suggestionLine(run.suggest)].filter(Boolean).join(' · ')}`),
    'Review',
    'Apply',
    ...(run.suggest.length > 0 ? [checkFromNowOn] : []),
  );
  if (chosen === 'Review') {
    await parts.reviews.open(changeSet);
  } else if (chosen === 'Apply') {
    await apply(parts, { changeSet });
  } else if (chosen === checkFromNowOn) {
    await chooseChecks(parts, run.suggest);
  }
}

const checkFromNowOn = 'Check From Now On…';

/** Has the user choose commands that check every change of the workspace. */
async function chooseChecks({ connection }: Parts, suggest: string[]): Promise<void> {
  const items = suggest.map((label) => ({ label, picked: true }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Check every change here with',
    placeHolder: 'They run in the sandbox, from the next change on',
    canPickMany: true,
  });
  if (!chosen?.length) {
    return;
  }
  const { commands } = await connection.call('agentls.verify', { commands: chosen.map(({ label }) => label) });
  void vscode.window.showInformationMessage(notice(`every change is checked with ${commands.join(', ')}`));
}

async function tellAnswer(parts: Parts, run: Run): Promise<void> {
  if (run.goesOn) {
    const next = await vscode.window.showInformationMessage(notice(`${run.title}: ${run.text}`), 'Go On');
    return next ? parts.questions.goOn(run) : undefined;
  }
  const line = run.mode === 'edit' ? 'nothing to change' : 'answered';
  const chosen = await vscode.window.showInformationMessage(notice(`${run.title}: ${line}`), 'Show Answer');
  if (chosen) {
    await showAnswer(parts, run);
  }
}

export async function showAnswer({ texts }: Parts, run: Run): Promise<void> {
  await texts.show(`${run.title}.md`, run.id, run.text);
}
