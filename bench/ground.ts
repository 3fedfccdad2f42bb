/**
 * A place where one subject is measured: a folder, processes, databases on free loopback ports. Whatever was started
 * here is in a group of its own, carries a mark in its environment or descends from what does, and is gone when the
 * ground is closed, also where the measuring itself is interrupted.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { endMarked, findMarked, signalAll } from '../src/executor/local/processes.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { converse, type Program } from './subject.ts';

export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Ground {
  readonly folder: string;
  /** Processes that were started here, in the order of their start. */
  readonly roots: readonly number[];
  /** Removes this folder too, in the end. */
  adopt(folder: string): void;
  start(command: Command): ChildProcess;
  /** A program that is asked for workloads, and ready. */
  converse(command: Command): Promise<Program>;
  /** A program in TypeScript as one file of JavaScript, so that no process measured carries a compiler. */
  compile(source: string, nodeModules: string | null): Promise<string>;
  /** The address of an empty database of a server of its own. */
  postgres(): Promise<string>;
  /** What was printed here, the last of it. */
  log(): string;
  close(): Promise<void>;
}

const logLengthMax = 4000;
/** What a subject gets to end itself. */
const graceMs = 8000;
const patienceMs = 20_000;

export function openGround(): Ground {
  const folder = mkdtempSync(join(tmpdir(), 'contender-bench-'));
  const mark = { name: 'CONTENDER_BENCH', value: randomUUID() };
  const marks = { environment: [`${mark.name}=${mark.value}`], groups: new Set<number>() };
  const folders = [folder];
  const roots: number[] = [];
  const stops: (() => Promise<void>)[] = [];
  let printed = '';

  const launch = (command: Command): ChildProcess => {
    const child = spawn(command.program, command.arguments, {
      cwd: folder,
      env: { ...process.env, ...command.environment, [mark.name]: mark.value },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      // In a group of its own: some write over the environment that carries the mark.
      detached: true,
    });
    child.on('error', (error) => (printed += `${error.message}\n`));
    for (const output of [child.stdout, child.stderr])
      output.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-logLengthMax)));
    if (child.pid !== undefined) {
      roots.push(child.pid);
      marks.groups.add(child.pid);
    }
    return child;
  };
  const interrupted = (): void => {
    signalAll(findMarked(marks), 'SIGKILL');
    removeAll(folders);
  };
  process.once('exit', interrupted);

  return {
    folder,
    roots,
    adopt: (another) => void folders.push(another),
    start(command) {
      const child = launch(command);
      stops.push(() => endInOrder(child, () => child.kill('SIGTERM')));
      return child;
    },
    log: () => printed,
    converse(command) {
      const child = launch(command);
      // It ends when nobody asks it any more.
      stops.push(() => endInOrder(child, () => child.stdin?.end()));
      return converse(child, () => printed);
    },
    async compile(source, nodeModules) {
      const outfile = join(folder, 'program.mjs');
      const bundle = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const;
      await build({ entryPoints: [source], outfile, ...bundle });
      if (nodeModules !== null) symlinkSync(nodeModules, join(folder, 'node_modules'));
      return outfile;
    },
    async postgres() {
      const server = await startPostgres({ max_connections: '300' });
      stops.push(() => server.stop());
      if (server.pid !== null) roots.push(server.pid);
      return server.database();
    },
    async close() {
      // The last one first: a database outlives those who use it.
      for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop();
      if (!(await endMarked(marks, patienceMs))) throw new Error('a process of the benchmark does not end');
      process.off('exit', interrupted);
      removeAll(folders);
    },
  };
}

function removeAll(folders: readonly string[]): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Asks it to end, and gives it the time to end what it started itself. */
async function endInOrder(child: ChildProcess, ask: () => unknown): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  ask();
  await Promise.race([ended, sleep(graceMs, undefined, { ref: false })]);
}
