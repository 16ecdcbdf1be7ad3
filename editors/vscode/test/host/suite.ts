import { isDeepStrictEqual, inspect } from 'node:util';
import { begins, ends } from '../report.ts';

/** Tests that run one after the other; those of one suite share a server, a project and the model's scripts. */
export class Suite {
  #tests: { name: string; run: () => Promise<void> }[] = [];

  test(name: string, run: () => Promise<void>): void {
    this.#tests.push({ name, run });
  }

  /** Runs all tests and rejects if one failed. The first failure ends it: later tests build on earlier ones. */
  async run(): Promise<void> {
    for (const { name, run } of this.#tests) {
      const start = Date.now();
      const test = `host/${name}`;
      say(begins(test));
      try {
        await run();
      } catch (error) {
        say(`${error instanceof Error ? error.stack : error}\n${ends(test, 'FAIL', Date.now() - start)}`);
        throw error;
      }
      say(ends(test, 'PASS', Date.now() - start));
    }
  }
}

/** Prints a line that run.ts passes on. */
export function say(line: string): void {
  console.log(`[host] ${line}`);
}

/** Polls until `look` returns something; `what` is for the message when it does not within `limit` milliseconds. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limit = 20_000,
): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    if (Date.now() > end) {
      throw new Error(`waited ${limit} ms for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Fails unless two values are deeply the same. */
export function same(got: unknown, want: unknown): void {
  if (!isDeepStrictEqual(got, want)) {
    const show = (value: unknown) => inspect(value, { depth: 10, maxStringLength: 2000 });
    throw new Error(`got\n${show(got)}\nwant\n${show(want)}`);
  }
}

/** Polls until `look` returns `want`, and shows the last value when it never does. */
export async function becomes(look: () => unknown, want: unknown, limit = 20_000): Promise<void> {
  const matched = async () => isDeepStrictEqual(await look(), want);
  await until('the value', matched, limit).catch(async () => same(await look(), want));
}
