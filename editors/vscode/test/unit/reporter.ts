/** Reports to `node --test` in the form of `go test -v`; see report.ts. */
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';
import { begins, ends } from '../report.ts';

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === 'test:pass' || event.type === 'test:fail') {
      const test = `unit/${event.data.name}`;
      const { duration_ms: milliseconds } = event.data.details;
      yield `${begins(test)}\n`;
      if (event.type === 'test:fail') {
        const { error } = event.data.details;
        yield `${inspect(error.cause ?? error)}\n`;
      }
      yield `${ends(test, event.type === 'test:pass' ? 'PASS' : 'FAIL', milliseconds)}\n`;
    } else if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      yield event.data.message;
    }
  }
}
