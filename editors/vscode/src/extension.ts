import * as vscode from 'vscode';
import { Connection } from './client.ts';
import { registerCommands, tellProblem, type Parts } from './commands.ts';
import { Work } from './core/work.ts';
import { Reviews } from './review.ts';
import { showStatus } from './statusbar.ts';
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
  const parts = {
    connection: made,
    work,
    threads: new Threads(made, work, subscriptions),
    reviews: new Reviews(made, work, subscriptions),
  };
  subscriptions.push(made.log);
  registerCommands(parts, subscriptions);
  showStatus(work, subscriptions);
  new WorkTree(made, work, subscriptions);
  subscriptions.push(vscode.workspace.onDidChangeConfiguration((event) => settingsChanged(event, made)));
  await made.start();
  return parts;
}

export async function deactivate(): Promise<void> {
  await connection?.stop();
}

function settingsChanged(event: vscode.ConfigurationChangeEvent, made: Connection): void {
  if (event.affectsConfiguration('agentls.server')) {
    void made.restart();
  } else if (event.affectsConfiguration('agentls')) {
    made.settingsChanged();
  }
}
