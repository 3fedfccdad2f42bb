/**
 * What the story plays on: a temporary folder with a GitHub on loopback, a person's clone of its repository, and
 * `contender serve` in a process of its own, exactly as a user would start it.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ProblemError } from '../std/problem.ts';
import { gitEnvironment } from './github/bare.ts';
import { createFakeGitHub, type FakeGitHub } from './github/github.ts';
import { startServer, type Server } from './server.ts';

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
  /** Resolves with why, should the server end without having been told to. */
  readonly serverDied: Promise<string>;
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
  /** The section `executor` of the server's settings; processes of this machine, unless given. */
  readonly executor?: object;
  /** What the server's environment has beside what the demo sets. */
  readonly environment?: { readonly [name: string]: string };
}

/** What the stage makes in its folder. */
const parts = ['github', 'clone', 'server'] as const;
const webhookSecret = 'a secret of the demo';
/** `git merge-tree --write-tree` came with it. */
const gitNeeded = { major: 2, minor: 38 };

/**
 * Rejects with a `ProblemError`: `git-unusable`, `folder-not-empty`, and what the server ends with (`listen-refused`,
 * `demo-server-failed`). Nothing of it is left then.
 */
export async function setStage(options: StageOptions): Promise<Stage> {
  await mindGit();
  const temporary = options.folder === null;
  const folder = options.folder === null ? await mkdtemp(join(tmpdir(), 'contender-demo-')) : resolve(options.folder);
  if (!temporary) await makeEmptyFolder(folder);
  let github: FakeGitHub | null = null;
  let server: Server | null = null;
  const close = async (): Promise<void> => {
    await server?.stop('SIGTERM');
    await github?.close();
    if (temporary) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await mkdir(join(folder, 'github'));
    const hub = await createFakeGitHub({
      directory: join(folder, 'github'),
      owner,
      name: repositoryName,
      webhookUrl: null,
      webhookSecret,
      users: [{ login: engineer, permission: 'write' }],
      app: { slug: 'contender' },
      validate: options.validate,
    });
    github = hub;
    const clone = join(folder, 'clone');
    const git = gitIn(clone);
    await cp(fileURLToPath(new URL('repository', import.meta.url)), clone, { recursive: true });
    await git('init', '--quiet', '--initial-branch=main');
    await git('remote', 'add', 'origin', hub.pushUrl);
    const { promise: serverDied, resolve: sayDied } = Promise.withResolvers<string>();
    const start = async (port: number): Promise<Server> => {
      const started = await startServer({
        folder: join(folder, 'server'),
        github: hub,
        repository: fullName,
        webhookSecret,
        port,
        executor: options.executor,
        environment: options.environment,
      });
      void started.died.then(sayDied);
      return started;
    };
    const started = await start(options.port);
    server = started;
    hub.setWebhook(`${started.url}/webhooks/${fullName}`);
    return {
      folder,
      github: hub,
      clone,
      serverUrl: started.url,
      stateFolder: join(folder, 'server', '.contender'),
      serverDied,
      git,
      killServer: () => started.stop('SIGKILL'),
      async startServerAgain() {
        server = await start(Number(new URL(started.url).port));
      },
      close,
    };
  } catch (error) {
    await close();
    // A kept folder is left as it was found, so that the same command may be given again.
    if (!temporary) for (const part of parts) await rm(join(folder, part), { recursive: true, force: true });
    throw error;
  }
}

/** Before anything is made: a Git that is not there, or cannot do what the GitHub on loopback asks of it. */
async function mindGit(): Promise<void> {
  const said = await promisify(execFile)('git', ['--version'], { env: gitEnvironment() }).then(
    ({ stdout }) => stdout.trim(),
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    },
  );
  const [, major, minor] = /(\d+)\.(\d+)/.exec(said ?? '')?.map(Number) ?? [];
  if (major === undefined || minor === undefined) throw gitUnusable('there is no git on the PATH');
  const isOld = major < gitNeeded.major || (major === gitNeeded.major && minor < gitNeeded.minor);
  if (isOld) throw gitUnusable(`the git on the PATH is ${major}.${minor}`);
}

function gitUnusable(message: string): ProblemError {
  const help = `The demo needs Git ${gitNeeded.major}.${gitNeeded.minor} or newer: install it, or put it first on the PATH.`;
  return new ProblemError({ code: 'git-unusable', message, where: null, help });
}

/** Nothing of somebody else's is written over, and no story is told on top of another. */
async function makeEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const entries = await readdir(folder);
  if (entries.length === 0) return;
  throw new ProblemError({
    code: 'folder-not-empty',
    message: `${folder} is not empty: there is ${entries[0]} in it`,
    where: null,
    help: 'Name a new or empty folder: the demo makes a GitHub, a clone and a server of its own there.',
  });
}

/** As a person's Git, but with nothing of this machine's configuration in it, nor of whatever started the demo. */
function gitIn(clone: string): Stage['git'] {
  const env = gitEnvironment({
    GIT_AUTHOR_NAME: engineer,
    GIT_AUTHOR_EMAIL: `${engineer}@example.com`,
    GIT_COMMITTER_NAME: engineer,
    GIT_COMMITTER_EMAIL: `${engineer}@example.com`,
  });
  return async (...args) => {
    const options = { env, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)('git', ['-C', clone, ...args], options);
    return stdout.trim();
  };
}
