import * as vscode from 'vscode';
import type { Attachments } from './core/attachments.ts';
import type { Tasks } from './core/tasks.ts';
import { notice } from './core/words.ts';
import type { Work } from './core/work.ts';
import { messageOf, type Connection } from './client.ts';
import type { Questions } from './questions.ts';
import type { Reviews } from './review.ts';
import type { Texts } from './texts.ts';
import type { Threads } from './threads.ts';

/** The parts of the extension that commands work on. */
export interface Parts {
  connection: Connection;
  work: Work;
  tasks: Tasks;
  attached: Attachments;
  texts: Texts;
  questions: Questions;
  threads: Threads;
  reviews: Reviews;
}

/** Tells the user why a command failed. Its result goes to whoever ran it by name. */
export async function told<R>(result: Promise<R>): Promise<R | undefined> {
  try {
    return await result;
  } catch (error) {
    void vscode.window.showErrorMessage(notice(messageOf(error)));
    return undefined;
  }
}

/** The value, or an error that says `otherwise`. */
export function known<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) {
    throw new Error(otherwise);
  }
  return value;
}
