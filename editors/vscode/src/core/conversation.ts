import { plain } from './markdown.ts';
import type { Run } from './runs.ts';
import { plural } from './words.ts';

/** One question of a conversation and the run that answers it. */
export interface Exchange {
  /** In the user's words; empty for what a command asks by itself. */
  question: string;
  run: Run;
}

/** How much of an answer a thread shows: the editor cuts comments at 100,000 characters, and without a word. */
const shownAnswer = 40_000;

/** The run that a reply goes on from: the last one that answered, if the server still knows it. */
export function goesOnFrom(exchanges: Exchange[]): string | undefined {
  const last = exchanges.findLast(({ run }) => run.state === 'done');
  return last?.run.known ? last.run.id : undefined;
}

/** What the comment with an answer shows: who and how far, and the text so far as Markdown of the model's. */
export interface AnswerView {
  label: string;
  markdown: string;
}

export function answerView(run: Run): AnswerView {
  return { label: answerLabel(run), markdown: answerText(run) };
}

function answerLabel(run: Run): string {
  if (run.state === 'failed') {
    return 'failed';
  }
  if (run.state === 'running') {
    return run.waiting === '' ? 'answering…' : 'waiting…';
  }
  const tokens = (run.usage?.inputTokens ?? 0) + (run.usage?.outputTokens ?? 0);
  return [run.source, tokens > 0 ? plural(tokens, 'token') : '', run.remote ? 'remotely' : '']
    .filter((part) => part !== '')
    .join(' · ');
}

function answerText(run: Run): string {
  const parts = [cut(run.text)];
  if (run.state === 'failed') {
    parts.push(`✗ ${plain(run.error ?? 'It failed.')}`);
  } else if (run.state === 'running') {
    parts.push(`_${plain(progressLine(run))}_`);
  }
  return parts.filter((part) => part !== '').join('\n\n');
}

function cut(answer: string): string {
  if (answer.length <= shownAnswer) {
    return answer;
  }
  return `${answer.slice(0, shownAnswer)}…\n\n_The answer goes on: open it as a document, with the button above._`;
}

/** What a run under way does now, in one line. */
export function progressLine(run: Run): string {
  if (run.waiting !== '') {
    return `waiting: ${run.waiting}`;
  }
  if (run.question) {
    return `asks: ${run.question.text}`;
  }
  if (run.waits) {
    return 'its plan waits for your word';
  }
  const step = run.steps.findLast((one) => one.state === 'started');
  return `${step?.title ?? 'thinking'}…`;
}
