import * as vscode from 'vscode';
import type { Server } from './core/contract.ts';
import { fileNodes, roots, type Node } from './core/tree.ts';
import type { Work } from './core/work.ts';

/** How long changes are gathered before the tree is drawn again. */
const redraw = 150; // milliseconds

/** The tree of proposals, runs and the journal. */
export class WorkTree implements vscode.TreeDataProvider<Node> {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #server: Server;
  readonly #work: Work;
  #timer: NodeJS.Timeout | undefined;

  constructor(server: Server, work: Work, subscriptions: vscode.Disposable[]) {
    this.#server = server;
    this.#work = work;
    const view = vscode.window.createTreeView('agentls.work', { treeDataProvider: this });
    const forget = work.onChange((_, event) => {
      if (event?.kind !== 'run.text' && event?.kind !== 'run.reasoning') {
        this.#timer ??= setTimeout(() => this.#draw(view), redraw);
      }
    });
    subscriptions.push(view, this.#changed, { dispose: forget });
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (!node) {
      return roots(this.#work);
    }
    if (node.kind === 'proposal') {
      const shown = await this.#server.call('agentls.changes.show', { changeSet: node.selection.changeSet });
      return fileNodes(shown);
    }
    return 'children' in node ? node.children : [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const item = new vscode.TreeItem(node.label, collapsible(node));
    if (node.kind === 'group') {
      return item;
    }
    item.description = node.description;
    item.tooltip = `${node.label}\n${node.description}`;
    item.contextValue = node.context;
    item.iconPath = node.kind === 'file' ? vscode.ThemeIcon.File : new vscode.ThemeIcon(node.icon);
    item.id = identity(node);
    if (node.kind === 'file') {
      item.resourceUri = vscode.Uri.parse(node.selection.uri ?? '');
    }
    if (node.kind === 'run' || node.kind === 'hunk' || node.kind === 'file') {
      item.command = { command: 'agentls.reveal', title: 'Show', arguments: [node] };
    }
    return item;
  }

  #draw(view: vscode.TreeView<Node>): void {
    this.#timer = undefined;
    const waiting = this.#work.proposals.length;
    view.badge = waiting > 0 ? { value: waiting, tooltip: 'to review' } : undefined;
    this.#changed.fire(undefined);
  }
}

/** What a node is, however often it is made anew: it keeps its place and whether it is expanded. */
function identity(node: Exclude<Node, { kind: 'group' }>): string {
  switch (node.kind) {
    case 'run':
      return `run ${node.run.id}`;
    case 'entry':
      return `entry ${node.entry.id}`;
    default:
      return JSON.stringify(node.selection);
  }
}

function collapsible(node: Node): vscode.TreeItemCollapsibleState {
  switch (node.kind) {
    case 'group':
    case 'file':
      return vscode.TreeItemCollapsibleState.Expanded;
    case 'proposal':
      return node.newest ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed;
    default:
      return vscode.TreeItemCollapsibleState.None;
  }
}
