/** The demo's server: `contender serve` in a process of its own, with the App's key and nothing of the user's settings. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { stringify } from 'yaml';
import { problemCodes } from '../std/problem-codes.ts';
import { ProblemError, type Problem } from '../std/problem.ts';
import type { FakeGitHub } from './github/github.ts';

export interface Server {
  readonly url: string;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface ServerOptions {
  /** Its own; made where it is not there. */
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
}

const readyWithinMs = 30_000;

/** Rejects with the `ProblemError` that the server ended with, where it was one: a port that is taken. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { folder, github, repository, webhookSecret, port, executor = {}, environment } = options;
  await mkdir(folder, { recursive: true });
  const { app } = github;
  if (app === null) throw new Error('the demo has a GitHub App');
  const watched = { url: github.cloneUrl, github: { repository, apiUrl: github.url } };
  const settings = { repositories: [watched], server: { port }, executor };
  await writeFile(join(folder, 'contender.yaml'), stringify(settings));
  const program = fileURLToPath(new URL(`../cli/bin${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, [program, 'serve'], {
    cwd: folder,
    // The channel is never used: when this process ends, however it ends, the server sees it close and stops.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...withoutSettings(process.env),
      CONTENDER_GITHUB_APP_ID: String(app.id),
      CONTENDER_GITHUB_PRIVATE_KEY: app.privateKey,
      CONTENDER_WEBHOOK_SECRET: webhookSecret,
      ...environment,
    },
  });
  const complaints: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => void complaints.push(text));
  const url = await firstAddress(child, complaints);
  return {
    url,
    async stop(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

/** The user's own database, token and secrets are for the user's own server. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('CONTENDER_')));
}

/** The server says its address on its first line. */
async function firstAddress(child: ChildProcess, complaints: readonly string[]): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no standard output');
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<string>((resolveReady, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server was not ready in ${readyWithinMs} ms`)), readyWithinMs);
    lines.on('line', (line) => {
      const url = /is at (http\S+?),/.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolveReady(url);
    });
    // Not at its exit: what it said last may come after that.
    child.once('close', (code) => {
      clearTimeout(timer);
      reject(endOf(code, complaints.join('')));
    });
  });
  return ready;
}

function endOf(status: number | null, said: string): Error {
  const problem = problemIn(said);
  return problem === null ? new Error(`the server ended with status ${status}:\n${said}`) : new ProblemError(problem);
}

/** The problem that a command said on standard error, as `formatProblem` writes it; null where it said none. */
function problemIn(said: string): Problem | null {
  const [, message, name, help] = /^error: (.+) \[([a-z-]+)\]\n {2}(.+)$/m.exec(stripVTControlCharacters(said)) ?? [];
  const code = problemCodes.find((known) => known === name);
  if (message === undefined || code === undefined || help === undefined) return null;
  return { code, message, where: null, help };
}
