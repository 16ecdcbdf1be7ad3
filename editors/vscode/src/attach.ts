import * as vscode from 'vscode';
import type { Attachments } from './core/attachments.ts';
import { notice } from './core/words.ts';

const images = ['png', 'jpg', 'jpeg', 'gif', 'webp'];

/** Attaches what is selected in the terminal, else what its last command printed. */
export async function attachOutput(attached: Attachments, given?: { output?: string }): Promise<void> {
  const output = given?.output ?? (await copied('copySelection')) ?? (await copied('copyLastCommandOutput'));
  if (!output) {
    throw new Error('select what you mean in the terminal first.');
  }
  attached.attachOutput(output);
  tell(attached);
}

/** Attaches the image of a URI, or those that the user chooses. */
export async function attachImage(attached: Attachments, uri?: vscode.Uri): Promise<void> {
  const chosen = uri
    ? [uri]
    : await vscode.window.showOpenDialog({ canSelectMany: true, filters: { Images: images }, openLabel: 'Attach' });
  if (chosen) {
    attached.attachImages(chosen.map(String));
    tell(attached);
  }
}

/** What a command of the terminal copies; the clipboard is as before. */
async function copied(command: string): Promise<string | undefined> {
  const before = await vscode.env.clipboard.readText();
  try {
    await vscode.env.clipboard.writeText('');
    await vscode.commands.executeCommand(`workbench.action.terminal.${command}`);
    return (await vscode.env.clipboard.readText()) || undefined;
  } finally {
    await vscode.env.clipboard.writeText(before);
  }
}

function tell(attached: Attachments): void {
  const question = notice(`your next question or change goes ${attached.line}`);
  void vscode.window.showInformationMessage(question, 'Withdraw').then((chosen) => {
    if (chosen) {
      attached.clear();
    }
  });
}
