/** One process group of its own for a command: started, listened to, warned, and ended to the last descendant. */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { AttemptRefusal } from './refusal.ts';

export interface CommandExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningCommand {
  readonly pid: number;
  /** When the process has ended and its streams are read to the end. */
  readonly ended: Promise<CommandExit>;
}

export interface CommandOptions {
  readonly command: readonly string[];
  readonly environment: { readonly [name: string]: string };
  readonly directory: string;
  readonly output: (stream: 'out' | 'err', chunk: Uint8Array) => void;
}

/** How long the streams may stay open after the process has ended: a child that it left behind may hold them. */
const drainMs = 2000;

/** Starts it; throws a refusal that says what is wrong with the command. */
export async function startCommand(options: CommandOptions): Promise<RunningCommand> {
  const [program = '', ...args] = options.command;
  if (program === '') throw new AttemptRefusal('invalid', 'the command is empty');
  if (options.command.some((part) => part.includes('\0')))
    throw new AttemptRefusal(
      'invalid',
      'an argument of the command holds a NUL character, which no process can be given',
    );
  const child = launch(program, args, options);
  const { stdout, stderr } = child;
  if (child.pid === undefined || stdout === null || stderr === null) throw await startFailure(child, program);
  stdout.on('data', (chunk: Uint8Array) => options.output('out', chunk));
  stderr.on('data', (chunk: Uint8Array) => options.output('err', chunk));
  return { pid: child.pid, ended: ending(child, [stdout, stderr]) };
}

function launch(program: string, args: readonly string[], options: CommandOptions): ChildProcess {
  try {
    return spawn(program, args, {
      cwd: options.directory,
      env: options.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    throw describeStartError(error, program);
  }
}

function startFailure(child: ChildProcess, program: string): Promise<AttemptRefusal> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(describeStartError(error, program)));
  });
}

function describeStartError(error: unknown, program: string): AttemptRefusal {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT')
    return new AttemptRefusal(
      'invalid',
      `there is no program "${program}": it is neither on the PATH of the server nor a path in the source tree`,
    );
  if (code === 'EACCES')
    return new AttemptRefusal(
      'invalid',
      `"${program}" may not be executed: make it executable (git update-index --chmod=+x) or name its interpreter`,
    );
  if (code === 'E2BIG')
    return new AttemptRefusal(
      'invalid',
      'the arguments and the environment are too large for a process: pass large values through a file or an output',
    );
  if (code === 'ENOEXEC')
    return new AttemptRefusal('invalid', `"${program}" is no program: its first line must name an interpreter (#!)`);
  return new AttemptRefusal(
    'start',
    `"${program}" could not be started: ${error instanceof Error ? error.message : String(error)}`,
  );
}

function ending(child: ChildProcess, streams: readonly Readable[]): Promise<CommandExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const late = setTimeout(() => {
        for (const stream of streams) stream.destroy();
      }, drainMs);
      child.once('close', () => {
        clearTimeout(late);
        resolve({ code, signal });
      });
    });
  });
}
