import * as vscode from 'vscode';

const scheme = 'agentls';

/** What the query of a text begins with that is shown by itself, until it is closed. */
const shown = 'shown.';

/** The virtual documents: texts by file and by the version of it that they are. */
export class Texts implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #texts = new Map<string, string>();
  readonly #subscriptions = [
    this.#changed,
    vscode.workspace.registerTextDocumentContentProvider(scheme, this),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme === scheme && uri.query.startsWith(shown)) {
        this.#texts.delete(uri.toString());
      }
    }),
  ];

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.toString()) ?? '';
  }

  /** The name of a version of a file. Its path is the file's, for the language and the label. */
  uri(file: vscode.Uri, version: string): vscode.Uri {
    return file.with({ scheme, authority: '', query: version });
  }

  put(file: vscode.Uri, version: string, text: string): vscode.Uri {
    const uri = this.uri(file, version);
    if (this.#texts.get(uri.toString()) !== text) {
      this.#texts.set(uri.toString(), text);
      this.#changed.fire(uri);
    }
    return uri;
  }

  /** Resolves once the open document of that name shows its text, or soon: its line ends may differ for good. */
  async shown(uri: vscode.Uri): Promise<void> {
    const end = Date.now() + 500;
    const name = uri.toString();
    const document = vscode.workspace.textDocuments.find((one) => one.uri.toString() === name);
    while (document && !document.isClosed && document.getText() !== this.#texts.get(name) && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Forgets the texts of a change set. */
  drop(changeSet: string): void {
    for (const name of this.#texts.keys()) {
      if (vscode.Uri.parse(name).query.startsWith(`${changeSet}.`)) {
        this.#texts.delete(name);
      }
    }
  }

  /** Shows a text beside those of files, as a document of this name. `id` tells texts of the same name apart. */
  async show(name: string, id: string, text: string): Promise<void> {
    const uri = this.put(vscode.Uri.file(`/${name.replaceAll(/[/\\]/g, ' ')}`), `${shown}${id}`, text);
    await vscode.window.showTextDocument(uri, { preview: true });
  }

  dispose(): void {
    for (const one of this.#subscriptions) {
      one.dispose();
    }
  }
}
