import * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  State,
  type ClientCapabilities,
  type DynamicFeature,
  type StaticFeature,
} from 'vscode-languageclient/node';
import { Crashes, findServer, type Problem } from './core/binary.ts';
import { declared, type CommandName, type Commands, type Event, type Server } from './core/contract.ts';
import { navigates, type Navigation } from './core/navigation.ts';
import type { Declaration } from './core/text.ts';
import type { Health } from './core/work.ts';

/** The version of the server that this extension was built with; empty in a build for development. */
declare const SERVER_VERSION: string;

/** What a connection tells its owner. */
export interface Listeners {
  event(event: Event): void;
  health(health: Health): void;
  problem(problem: Problem): void;
}

/** The language server's process and the way to it. */
export class Connection implements Server {
  readonly log = vscode.window.createOutputChannel('agentls', { log: true });
  #extension: vscode.Uri;
  #listeners: Listeners;
  #client: LanguageClient | undefined;
  #problem = 'agentls: the server is not running.';
  #last: Promise<void> = Promise.resolve();
  #crashes = new Crashes();
  #warned = '';

  constructor(extension: vscode.Uri, listeners: Listeners) {
    this.#extension = extension;
    this.#listeners = listeners;
  }

  /** Starts the server, or says why it cannot be started. Never rejects. */
  start(): Promise<void> {
    return this.#inTurn(() => this.#start());
  }

  /** Starts the server anew, as the user wants it. */
  restart(): Promise<void> {
    this.#crashes = new Crashes();
    return this.#again();
  }

  #again(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#stop();
      await this.#start();
    });
  }

  stop(): Promise<void> {
    return this.#inTurn(() => this.#stop());
  }

  /** The server inside the extension, which may be missing. */
  get bundled(): string {
    const name = process.platform === 'win32' ? 'agentls.exe' : 'agentls';
    return vscode.Uri.joinPath(this.#extension, 'bin', name).fsPath;
  }

  /** Runs a start or stop after those before it. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(step);
    return this.#last;
  }

  async #start(): Promise<void> {
    this.#listeners.health({ state: 'starting' });
    const found = await findServer({
      configured: vscode.workspace.getConfiguration('agentls').get('server.path', ''),
      bundled: this.bundled,
      version: SERVER_VERSION,
    });
    if ('problem' in found) {
      this.#unusable(found.problem);
      return;
    }
    if (found.warning && found.warning.message !== this.#warned) {
      this.#warned = found.warning.message;
      this.#listeners.problem(found.warning);
    }
    const client = this.#connect(found.path);
    this.#client = client;
    try {
      await client.start();
    } catch (error) {
      if (client.ran) {
        this.#ended(client); // between its answer and ours
        return;
      }
      const why = messageOf(error).replace(/\.$/, '');
      const message = `agentls: the server does not start: ${why}. Its log says more.`;
      this.#unusable({ message, steps: ['Show Log', 'Restart Server'] });
    }
  }

  async #stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client?.state === State.Running || client?.state === State.Starting) {
      await client.stop().catch(() => undefined); // it is gone either way
    }
    await client?.dispose().catch(() => undefined);
  }

  async call<N extends CommandName>(command: N, argument: Commands[N]['argument']): Promise<Commands[N]['result']> {
    return this.#request('workspace/executeCommand', { command, arguments: [argument] });
  }

  /** The declarations of a file, as the server's index knows them. */
  async declarations(uri: string): Promise<Declaration[]> {
    return (await this.#request<Declaration[] | null>('textDocument/documentSymbol', { textDocument: { uri } })) ?? [];
  }

  async #request<R>(method: string, params: unknown): Promise<R> {
    if (!this.#client) {
      throw new Error(this.#problem);
    }
    return this.#client.sendRequest<R>(method, params);
  }

  #connect(command: string): AgentClient {
    const client = new AgentClient(
      'agentls',
      'agentls',
      { command, args: ['serve'] },
      {
        documentSelector: [{ scheme: 'file' }], // all of them: a change set may be about any file that is open
        outputChannel: this.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        errorHandler: {
          error: () => ({ action: ErrorAction.Continue, handled: true }), // if it matters, the connection closes
          closed: () => {
            if (client.ran && this.#client === client) {
              this.#ended(client); // else #start tells why, or it was meant
            }
            return { action: CloseAction.DoNotRestart, handled: true };
          },
        },
        initializationOptions: serverSettings,
        middleware: {
          handleDiagnostics: (uri, diagnostics, next) => {
            if (vscode.workspace.getWorkspaceFolder(uri)) {
              next(uri, diagnostics); // not those of the diff document, which the multi-diff editor stands in for
            }
          },
          workspace: {
            configuration: (params) =>
              params.items.map((item) => (item.section === 'agentls' ? serverSettings() : null)),
          },
          ...navigation,
        },
      },
    );
    client.registerFeature(declaration);
    client.onNotification('agentls/event', (event: Event) => this.#listeners.event(event));
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) {
        client.ran = true;
        this.#listeners.health({ state: 'running' });
      }
    });
    return client;
  }

  /**
   * Starts a server that ended by itself again, unless that happens too often; then the user decides. (The client's own
   * restart would go on with what is left of the old connection, and lose its way when the server ends once more.)
   */
  #ended(client: AgentClient): void {
    if (client.over) {
      return;
    }
    client.over = true;
    if (this.#crashes.note(Date.now())) {
      this.#problem = 'agentls: the server ended by itself; it is started again. Its log says more.';
      this.#listeners.health({ state: 'stopped', problem: this.#problem });
      void this.#again();
      return;
    }
    const often = `${this.#crashes.most + 1} times within ${this.#crashes.within / 60_000} minutes`;
    const message = `agentls: the server ended by itself ${often}, so it is not started again. Nothing is lost: what was proposed and applied is kept. Its log says why.`;
    this.#unusable({ message, steps: ['Show Log', 'Restart Server'] });
  }

  #unusable(problem: Problem): void {
    this.#problem = problem.message;
    const client = this.#client;
    this.#client = undefined;
    void client?.dispose().catch(() => undefined); // it may be starting the server once more
    this.#listeners.health({ state: 'stopped', problem: problem.message });
    this.#listeners.problem(problem);
  }

  /** Sends the settings again after the user changed them. */
  settingsChanged(): void {
    void this.#client?.sendNotification('workspace/didChangeConfiguration', {
      settings: { agentls: serverSettings() },
    });
  }
}

