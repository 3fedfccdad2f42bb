/** The demo's server: `contender serve` in a process of its own, with the App's key and nothing of the user's settings. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { stringify } from 'yaml';
import { problemCodes } from '../std/problem-codes.ts';
import { ProblemError, type Problem } from '../std/problem.ts';
import type { FakeGitHub } from './github/github.ts';
import { isUnderNohup } from './nohup.ts';

export interface Server {
  readonly url: string;
  /** Resolves with why, should it end without having been told to. */
  readonly died: Promise<string>;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface ServerOptions {
  /** Its own; made where it is not there. What it says on standard error is in its `server.log`. */
  readonly folder: string;
  readonly github: FakeGitHub;
  /** `owner/name` on that GitHub. */
  readonly repository: string;
  readonly webhookSecret: string;
  readonly port: number;
  /** The section `executor` of its settings; processes of this machine, unless given. */
  readonly executor?: object | undefined;
  /** What its environment has beside what the demo sets. */
  readonly environment?: { readonly [name: string]: string } | undefined;
  /** How long it may take until it says its address. */
  readonly readyWithinMs?: number;
}

const readyUnlessToldMs = 30_000;
/** Of its log, in a message. */
const tailLines = 20;

/** Rejects with the `ProblemError` that the server ended with, where it was one (a port that is taken), or `demo-server-failed`. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const {
    folder,
    github,
    repository,
    webhookSecret,
    port,
    executor = {},
    environment,
    readyWithinMs = readyUnlessToldMs,
  } = options;
  await mkdir(folder, { recursive: true });
  const { app } = github;
  if (app === null) throw new Error('the demo has a GitHub App');
  const watched = { url: github.cloneUrl, github: { repository, apiUrl: github.url } };
  const settings = { repositories: [watched], server: { port }, executor };
  await writeFile(join(folder, 'contender.yaml'), stringify(settings));
  const program = fileURLToPath(new URL(`../cli/bin${extname(import.meta.url)}`, import.meta.url));
  const log = join(folder, 'server.log');
  const file = await open(log, 'a');
  const child = spawn(process.execPath, [program, 'serve'], {
    cwd: folder,
    // The channel is never used: when this process ends, however it ends, the server sees it close and stops. By its input
    // it knows nohup too.
    stdio: [isUnderNohup() ? 'inherit' : 'ignore', 'pipe', file.fd, 'ipc'],
    env: {
      ...withoutSettings(process.env),
      CONTENDER_GITHUB_APP_ID: String(app.id),
      CONTENDER_GITHUB_PRIVATE_KEY: app.privateKey,
      CONTENDER_WEBHOOK_SECRET: webhookSecret,
      ...environment,
    },
  });
  await file.close();
  let isTold = false;
  const { promise: died, resolve: sayDied } = Promise.withResolvers<string>();
  // Not at its exit: what it said last may come after that.
  child.once('close', (status, signal) => {
    if (!isTold) sayDied(`the demo's server ended ${signal === null ? `with status ${status}` : `by ${signal}`}`);
  });
  const stop = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    isTold = true;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  try {
    const url = await firstAddress(child, died, readyWithinMs);
    return { url, died: died.then(async (why) => `${why}${await tailOf(log)}`), stop };
  } catch (error) {
    await stop('SIGKILL');
    if (!(error instanceof NotReady)) throw error;
    throw new ProblemError(problemIn(await readFile(log, 'utf8')) ?? (await failure(error, log)));
  }
}

class NotReady extends Error {}

async function failure({ message }: NotReady, log: string): Promise<Problem> {
  return {
    code: 'demo-server-failed',
    message: `${message}${await tailOf(log)}`,
    where: null,
    help: 'Give this machine more memory or less to do; if that is not it, report these lines.',
  };
}

/** The last lines of what it said, to stand after a sentence. */
async function tailOf(log: string): Promise<string> {
  const said = stripVTControlCharacters(await readFile(log, 'utf8').catch(() => '')).trimEnd();
  return said === '' ? '' : `; its last lines:\n${said.split('\n').slice(-tailLines).join('\n')}`;
}

/** The user's own database, token and secrets are for the user's own server. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('CONTENDER_')));
}

/** The server says its address on its first line. */
async function firstAddress(child: ChildProcess, died: Promise<string>, readyWithinMs: number): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no standard output');
  const { promise: ready, resolve, reject } = Promise.withResolvers<string>();
  const late = `the demo's server was not ready within ${readyWithinMs / 1000} seconds`;
  const timer = setTimeout(() => reject(new NotReady(late)), readyWithinMs);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const url = /is at (http\S+?),/.exec(line)?.[1];
    if (url !== undefined) resolve(url);
  });
  child.once('error', reject);
  void died.then((why) => reject(new NotReady(why)));
  return ready.finally(() => clearTimeout(timer));
}

/** The problem that a command said on standard error, as `formatProblem` writes it; null where it said none. */
function problemIn(said: string): Problem | null {
  const [, message, name, help] = /^error: (.+) \[([a-z-]+)\]\n {2}(.+)$/m.exec(stripVTControlCharacters(said)) ?? [];
  const code = problemCodes.find((known) => known === name);
  if (message === undefined || code === undefined || help === undefined) return null;
  return { code, message, where: null, help };
}
