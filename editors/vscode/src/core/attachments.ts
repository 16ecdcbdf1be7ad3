import { baseName, plural } from './words.ts';

/** What the user handed over to go with the next task. */
export class Attachments {
  #output = '';
  #images: string[] = [];

  /** Attaches output of a terminal, in place of what was attached before. */
  attachOutput(output: string): void {
    this.#output = output;
  }

  /** Attaches images, by their URIs. */
  attachImages(uris: string[]): void {
    this.#images = [...new Set([...this.#images, ...uris])];
  }

  /** As the commands of the agent take them. */
  get argument(): { output?: string; images?: string[] } {
    return {
      ...(this.#output === '' ? {} : { output: this.#output }),
      ...(this.#images.length === 0 ? {} : { images: this.#images }),
    };
  }

  /** What goes along, in words: `with 12 lines of output and shot.png`; empty where nothing does. */
  get line(): string {
    const lines = this.#output === '' ? 0 : this.#output.trimEnd().split('\n').length;
    const all = [...(lines === 0 ? [] : [`${plural(lines, 'line')} of output`]), ...this.#images.map(baseName)];
    return all.length === 0 ? '' : `with ${all.join(', ').replace(/, ([^,]*)$/, ' and $1')}`;
  }

  /** They went, or are not to. */
  clear(): void {
    this.#output = '';
    this.#images = [];
  }
}