/** Our own commands have the server's names (commands.ts), so the client must not register those again. */
class AgentClient extends LanguageClient {
  /** Whether the server answered once. */
  ran = false;
  /** Whether it is known that the server ended by itself. */
  over = false;

  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    const commands = 'registrationType' in feature && feature.registrationType.method === 'workspace/executeCommand';
    if (!commands) {
      super.registerFeature(feature);
    }
  }
}

/** What this client declares. Progress is shown from events, so the server need not tell it a second way. */
const declaration: StaticFeature = {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    capabilities.experimental = { agentls: declared };
    capabilities.window = { ...capabilities.window, workDoneProgress: false };
  },
  initialize() {},
  getState: () => ({ kind: 'static' }),
  clear() {},
};

/** What the user's settings say of the model and of the task service. */
function serverSettings(): object {
  const settings = vscode.workspace.getConfiguration('agentls');
  const text = (name: string) => settings.get(name, '');
  const number = (name: string) => settings.get(name, 0);
  return {
    model: text('model'),
    baseUrl: text('baseUrl'),
    apiKey: text('apiKey'),
    models: settings.get('models', {}),
    effort: settings.get('effort', {}),
    verify: settings.get<string[]>('verify', []),
    secondPass: settings.get('secondPass', true),
    trusted: vscode.workspace.isTrusted,
    remote: { url: text('remote.url'), token: text('remote.token'), environment: text('remote.environment') },
    journal: { entries: number('journal.entries'), bytes: number('journal.bytes'), days: number('journal.days') },
  };
}

/** Whether the index answers for a file, by the setting and by what is installed. */
function answers({ languageId }: { languageId: string }): boolean {
  return navigates(
    mode(),
    languageId,
    vscode.extensions.all.map(({ id }) => id),
  );
}

function mode(): Navigation {
  return vscode.workspace.getConfiguration('agentls').get<Navigation>('navigation', 'auto');
}

/** Navigation by the index, but where another extension serves the language or the user wants none. */
const navigation = {
  provideHover: (document, position, token, next) => (answers(document) ? next(document, position, token) : undefined),
  provideDefinition: (document, position, token, next) =>
    answers(document) ? next(document, position, token) : undefined,
  provideDeclaration: (document, position, token, next) =>
    answers(document) ? next(document, position, token) : undefined,
  provideTypeDefinition: (document, position, token, next) =>
    answers(document) ? next(document, position, token) : undefined,
  provideImplementation: (document, position, token, next) =>
    answers(document) ? next(document, position, token) : undefined,
  provideReferences: (document, position, options, token, next) =>
    answers(document) ? next(document, position, options, token) : undefined,
  provideDocumentHighlights: (document, position, token, next) =>
    answers(document) ? next(document, position, token) : undefined,
  provideDocumentSymbols: (document, token, next) => (answers(document) ? next(document, token) : undefined),
  provideWorkspaceSymbols: (query, token, next) => (mode() === 'off' ? undefined : next(query, token)),
  provideDocumentLinks: (document, token, next) => (answers(document) ? next(document, token) : undefined),
  provideFoldingRanges: (document, context, token, next) =>
    answers(document) ? next(document, context, token) : undefined,
  provideSelectionRanges: (document, positions, token, next) =>
    answers(document) ? next(document, positions, token) : undefined,
  prepareCallHierarchy: (document, position, token, next) =>
    answers(document) ? next(document, position, token) : undefined,
  prepareTypeHierarchy: (document, position, token, next) =>
    answers(document) ? next(document, position, token) : undefined,
  prepareRename: (document, position, token, next) => (answers(document) ? next(document, position, token) : undefined),
  provideRenameEdits: (document, position, name, token, next) =>
    answers(document) ? next(document, position, name, token) : undefined,
} satisfies import('vscode-languageclient/node').Middleware;

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
