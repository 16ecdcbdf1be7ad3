import * as vscode from 'vscode';
import { messageOf } from './client.ts';
import type { Server } from './core/contract.ts';
import { problemNode, proposalNodes, roots, type Node } from './core/tree.ts';
import type { Tasks } from './core/tasks.ts';
import type { Work } from './core/work.ts';

/** How long changes are gathered before the tree is drawn again. */
const redraw = 150; // milliseconds

/** How often the service is asked for its tasks while they are on screen and one goes on. */
const poll = 5000; // milliseconds

/** The tree of proposals, runs and the journal. */
export class WorkTree implements vscode.TreeDataProvider<Node> {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #server: Server;
  readonly #work: Work;
  readonly #tasks: Tasks;
  #timer: NodeJS.Timeout | undefined;

  constructor(server: Server, work: Work, tasks: Tasks, subscriptions: vscode.Disposable[]) {
    this.#server = server;
    this.#work = work;
    this.#tasks = tasks;
    const view = vscode.window.createTreeView('agentls.work', { treeDataProvider: this });
    const forget = work.onChange((_, event) => {
      if (event?.kind !== 'run.text' && event?.kind !== 'run.reasoning') {
        this.#changedSoon(view);
      }
    });
    tasks.onChange(() => this.#changedSoon(view));
    const polling = setInterval(() => {
      if (view.visible && tasks.unfinished && work.health.state === 'running') {
        void tasks.refresh();
      }
    }, poll);
    const seen = view.onDidChangeVisibility(({ visible }) => {
      if (visible && tasks.service !== undefined) {
        void tasks.refresh();
      }
    });
    const end = () => {
      forget();
      clearInterval(polling);
      clearTimeout(this.#timer);
    };
    subscriptions.push(view, seen, this.#changed, { dispose: end });
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (!node) {
      return roots(this.#work, this.#tasks);
    }
    if (node.kind === 'proposal') {
      const { changeSet } = node.selection;
      return this.#server
        .call('agentls.changes.show', { changeSet })
        .then(proposalNodes, (error) => [problemNode(messageOf(error))]);
    }
    return 'children' in node ? node.children : [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    const item = new vscode.TreeItem(node.label, collapsible(node));
    item.id = identity(node);
    if (node.kind === 'group') {
      return item;
    }
    item.description = node.description;
    item.tooltip = `${node.label}\n${node.description}`;
    item.contextValue = node.context;
    item.iconPath = node.kind === 'file' ? vscode.ThemeIcon.File : new vscode.ThemeIcon(node.icon, color(node.icon));
    if (node.kind === 'file') {
      item.resourceUri = vscode.Uri.parse(node.selection.uri ?? '');
    }
    if (['run', 'hunk', 'file', 'check', 'task'].includes(node.kind)) {
      item.command = { command: 'agentls.reveal', title: 'Show', arguments: [node] };
    } else if (node.kind === 'note' && node.command) {
      item.command = { command: node.command, title: node.label };
    }
    return item;
  }

  #changedSoon(view: vscode.TreeView<Node>): void {
    this.#timer ??= setTimeout(() => this.#draw(view), redraw);
  }

  #draw(view: vscode.TreeView<Node>): void {
    this.#timer = undefined;
    const waiting = this.#work.proposals.length;
    view.badge = waiting > 0 ? { value: waiting, tooltip: 'to review' } : undefined;
    this.#changed.fire(undefined);
  }
}

/** What a node is, however often it is made anew: it keeps its place and whether it is expanded. */
function identity(node: Node): string {
  switch (node.kind) {
    case 'group':
      return `group ${node.id}`;
    case 'run':
      return `run ${node.run.id}`;
    case 'step':
      return `step ${node.run.id} ${node.step.id}`;
    case 'entry':
      return `entry ${node.entry.id}`;
    case 'check':
      return `check ${node.id}`;
    case 'task':
      return `task ${node.task.id}`;
    case 'note':
      return `note ${node.label}`;
    default:
      return JSON.stringify(node.selection);
  }
}

/** Failures are red, as those of tests are. */
function color(icon: string): vscode.ThemeColor | undefined {
  const colors: Record<string, string> = { error: 'testing.iconFailed', pass: 'testing.iconPassed' };
  const name = colors[icon];
  return name === undefined ? undefined : new vscode.ThemeColor(name);
}

function collapsible(node: Node): vscode.TreeItemCollapsibleState {
  const { Expanded, Collapsed, None } = vscode.TreeItemCollapsibleState;
  switch (node.kind) {
    case 'group':
    case 'file':
      return Expanded;
    case 'proposal':
      return node.newest ? Expanded : Collapsed;
    case 'run':
      return node.children.length > 0 ? Collapsed : None;
    default:
      return None;
  }
}
