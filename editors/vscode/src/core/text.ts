import type { FileView, Hunk, Position, Range } from './contract.ts';

/** One text as lines, to count in. Lines end in `\n`, `\r\n` or `\r`, as in LSP. */
export class Lines {
  readonly text: string;
  #starts: number[] = [0];

  constructor(text: string) {
    this.text = text;
    for (const end of text.matchAll(/\r\n|\r|\n/g)) {
      this.#starts.push(end.index + end[0].length);
    }
  }

  /** The number of lines; a text that ends in a line end has an empty last line. */
  get count(): number {
    return this.#starts.length;
  }

  /** The offset of a position. What is past the end of a line means its end, past the last line the end of the text. */
  offset(at: Position): number {
    const start = this.#starts[at.line];
    if (start === undefined) {
      return this.text.length;
    }
    const next = this.#starts[at.line + 1] ?? this.text.length;
    const line = this.text.slice(start, next).replace(/[\r\n]+$/, '');
    return start + Math.min(at.character, line.length);
  }

  /** The line that holds an offset. */
  lineAt(offset: number): number {
    const after = this.#starts.findIndex((start) => start > offset);
    return after < 0 ? this.#starts.length - 1 : after - 1;
  }

  slice(range: Range): string {
    return this.text.slice(this.offset(range.start), this.offset(range.end));
  }
}

/** Where a hunk stands in a preview: on the side that shows it, by lines. */
export interface Mark {
  hunk: Hunk;
  side: 'before' | 'after';
  first: number;
  last: number;
}

/** A file of a proposal as two texts: what is there now, and what would be there with all pending hunks. */
export interface Preview {
  file: FileView;
  before: string;
  after: string;
  marks: Mark[];
}

/**
 * Makes the two texts of a file. A hunk in conflict is not in `after`, so it is marked in `before`; so is one of a file
 * that goes away.
 */
export function preview(file: FileView): Preview {
  const lines = new Lines(file.before);
  const sorted = file.hunks.toSorted((a, b) => lines.offset(a.range.start) - lines.offset(b.range.start));
  const made: { hunk: Hunk; start: number; end: number }[] = [];
  let after = '';
  let read = 0;
  for (const hunk of sorted.filter((one) => one.state === 'pending')) {
    after += file.before.slice(read, lines.offset(hunk.range.start));
    made.push({ hunk, start: after.length, end: after.length + hunk.newText.length });
    after += hunk.newText;
    read = lines.offset(hunk.range.end);
  }
  after = file.op === 'delete' && made.length > 0 ? '' : after + file.before.slice(read);
  const result = new Lines(after);
  const marks = sorted.map((hunk): Mark => {
    const place = made.find((one) => one.hunk === hunk);
    return place && after !== ''
      ? mark(hunk, 'after', result, place.start, place.end)
      : mark(hunk, 'before', lines, lines.offset(hunk.range.start), lines.offset(hunk.range.end));
  });
  return { file, before: file.before, after, marks };
}

function mark(hunk: Hunk, side: Mark['side'], lines: Lines, start: number, end: number): Mark {
  return { hunk, side, first: lines.lineAt(start), last: lines.lineAt(Math.max(start, end - 1)) };
}

/** A declaration, as `textDocument/documentSymbol` tells it. */
export interface Declaration {
  name: string;
  range: Range;
  selectionRange: Range;
  children?: Declaration[];
}

/** The innermost declaration around a position. */
export function enclosing(declarations: Declaration[], at: Position): Declaration | undefined {
  const around = declarations.find((one) => holds(one.range, at));
  return around && (enclosing(around.children ?? [], at) ?? around);
}

/** The first declaration of that name. */
export function named(declarations: Declaration[], name: string): Declaration | undefined {
  for (const one of declarations) {
    const found = one.name === name ? one : named(one.children ?? [], name);
    if (found) {
      return found;
    }
  }
  return undefined;
}

function holds(range: Range, at: Position): boolean {
  return compare(range.start, at) <= 0 && compare(at, range.end) <= 0;
}

function compare(a: Position, b: Position): number {
  return a.line - b.line || a.character - b.character;
}
