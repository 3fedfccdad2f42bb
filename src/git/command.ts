/**
 * One git process: an argument vector, no shell, a time limit, an output limit, and an end of the whole process group
 * (a fetch has children of its own) when a limit is met.
 */
import { spawn } from 'node:child_process';
import { constantConfiguration, type Environment } from './environment.ts';
import { gitLimits } from './limits.ts';

export interface GitCommand {
  /** Sub-command first; values only behind `--`, `--end-of-options`, or checked to be an id or a ref. */
  readonly argv: readonly string[];
  readonly environment: Environment;
  /** The mirror, or null for commands that have none yet. */
  readonly directory: string | null;
  readonly stdin?: string | Uint8Array;
  readonly timeMs?: number;
  /** No file that it writes becomes larger. */
  readonly fileBytesMax?: number | undefined;
  /** Told the id of the process group as soon as it runs, so that a successor can end it. */
  readonly onStart?: (processGroup: number) => void;
}

export type CommandOutcome =
  | { readonly kind: 'exited'; readonly code: number; readonly stdout: Buffer; readonly stderr: string }
  | { readonly kind: 'stopped'; readonly message: string };

const stderrBytesMax = 64 * 1024;

/** Runs git to its end. Never rejects: a git that cannot start or was stopped is an outcome. */
export function runGit(command: GitCommand): Promise<CommandOutcome> {
  const timeMs = command.timeMs ?? gitLimits.commandTimeMs;
  const argv = constantConfiguration.flatMap((setting) => ['-c', setting]);
  // In one pack, which is here whole or not at all: a commit that is unpacked is here before its files.
  if (command.fileBytesMax !== undefined) argv.push('-c', 'fetch.unpackLimit=1');
  if (command.directory !== null) argv.push(`--git-dir=${command.directory}`);
  argv.push(...command.argv);
  const { promise, resolve } = Promise.withResolvers<CommandOutcome>();
  const [program, words] = limited('git', argv, command.fileBytesMax);
  const child = spawn(program, words, { env: { ...command.environment }, detached: true, stdio: 'pipe' });
  const name = `git ${command.argv[0] ?? ''}`;
  const output: Buffer[] = [];
  let outputBytes = 0;
  let stderr = '';
  let stopped: string | null = null;
  const stop = (reason: string): void => {
    stopped ??= reason;
    endProcessGroup(child.pid);
  };
  const timer = setTimeout(() => stop(`${name} took longer than ${timeMs} ms and was ended`), timeMs);
  child.stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (outputBytes > gitLimits.outputBytesMax) stop(`${name} wrote more than ${gitLimits.outputBytesMax} bytes`);
    else output.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < stderrBytesMax) stderr += chunk.toString('utf8');
  });
  child.on('error', (error) => {
    clearTimeout(timer);
    resolve({ kind: 'stopped', message: `git cannot be started: ${error.message}` });
  });
  child.on('close', (code, signal) => {
    clearTimeout(timer);
    if (stopped === null && signal !== null) stopped = `${name} was ended by ${signal}`;
    if (stopped !== null) resolve({ kind: 'stopped', message: stopped });
    else resolve({ kind: 'exited', code: code ?? 0, stdout: Buffer.concat(output), stderr });
  });
  // A git that ends without reading its input is no fault of ours: its exit code speaks.
  child.stdin.on('error', () => undefined);
  child.stdin.end(command.stdin ?? '');
  if (child.pid !== undefined) command.onStart?.(child.pid);
  return promise;
}

/**
 * Under the kernel's own limit, which Node cannot set: the arguments stay arguments, and a write beyond it is an error and
 * no end by a signal. A shell counts blocks of 512 bytes.
 */
function limited(
  program: string,
  argv: readonly string[],
  fileBytesMax: number | undefined,
): readonly [string, readonly string[]] {
  if (fileBytesMax === undefined) return [program, argv];
  return [
    'sh',
    ['-c', `trap '' XFSZ && ulimit -f ${Math.ceil(fileBytesMax / 512)} && exec "$0" "$@"`, program, ...argv],
  ];
}

/** Ends a process group that may be gone already. */
export function endProcessGroup(id: number | undefined): void {
  if (id === undefined || id <= 1) return;
  try {
    process.kill(-id, 'SIGKILL');
  } catch {
    // ESRCH: it ended by itself.
  }
}
