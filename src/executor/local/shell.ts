/**
 * A shell that waits for commands and runs one at a time. The server is a large process, and the kernel takes longer to
 * fork a large process than a short command takes in all; a shell of a megabyte is forked in no time. It leads a process
 * group, in which all runs that it starts, and reads what to run from its standard input: it ends with the server.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Socket } from 'node:net';
import type { CommandExit } from './exit-outcome.ts';
import { signalOne, startedAtOf } from './processes.ts';
import type { WarmProcess } from './warm-pool.ts';

export interface Shell extends WarmProcess {
  readonly pid: number;
  /** As `ProcessInfo` says it. */
  readonly startedAt: string;
  run(command: ShellCommand): ShellRun;
}

export interface ShellCommand {
  /** Found on the path of `environment`, or from `directory` on. */
  readonly command: readonly string[];
  readonly directory: string;
  /** What is added to the shell's own. */
  readonly environment: { readonly [name: string]: string };
  /** Named pipes that somebody reads. */
  readonly out: string;
  readonly err: string;
}

export interface ShellRun {
  /** The process's id; null where it was not started. */
  readonly started: Promise<number | null>;
  readonly exited: Promise<CommandExit>;
}

// A warning to the group is for what runs in it: the shell stays to tell how that ended.
const preamble = 'trap : TERM\n';

export function startShell(environment: { readonly [name: string]: string }): Shell {
  const child = spawn('/bin/sh', [], {
    cwd: '/',
    env: environment,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  });
  const [input, words] = [child.stdin, child.stdio[3]];
  if (input === null || !(words instanceof Socket)) throw new Error('a shell was started without its pipes');
  let [served, alive] = [0, child.pid !== undefined];
  let startedAt: string | null = null;
  let current: Running | null = null;

  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const killGroup = (): void => {
    if (child.pid === undefined) return;
    // Who waits for the end is kept alive until it has come.
    if (alive) child.ref();
    signalOne(-child.pid, 'SIGKILL');
  };
  const died = (exit: CommandExit): void => {
    alive = false;
    // What it had begun would go on without anybody who hears of its end.
    killGroup();
    current?.end(exit);
    end();
  };
  child.on('error', () => died({ code: null, signal: null }));
  child.once('exit', (code, signal) => died({ code, signal }));
  input.on('error', () => undefined);
  words.on('error', () => undefined);
  words.setEncoding('latin1').on('data', (text: string) => current?.take(text));
  input.write(preamble);
  // One that waits keeps no server alive; it ends when its input does.
  child.unref();
  words.unref();
  if (input instanceof Socket) input.unref();

  return {
    pid: child.pid ?? 0,
    get startedAt() {
      return (startedAt ??= startedAtOf(child.pid ?? 0));
    },
    get served() {
      return served;
    },
    get alive() {
      return alive;
    },
    ended,
    run(command) {
      served += 1;
      const running = createRunning(() => {
        current = null;
        words.unref();
      });
      current = running;
      words.ref();
      if (alive) input.write(scriptOf(command));
      else running.end({ code: child.exitCode, signal: child.signalCode });
      return running;
    },
    kill: killGroup,
  };
}

/**
 * The process says its id, closes what is the shell's, and becomes the program; the shell says how it ended. That the id
 * is the one of the process itself, and not of the shell, is known only to the kernel, which is asked without a fork: by
 * where a link of /proc leads, since a shell reads a file byte by byte.
 */
function scriptOf({ command, directory, environment, out, err }: ShellCommand): string {
  const variables = Object.entries(environment).map(([name, value]) => ` ${name}=${quoted(value)}`);
  const steps = [
    'cd -P /proc/self',
    'echo "p ${PWD##*/}" >&3',
    'exec 3>&-',
    `cd ${quoted(directory)}`,
    'unset OLDPWD',
    ...(variables.length === 0 ? [] : [`export${variables.join('')}`]),
    `exec ${command.map(quoted).join(' ')}`,
  ];
  return `( ${steps.join(' && ')} ) </dev/null >${quoted(out)} 2>${quoted(err)}; echo "s $?" >&3\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

interface Running extends ShellRun {
  take(text: string): void;
  end(exit: CommandExit): void;
}

function createRunning(over: () => void): Running {
  const started = Promise.withResolvers<number | null>();
  const exited = Promise.withResolvers<CommandExit>();
  let held = '';
  const end = (exit: CommandExit): void => {
    over();
    started.resolve(null);
    exited.resolve(exit);
  };
  return {
    started: started.promise,
    exited: exited.promise,
    end,
    take(text) {
      const lines = `${held}${text}`.split('\n');
      held = lines.pop() ?? '';
      for (const line of lines) {
        const [kind, number] = [line[0], Number(line.slice(2))];
        if (kind === 'p') started.resolve(number);
        else end(exitOfStatus(number));
      }
    },
  };
}

/** The first name of each: SIGIOT is SIGABRT. */
const signals = new Map<number, NodeJS.Signals>();
for (const [name, number] of Object.entries(constants.signals))
  if (!signals.has(number)) signals.set(number, name as NodeJS.Signals);

/** A status above 128 is the number of a signal, as every shell and Kubernetes say it. */
export function exitOfStatus(status: number): CommandExit {
  const signal = status > 128 ? (signals.get(status - 128) ?? null) : null;
  return signal === null ? { code: status, signal: null } : { code: null, signal };
}
