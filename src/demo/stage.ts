/**
 * What the story plays on: a temporary folder with a GitHub on loopback, a person's clone of its repository, and
 * `contender serve` in a process of its own, exactly as a user would start it.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createFakeGitHub, type FakeGitHub } from './github/github.ts';

const owner = 'mona';
const repositoryName = 'birdstrikes';
export const fullName = `${owner}/${repositoryName}`;
/** Who opens and merges the pull requests. */
export const engineer = 'hubot-engineer';

export interface Stage {
  readonly folder: string;
  readonly github: FakeGitHub;
  /** The person's clone. */
  readonly clone: string;
  readonly serverUrl: string;
  /** Where the server keeps its state. */
  readonly stateFolder: string;
  /** Git in the clone; gives standard output. */
  git(...args: readonly string[]): Promise<string>;
  /** Ends the server without a word (SIGKILL). */
  killServer(): Promise<void>;
  /** Starts it again, at the same address. */
  startServerAgain(): Promise<void>;
  close(): Promise<void>;
}

export interface StageOptions {
  /** Null: a temporary one, removed at the end. */
  readonly folder: string | null;
  readonly port: number;
  /** Whether to hold everything to GitHub's schema, which needs a dependency of development. */
  readonly validate: boolean;
}

const readyWithinMs = 30_000;
const webhookSecret = 'a secret of the demo';

export async function setStage(options: StageOptions): Promise<Stage> {
  const temporary = options.folder === null;
  const folder = options.folder === null ? await mkdtemp(join(tmpdir(), 'contender-demo-')) : resolve(options.folder);
  await mkdir(join(folder, 'github'), { recursive: true });
  const github = await createFakeGitHub({
    directory: join(folder, 'github'),
    owner,
    name: repositoryName,
    webhookUrl: null,
    webhookSecret,
    users: [{ login: engineer, permission: 'write' }],
    app: { slug: 'contender' },
    validate: options.validate,
  });
  let server: Server | null = null;
  const close = async (): Promise<void> => {
    await server?.stop('SIGTERM');
    await github.close();
    if (temporary) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const clone = join(folder, 'clone');
    const git = gitIn(clone);
    await cp(fileURLToPath(new URL('repository', import.meta.url)), clone, { recursive: true });
    await git('init', '--quiet', '--initial-branch=main');
    await git('remote', 'add', 'origin', github.pushUrl);
    const started = await startServer(folder, github, options.port);
    server = started;
    github.setWebhook(`${started.url}/webhooks/${fullName}`);
    return {
      folder,
      github,
      clone,
      serverUrl: started.url,
      stateFolder: join(folder, 'server', '.contender'),
      git,
      killServer: () => started.stop('SIGKILL'),
      async startServerAgain() {
        server = await startServer(folder, github, Number(new URL(started.url).port));
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** As a person's Git, but with nothing of this machine's configuration in it. */
function gitIn(clone: string): Stage['git'] {
  const environment = {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: engineer,
    GIT_AUTHOR_EMAIL: `${engineer}@example.com`,
    GIT_COMMITTER_NAME: engineer,
    GIT_COMMITTER_EMAIL: `${engineer}@example.com`,
  };
  return async (...args) => {
    const { stdout } = await promisify(execFile)('git', ['-C', clone, ...args], {
      env: environment,
      timeout: 60_000,
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout.trim();
  };
}

interface Server {
  readonly url: string;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** `contender serve` with the App's key in its environment. */
async function startServer(folder: string, github: FakeGitHub, port: number): Promise<Server> {
  const directory = join(folder, 'server');
  await mkdir(directory, { recursive: true });
  const { app } = github;
  if (app === null) throw new Error('the demo has a GitHub App');
  await writeFile(
    join(directory, 'contender.yaml'),
    `repositories:\n  - url: ${github.cloneUrl}\n    github: { repository: ${fullName}, apiUrl: ${github.url} }\nserver: { port: ${port} }\n`,
  );
  const program = fileURLToPath(new URL(`../cli/bin${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, [program, 'serve'], {
    cwd: directory,
    // The channel is never used: when this process ends, however it ends, the server sees it close and stops.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      CONTENDER_GITHUB_APP_ID: String(app.id),
      CONTENDER_GITHUB_PRIVATE_KEY: app.privateKey,
      CONTENDER_WEBHOOK_SECRET: webhookSecret,
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
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the server ended with status ${code}:\n${complaints.join('')}`));
    });
  });
  return ready;
}
