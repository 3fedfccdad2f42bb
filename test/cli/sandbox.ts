/** A folder of its own with an empty home, and the program in it as a real process. */
import { execFileSync, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundledProgram } from './program.ts';

export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it has written so far, both streams together. */
  said(): string;
  /** Resolves with the match as soon as its output has one; rejects with the output when it ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export interface Sandbox {
  readonly folder: string;
  /** When it was made. */
  readonly madeAt: number;
  git(...args: readonly string[]): string;
  write(files: Readonly<Record<string, string>>): void;
  commit(files: Readonly<Record<string, string>>): string;
  read(path: string): string;
  start(args: readonly string[], options?: StartOptions): Running;
  run(args: readonly string[], options?: StartOptions): Promise<Ended>;
  remove(): Promise<void>;
}

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Below the sandbox's folder. */
  readonly within?: string;
  readonly stdio?: StdioOptions;
  /** With a terminal of its own, into which whoever writes to its standard input types. */
  readonly terminal?: boolean;
}

export const program = await bundledProgram();

/** What every pipeline file of the tests begins with. */
export const fromContender = "import { pipeline, step } from 'contender';\n";

export function createSandbox(): Sandbox {
  const compiled = process.env['NODE_COMPILE_CACHE'];
  const root = mkdtempSync(join(tmpdir(), 'contender-cli-'));
  const [folder, home] = [join(root, 'work'), join(root, 'home')];
  mkdirSync(folder);
  mkdirSync(home);
  const environment = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    LANG: 'C.UTF-8',
    // What Node has made of the sources is kept for all tests: half of a short command's time.
    ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
  };
  const children = new Set<Running>();
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=mona', '-c', 'user.email=mona@example.com', ...args], {
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  const write: Sandbox['write'] = (files) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  };
  const start: Sandbox['start'] = (args, options = {}) => {
    const { terminal = false } = options;
    const words = [process.execPath, program, ...args];
    // `script` is part of each Debian; what it would keep of the session goes nowhere.
    const command = words.map((word) => `'${word}'`).join(' ');
    const [file = '', ...rest] = terminal
      ? ['script', '--quiet', '--return', `--command=${command}`, '/dev/null']
      : words;
    const child = spawn(file, rest, {
      cwd: join(folder, options.within ?? ''),
      env: { ...environment, ...options.environment },
      stdio: options.stdio ?? [terminal ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    const running = observe(child);
    children.add(running);
    void running.ended.then(() => children.delete(running));
    return running;
  };
  return {
    folder,
    madeAt: Date.now(),
    git,
    write,
    commit(files) {
      write(files);
      git('add', '--all');
      git('commit', '--quiet', '-m', 'Change');
      return git('rev-parse', 'HEAD');
    },
    read: (path) => readFileSync(join(folder, path), 'utf8'),
    start,
    run: (args, options) => start(args, options).ended,
    async remove() {
      for (const { child } of children) child.kill('SIGKILL');
      await Promise.all([...children].map((running) => running.ended));
      rmSync(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** In a Git repository that ignores the state folder. */
export function createProject(files: Readonly<Record<string, string>>): Sandbox {
  const sandbox = createSandbox();
  sandbox.git('init', '--quiet', '--initial-branch=main');
  sandbox.commit({ '.gitignore': '.contender/\n', ...files });
  return sandbox;
}

function observe(child: ChildProcess): Running {
  let [out, err] = ['', ''];
  const lookers = new Set<() => void>();
  const look = (): void => {
    for (const looker of lookers) looker();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => ((out += text), look()));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => ((err += text), look()));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (status) => resolve({ status, out, err }));
  });
  return {
    pid: child.pid ?? 0,
    child,
    said: () => out + err,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const looker = (): void => {
          const match = pattern.exec(out + err);
          if (match === null) return;
          lookers.delete(looker);
          resolve(match);
        };
        lookers.add(looker);
        void ended.then(() => reject(new Error(`it ended without ${pattern}:\n${out}${err}`)));
        looker();
      }),
    kill: (signal) => void child.kill(signal),
    ended,
  };
}
