import * as vscode from 'vscode';
import { statusView, type StatusView } from './core/status.ts';
import type { Work } from './core/work.ts';

const colors: Record<StatusView['severity'], vscode.ThemeColor | undefined> = {
  none: undefined,
  warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
  error: new vscode.ThemeColor('statusBarItem.errorBackground'),
};

/** Shows the server's state in the status bar; a click opens the tree. */
export function showStatus(work: Work, subscriptions: vscode.Disposable[]): void {
  const item = vscode.window.createStatusBarItem('agentls.status', vscode.StatusBarAlignment.Right, 100);
  item.name = 'agentls';
  item.command = 'agentls.work.focus';
  const draw = () => {
    const view = statusView(work);
    item.text = view.text;
    item.tooltip = new vscode.MarkdownString(view.tooltip);
    item.accessibilityInformation = { label: view.spoken };
    item.backgroundColor = colors[view.severity];
  };
  draw();
  item.show();
  subscriptions.push(item, { dispose: work.onChange(draw) });
}
