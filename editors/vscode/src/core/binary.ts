import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Where a server may be, and which one this extension was made with. */
export interface Wanted {
  /** The setting agentls.server.path; empty: the server inside the extension. */
  configured: string;
  /** The server inside the extension; it may be missing. */
  bundled: string;
  /** The version this extension was built with; empty: any will do. */
  version: string;
}

/** What can be done about a problem, as buttons. */
export type NextStep = 'Open Settings' | 'Use the Server Inside' | 'Show Log' | 'Restart Server';

/** Something that the user must know, and what to do about it. */
export interface Problem {
  message: string;
  steps: NextStep[];
}

/** The server to start. With a warning it is of another version. */
export type Found = { path: string; warning?: Problem } | { problem: Problem };

/** Reads the version that a server prints. It rejects where it cannot be started or prints none. */
export type ReadVersion = (path: string) => Promise<string>;

const started = promisify(execFile);

/** Runs `PATH version --json`, for at most ten seconds. */
export const readVersion: ReadVersion = async (path) => {
  const { stdout } = await started(path, ['version', '--json'], { timeout: 10_000 });
  const printed: unknown = JSON.parse(stdout);
  if (typeof printed === 'object' && printed !== null && 'version' in printed && typeof printed.version === 'string') {
    return printed.version;
  }
  throw new Error('it printed no version');
};

/** Chooses the server and makes sure that it can be started. */
export async function findServer(wanted: Wanted, read: ReadVersion = readVersion): Promise<Found> {
  const path = wanted.configured || wanted.bundled;
  const kind = await kindOf(path);
  if (kind === 'absent') {
    return { problem: missing(wanted) };
  }
  if (kind !== 'program') {
    return { problem: noProgram(wanted, path, kind) };
  }
  try {
    const version = await read(path);
    const other = wanted.version !== '' && version !== wanted.version;
    return other ? { path, warning: otherVersion(wanted, path, version) } : { path };
  } catch (error) {
    return { problem: broken(wanted, path, error) };
  }
}

async function kindOf(path: string): Promise<'absent' | 'folder' | 'not executable' | 'program'> {
  const found = await stat(path).catch(() => undefined);
  if (!found) {
    return 'absent';
  }
  if (found.isDirectory()) {
    return 'folder';
  }
  return access(path, constants.X_OK).then(
    () => 'program',
    () => 'not executable',
  );
}

function noProgram(wanted: Wanted, path: string, kind: 'folder' | 'not executable'): Problem {
  const what =
    kind === 'folder'
      ? `${path} is a folder; the setting agentls.server.path wants the program in it.`
      : `${path} is not executable. Make it so (chmod +x), and restart the server.`;
  const inside: NextStep[] = wanted.configured === '' ? [] : ['Open Settings', 'Use the Server Inside'];
  return { message: `agentls: ${what}`, steps: ['Restart Server', ...inside] };
}

function missing(wanted: Wanted): Problem {
  if (wanted.configured === '') {
    return {
      message:
        'agentls: this build of the extension has no server inside. Build one with “make vscode”, or name an agentls in the setting agentls.server.path.',
      steps: ['Open Settings'],
    };
  }
  return {
    message: `agentls: there is no program at ${wanted.configured}, which the setting agentls.server.path names. Correct it, or clear it to use the server inside the extension.`,
    steps: ['Open Settings', 'Use the Server Inside'],
  };
}

function broken(wanted: Wanted, path: string, error: unknown): Problem {
  const [why = 'it does not start'] = error instanceof Error ? error.message.split('\n') : [];
  const next =
    wanted.configured === ''
      ? 'This build of the extension may be for another system: install the one for yours.'
      : 'Is it agentls? Correct the setting agentls.server.path, or clear it to use the server inside the extension.';
  return {
    message: `agentls: ${path} is not a server that can be used: ${why}. ${next}`,
    steps: wanted.configured === '' ? ['Open Settings'] : ['Open Settings', 'Use the Server Inside'],
  };
}

function otherVersion(wanted: Wanted, path: string, version: string): Problem {
  return {
    message: `agentls: the server at ${path} is version ${version}; this extension was made with ${wanted.version}. Some things may not work: use the server inside the extension, or install ${wanted.version}.`,
    steps: wanted.configured === '' ? [] : ['Use the Server Inside', 'Open Settings'],
  };
}

/** How often a server may end by itself within a while before it is left alone. */
export class Crashes {
  readonly most = 4;
  readonly within = 3 * 60_000; // milliseconds
  #ends: number[] = [];

  /** Notes that the server ended at a time, in milliseconds, and says whether it may be started again. */
  note(now: number): boolean {
    this.#ends = [...this.#ends.filter((end) => now - end < this.within), now];
    return this.#ends.length <= this.most;
  }
}
