/** Test results in the form of `go test -v`, so that one runner can count the tests of both languages. */

/** What `go test -v` prints when a test begins. */
export function begins(test: string): string {
  return `=== RUN   ${word(test)}`;
}

/** What `go test -v` prints when a test has ended, after `milliseconds`. */
export function ends(test: string, result: 'PASS' | 'FAIL', milliseconds: number): string {
  return `--- ${result}: ${word(test)} (${(milliseconds / 1000).toFixed(2)}s)`;
}

/** A test's name without spaces, which would end it. */
function word(test: string): string {
  return test.replaceAll(' ', '_');
}
