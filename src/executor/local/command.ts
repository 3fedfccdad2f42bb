/**
 * A command in a process group that is its alone: started, listened to, warned, and ended to the last descendant. Most are
 * started by a warm shell; what a shell would not run as the kernel does, or could tell others about, by this process.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { basename, isAbsolute } from 'node:path';
import type { CommandExit } from './exit-outcome.ts';
import { isPlain } from './plain-command.ts';
import { handOver, type OutputPipe, type PipeStock } from './pipes.ts';
import { hasProc, startedAtOf, type StartedProcess } from './processes.ts';
import { AttemptRefusal } from './refusal.ts';
import { exitOfStatus, type Shell } from './shell.ts';
import type { WarmPool } from './warm-pool.ts';
import { messageOfError } from '../../std/error-message.ts';

export interface RunningCommand extends StartedProcess {
  /** When the process has ended; its children may go on. */
  readonly exited: Promise<CommandExit>;
  /** When its streams are read to the end as well. */
  readonly drained: Promise<void>;
  /** To be called in the end. `clean`: nobody has ended it. */
  release(clean: boolean): void;
}

export interface CommandOptions {
  readonly command: readonly string[];
  /** Of every command of this executor, and of its shells. */
  readonly baseEnvironment: { readonly [name: string]: string };
  readonly environment: { readonly [name: string]: string };
  readonly directory: string;
  readonly pipes: PipeStock;
  /** Null: no shell is to start it, since others use those too. */
  readonly shells: WarmPool<Shell> | null;
  readonly output: (stream: 'out' | 'err', chunk: Uint8Array) => void;
}

/** How long the streams may stay open after the process has ended: a child that it left behind may hold them. */
const drainMs = 2000;

/** Starts it; throws a refusal that says what is wrong with the command. */
export async function startCommand(options: CommandOptions): Promise<RunningCommand> {
  const [program = '', ...args] = options.command;
  if (program === '') throw new AttemptRefusal('invalid', 'the command is empty');
  if (options.command.some((part) => part.includes('\0'))) {
    throw new AttemptRefusal(
      'invalid',
      'an argument of the command holds a NUL character, which no process can be given',
    );
  }
  const pipes = { out: await options.pipes.take(), err: await options.pipes.take() };
  const ended = [pipes.out, pipes.err].map(untilEnd);
  for (const stream of ['out', 'err'] as const) {
    pipes[stream].reader.on('data', (chunk: Uint8Array) => options.output(stream, chunk));
  }
  try {
    const started = (await startInShell(options, pipes)) ?? (await startDirectly(program, args, options, pipes));
    return { ...started, drained: draining(started.exited, [pipes.out, pipes.err], ended) };
  } finally {
    for (const pipe of [pipes.out, pipes.err]) handOver(pipe);
  }
}

interface Pipes {
  readonly out: OutputPipe;
  readonly err: OutputPipe;
}

type Started = Omit<RunningCommand, 'drained'>;

/** Null where it was not started. */
async function startInShell(options: CommandOptions, { out, err }: Pipes): Promise<Started | null> {
  const { command, baseEnvironment, environment, directory, shells } = options;
  if (shells === null || !hasProc) return null;
  if (!isPlain({ command, directory, environment: { ...baseEnvironment, ...environment } })) return null;
  const shell = shells.take('');
  const { started, exited } = shell.run({ command, directory, environment, out: out.path, err: err.path });
  const pid = await started;
  const release = (clean: boolean): void => shells.giveBack('', shell, clean);
  if (pid !== null) return { pid, leader: shell, exited, release };
  release(false);
  return null;
}

async function startDirectly(
  program: string,
  args: readonly string[],
  options: CommandOptions,
  pipes: Pipes,
): Promise<Started> {
  const child = launch(program, args, options, [pipes.out.writer, pipes.err.writer]);
  const { pid } = child;
  if (pid === undefined) throw await startFailure(child, program);
  const leader = { pid, startedAt: startedAtOf(pid) };
  const exited = new Promise<CommandExit>((resolve) => {
    child.once('exit', (code, signal) => resolve(code === null ? { code, signal } : exitOfStatus(code)));
  });
  return { pid, leader, exited, release: () => undefined };
}

function launch(
  program: string,
  args: readonly string[],
  options: CommandOptions,
  writers: readonly [number, number],
): ChildProcess {
  try {
    return spawn(program, args, {
      cwd: options.directory,
      env: { ...options.baseEnvironment, ...options.environment },
      detached: true,
      stdio: ['ignore', ...writers],
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

/** Resolves when nobody writes to it any more, or it was given up. */
function untilEnd(pipe: OutputPipe): Promise<void> {
  return new Promise((resolve) => {
    let ended = false;
    pipe.reader.once('end', () => (ended = true));
    pipe.reader.on('error', () => {});
    pipe.reader.once('close', () => {
      pipe.release(ended);
      resolve();
    });
  });
}

async function draining(
  exited: Promise<CommandExit>,
  pipes: readonly OutputPipe[],
  ended: readonly Promise<void>[],
): Promise<void> {
  await exited;
  const late = setTimeout(() => {
    for (const { reader } of pipes) reader.destroy();
  }, drainMs);
  await Promise.all(ended);
  clearTimeout(late);
}

function describeStartError(error: unknown, program: string): AttemptRefusal {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT') return new AttemptRefusal('invalid', `there is no program "${program}" ${whereNot(program)}`);
  if (code === 'EACCES')
    return new AttemptRefusal(
      'invalid',
      `"${program}" may not be executed: make it executable (git update-index --chmod=+x) or name its interpreter`,
    );
  if (code === 'E2BIG')
    return new AttemptRefusal(
      'invalid',
      'the arguments and the environment are too large for a process: let a function write large values to a file, keep that with context.artifact, and give the command the artifact, which it gets as a path',
    );
  if (code === 'ENOEXEC')
    return new AttemptRefusal('invalid', `"${program}" is no program: its first line must name an interpreter (#!)`);
  return new AttemptRefusal('start', `"${program}" could not be started: ${messageOfError(error)}`);
}

function whereNot(program: string): string {
  if (isAbsolute(program)) return 'on the machine that runs the step';
  if (!program.includes('/')) return 'on the PATH with which Contender was started';
  return `in the files of the commit, to which nothing belongs that Git ignores: for a virtual environment, activate it before Contender is started, and name the program alone ("${basename(program)}")`;
}
