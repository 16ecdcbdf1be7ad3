import * as vscode from 'vscode';
import { messageOf } from './client.ts';
import type { Event, PlanStep, Server } from './core/contract.ts';
import { parsePlan, planText } from './core/plan.ts';
import type { Run } from './core/runs.ts';
import { notice } from './core/words.ts';
import type { Work } from './core/work.ts';

const other = 'Another answer…';

/**
 * What runs ask their user. A notification tells of it and takes no key; where that was dismissed, the run in the tree
 * has the button still.
 */
export class Questions {
  #server: Server;
  #work: Work;

  constructor(server: Server, work: Work, subscriptions: vscode.Disposable[]) {
    this.#server = server;
    this.#work = work;
    subscriptions.push({ dispose: work.onChange((run, event) => this.#heard(run, event)) });
  }

  #heard(run: Run | undefined, event: Event | undefined): void {
    if (run && event?.kind === 'run.question') {
      void this.#offer(`${run.title} asks: ${event.text}`, { 'Answer…': () => this.answer(run) });
    } else if (run && event?.kind === 'run.plan' && event.waits) {
      void this.#offer(`${run.title}: its plan waits for your word`, this.#onPlan(run));
    } else if (run && event?.kind === 'run.cutoff') {
      void this.#offer(`${run.title}: it was cut off with its server`, { 'Go On': () => this.goOn(run) });
    }
  }

  /** Shows a message with buttons, and does what is chosen. */
  async #offer(message: string, buttons: Record<string, () => Promise<unknown>>): Promise<void> {
    const chosen = await vscode.window.showInformationMessage(notice(message), ...Object.keys(buttons));
    try {
      await buttons[chosen ?? '']?.();
    } catch (error) {
      void vscode.window.showErrorMessage(notice(messageOf(error)));
    }
  }

  #onPlan(run: Run): Record<string, () => Promise<unknown>> {
    return {
      Accept: () => this.accept(run),
      'Edit…': () => this.edit(run),
      'Refuse…': () => this.refuse(run),
    };
  }

  /** Asks the user for what a run waits for. */
  async answer(run: Run): Promise<void> {
    if (run.waits) {
      const chosen = this.#onPlan(run);
      const name = await vscode.window.showQuickPick(Object.keys(chosen), { title: run.title });
      await chosen[name ?? '']?.();
      return;
    }
    if (!run.question) {
      throw new Error(`${run.title}: it asks nothing.`);
    }
    const { text, options = [] } = run.question;
    const box = { title: run.title, ignoreFocusOut: true };
    const chosen =
      options.length > 0
        ? await vscode.window.showQuickPick([...options, other], { ...box, placeHolder: text })
        : other;
    const answer = chosen === other ? await vscode.window.showInputBox({ ...box, prompt: text }) : chosen;
    if (answer) {
      await this.reply(run, answer);
    }
  }

  async reply(run: Run, answer: string): Promise<void> {
    await this.#server.call('agentls.reply', { run: run.id, answer });
    this.#work.answered(run);
  }

  /** Accepts a plan, as it was shown or with other steps. */
  async accept(run: Run, plan?: PlanStep[]): Promise<void> {
    await this.#server.call('agentls.plan.accept', { run: run.id, ...(plan ? { plan } : {}) });
    this.#work.answered(run);
  }

  /** Shows a plan as a document; a button accepts what it then says. */
  async edit(run: Run): Promise<void> {
    const content = planText(run.plan?.plan ?? []);
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
    await vscode.window.showTextDocument(document);
    void this.#offer(`${run.title}: edit its plan, then accept it`, {
      'Accept as Edited': () => this.acceptDocument(run, document),
    });
  }

  /** Accepts the plan that a document holds. */
  async acceptDocument(run: Run, document: vscode.TextDocument): Promise<void> {
    const plan = parsePlan(document.getText());
    if (plan.length === 0) {
      throw new Error('the plan has no step: a step is a line that begins with "- ".');
    }
    await this.accept(run, plan);
  }

  async refuse(run: Run): Promise<void> {
    const refuse = await vscode.window.showInputBox({ title: run.title, prompt: 'What is wrong with the plan?' });
    if (refuse) {
      await this.#server.call('agentls.plan.accept', { run: run.id, refuse });
      this.#work.answered(run);
    }
  }

  /** Tells a run under way something. */
  async steer(run: Run): Promise<void> {
    const message = await vscode.window.showInputBox({
      title: run.title,
      prompt: 'Its model hears it with its next turn.',
    });
    if (message) {
      await this.#server.call('agentls.steer', { run: run.id, message });
    }
  }

  async goOn(run: Run): Promise<void> {
    await this.#server.call('agentls.continue', { run: run.id });
  }
}
