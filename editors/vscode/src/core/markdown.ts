/** A text as Markdown that shows it as it is. */
export function plain(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-!|<>~&]/g, '\\$&').replaceAll('\n', '  \n');
}

/** A text as a block of code. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

/** A fenced block, whether closed or not, or a code span. */
const code = /^ {0,3}(`{3,}|~{3,})[^\n]*\n(?:[^]*?^ {0,3}\1[`~]*[ \t]*$|[^]*)|(`+)(?!`)[^]*?[^`]\2(?!`)/gm;

/**
 * A model's Markdown without images: the editor would fetch them, and so tell their server whatever their address says.
 * Each becomes a link, which is only followed when the user does. What is code stays as it is.
 */
export function withoutImages(markdown: string): string {
  let result = '';
  let read = 0;
  for (const block of markdown.matchAll(code)) {
    result += defused(markdown.slice(read, block.index)) + block[0];
    read = block.index + block[0].length;
  }
  return result + defused(markdown.slice(read));
}

function defused(text: string): string {
  return text.replace(/!(?=\[)/g, '\\!');
}
