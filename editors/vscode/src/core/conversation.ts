import type { Run } from './runs.ts';
import { plural } from './words.ts';

/** One question of a conversation and the run that answers it. */
export interface Exchange {
  /** In the user's words; empty for what a command asks by itself. */
  question: string;
  run: Run;
}

const carriedExchanges = 3;
const carriedAnswer = 4000; // characters of each answer

/**
 * The question to send for a reply: the server keeps no conversation, so the last exchanges go along. The index cannot
 * use them, so without a model the question goes alone.
 */
export function followUp(exchanges: Exchange[], question: string, model: string | undefined): string {
  const answered = exchanges.filter((one) => one.run.state === 'done' && one.run.text !== '').slice(-carriedExchanges);
  if (model === undefined || answered.length === 0) {
    return question;
  }
  const earlier = answered.map((one) => {
    const asked = one.question === '' ? one.run.title : one.question;
    return `Question: ${asked}\nAnswer: ${one.run.text.slice(0, carriedAnswer)}`;
  });
  return `Earlier in this conversation:\n\n${earlier.join('\n\n')}\n\nQuestion now: ${question}`;
}

/** What the comment with an answer shows: who and how far, and the text so far as Markdown. */
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
  return tokens > 0 ? `${run.source} · ${plural(tokens, 'token')}` : run.source;
}

function answerText(run: Run): string {
  if (run.state === 'failed') {
    return [run.text, `$(error) ${run.error ?? 'It failed.'}`].filter((part) => part !== '').join('\n\n');
  }
  return [run.text, run.state === 'running' ? progressLine(run) : ''].filter((part) => part !== '').join('\n\n');
}

/** What a run under way does now, in one line. */
export function progressLine(run: Run): string {
  if (run.waiting !== '') {
    return `$(watch) ${run.waiting}`;
  }
  const step = run.steps.findLast((one) => one.state === 'started');
  return `$(loading~spin) ${step?.title ?? 'thinking'}`;
}
