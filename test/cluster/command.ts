/** Other people's programs, run to their end, and the one kind of error that is told without a stack. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** What whoever calls has to know or do: its message is all that is shown. */
export class Trouble extends Error {}

export interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

interface Options {
  readonly input?: string;
  readonly folder?: string;
}

/** Its standard output; a status other than 0 throws with what it wrote on standard error. */
export async function run(program: string, words: readonly string[], options: Options = {}): Promise<string> {
  const { status, output, errors } = await attempt(program, words, options);
  if (status === 0) return output;
  throw new Trouble(`${program} ${words.slice(0, 4).join(' ')} … ended with status ${status}:\n${errors.trim()}`);
}

/** The same, whatever its status: null where it could not start or was ended by a signal. */
export async function attempt(program: string, words: readonly string[], options: Options = {}): Promise<Ended> {
  const child = spawn(program, words, { cwd: options.folder, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  // A program may end before it has read all of its input: its status says so, not the pipe.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, output, errors };
}

export async function linesOf(program: string, words: readonly string[]): Promise<readonly string[]> {
  const { output } = await attempt(program, words);
  return output.split('\n').filter((line) => line !== '');
}
