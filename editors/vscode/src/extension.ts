import * as vscode from 'vscode';
import { Connection } from './client.ts';
import { registerCommands, tellProblem } from './commands.ts';
import { Attachments } from './core/attachments.ts';
import { Tasks } from './core/tasks.ts';
import { Work } from './core/work.ts';
import type { Parts } from './parts.ts';
import { Questions } from './questions.ts';
import { Reviews } from './review.ts';
import { showStatus } from './statusbar.ts';
import { Texts } from './texts.ts';
import { Threads } from './threads.ts';
import { WorkTree } from './tree.ts';

let connection: Connection | undefined;

/** Starts the extension. It resolves once the server runs or the user was told why not. Tests use what it returns. */
export async function activate({ extensionUri, subscriptions }: vscode.ExtensionContext): Promise<Parts> {
  const made = new Connection(extensionUri, {
    event: (event) => work.handle(event),
    health: (health) => work.setHealth(health),
    problem: (problem) => void tellProblem(made, problem),
  });
  connection = made;
  const work = new Work(made);
  const tasks = new Tasks(made, work);
  const texts = new Texts();
  const parts = {
    connection: made,
    work,
    tasks,
    attached: new Attachments(),
    texts,
    questions: new Questions(made, work, subscriptions),
    threads: new Threads(made, work, texts, subscriptions),
    reviews: new Reviews(made, work, texts, subscriptions),
  };
  subscriptions.push(made.log, texts, { dispose: work.onChange(() => tellContext(work)) });
  registerCommands(parts, subscriptions);
  showStatus(work, subscriptions);
  new WorkTree(made, work, tasks, subscriptions);
  subscriptions.push(vscode.workspace.onDidChangeConfiguration((event) => settingsChanged(event, made, work)));
  await made.start();
  return parts;
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
}

/** What the conditions of package.json can ask for. */
const context: Record<string, unknown> = {};

function tellContext(work: Work): void {
  const now = { 'agentls.health': work.health.state, 'agentls.remote': work.status?.remote !== undefined };
  for (const [key, value] of Object.entries(now)) {
    if (context[key] !== value) {
      context[key] = value;
      void vscode.commands.executeCommand('setContext', key, value);
    }
  }
}

function settingsChanged(event: vscode.ConfigurationChangeEvent, made: Connection, work: Work): void {
  if (event.affectsConfiguration('agentls.server')) {
    void made.restart();
  } else if (event.affectsConfiguration('agentls')) {
    made.settingsChanged();
    void work.refresh();
  }
}
