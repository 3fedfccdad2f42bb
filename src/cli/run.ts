/** `contender run`: one pipeline, here and now, with the engine, journal and executor that a server would use. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readRun, runReportOf } from '../conductor/read.ts';
import type { Project } from '../conductor/ports.ts';
import { loadConfig, type Config, type RepositoryConfig } from '../config.ts';
import type { Sha } from '../git/git.ts';
import { createIds } from '../ids.ts';
import { openSystem, type System } from '../main.ts';
import { ProblemError } from '../std/problem.ts';
import { consoleLog } from './console-log.ts';
import type { ExitStatus } from './exit-status.ts';
import { follow, type FollowedRun } from './follow.ts';
import { handOver } from './hand-over.ts';
import { listenForInterruption } from './interruption.ts';
import { outliveReader } from './output.ts';
import { readServerAddress } from './server-address.ts';
import { fetchAndResolve, mindRepository } from './sources.ts';
import { makeStateFolder } from './state-folder.ts';
import { paint } from './terminal.ts';

export interface RunOptions {
  readonly pipeline: string;
  readonly repository: string | null;
  readonly ref: string;
  readonly date: number | null;
  readonly parameters: Readonly<Record<string, string>>;
  readonly json: boolean;
}

export async function run(directory: string, options: RunOptions): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  const repository = chooseRepository(config, options.repository);
  const stream = options.json ? process.stderr : process.stdout;
  const say = (line: string): void => void stream.write(`${line}\n`);
  outliveReader();
  mindRepository(repository.url);
  if (options.ref === 'HEAD') await mindUncommitted(repository.url, say);
  const opened = await openOrFindServer(config);
  if (typeof opened === 'string') {
    const date = options.date === null ? null : new Date(options.date).toISOString().slice(0, 10);
    const { pipeline, ref: revision, parameters, json } = options;
    const key = createIds({ now: Date.now })();
    return handOver(
      config,
      opened,
      { repository: repository.name, pipeline, revision, date, parameters, key },
      { json, say },
    );
  }
  try {
    return await runIn(opened, repository, options, say);
  } finally {
    await opened.close();
  }
}

function chooseRepository(config: Config, name: string | null): RepositoryConfig {
  const { repositories } = config;
  const found = name === null ? repositories[0] : repositories.find((each) => each.name === name);
  if (found !== undefined) return found;
  const help = `There are: ${repositories.map((each) => each.name).join(', ')}.`;
  throw new ProblemError({
    code: 'repository-unknown',
    message: `no repository is called "${name}"`,
    where: null,
    help,
  });
}

/** The system of this folder; where a server holds it, the server's address. */
async function openOrFindServer(config: Config): Promise<System | string> {
  await makeStateFolder(config.stateDirectory);
  try {
    return await openSystem({ config, log: consoleLog('warn'), print: () => undefined, publicUrl: () => null });
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'folder-locked') throw error;
    const url = await readServerAddress(config.stateDirectory);
    if (url === null) throw error;
    return url;
  }
}

async function runIn(
  system: System,
  repository: RepositoryConfig,
  options: RunOptions,
  say: (line: string) => void,
): Promise<ExitStatus> {
  const project = projectOf(system, repository.name);
  const sha = await fetchAndResolve(project.git, options.ref, repository.url);
  const interruption = listenForInterruption(say);
  try {
    await sayTakenUp(system);
    await system.conductor.start({ watch: false });
    const runId = await startRun(system, repository.name, sha, options);
    say(`${paint('bold', options.pipeline)} at ${sha.slice(0, 7)}, run ${runId}`);
    return await follow(followedHere(system, runId), interruption, options.json);
  } finally {
    interruption.end();
  }
}

/** Gives the run's id. */
async function startRun(system: System, repository: string, sha: Sha, options: RunOptions): Promise<string> {
  const started = await system.conductor.runManually({
    repository,
    pipeline: options.pipeline,
    sha,
    actor: actorName(),
    logicalDate: options.date,
    parameters: options.parameters,
    key: system.newId(),
  });
  if (started.ok) return started.value;
  if (typeof started.error !== 'string') throw new ProblemError(started.error);
  const help = '`contender check` lists the pipelines; `contender graph PIPELINE` shows one.';
  throw new ProblemError({ code: 'run-refused', message: started.error, where: null, help });
}

const takenUpNamedMax = 5;

/** Runs that have not ended go on beside the new one, for as long as this command is at work: nobody expects that. */
async function sayTakenUp({ journal }: System): Promise<void> {
  const left = await journal.unfinishedRuns();
  if (left.length === 0) return;
  const names = left.slice(0, takenUpNamedMax).map(({ opened, number }) => `${opened.pipeline}#${number}`);
  const more = left.length > takenUpNamedMax ? ` and ${left.length - takenUpNamedMax} more` : '';
  const line = `takes up ${names.join(', ')}${more}, which an earlier server left`;
  process.stderr.write(`${paint('yellow', line, process.stderr)}\n`);
}

function projectOf(system: System, repository: string): Project {
  const project = system.projects.get(repository);
  if (project === undefined) throw new Error(`the system has no repository ${repository}`);
  return project;
}

function followedHere(system: System, runId: string): FollowedRun {
  const { conductor, journal } = system;
  return {
    read: () => readRun(journal, runId),
    changed: () =>
      new Promise((resolve) => {
        const unwatch = conductor.watch((changed) => {
          if (changed !== runId) return;
          unwatch();
          resolve();
        });
      }),
    async cancel(reason) {
      conductor.cancel(runId, actorName(), reason);
    },
    settled: () => conductor.outboxSettled(),
    report: () => runReportOf(journal, runId, null),
  };
}

/** A user without an entry in the system's list, as in containers, has a number only. */
function actorName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** What is not committed is not run: said before anybody wonders. */
async function mindUncommitted(folder: string, say: (line: string) => void): Promise<void> {
  if (!existsSync(join(folder, '.git'))) return;
  const listed = await promisify(execFile)('git', ['-C', folder, 'status', '--porcelain'], { timeout: 10_000 }).catch(
    () => null,
  );
  const lines = listed?.stdout.split('\n').filter((line) => line !== '') ?? [];
  if (lines.length === 0) return;
  const what = lines.length === 1 ? '1 uncommitted change is' : `${lines.length} uncommitted changes are`;
  say(paint('yellow', `${what} not part of this run: it runs the commit HEAD.`));
}
