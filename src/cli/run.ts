/** `contender run`: one pipeline, here and now, with the engine, journal and executor that a server would use. */
import { readRun, runReportOf } from '../conductor/read.ts';
import { loadConfig } from '../config.ts';
import type { Sha } from '../git/git.ts';
import { createIds } from '../ids.ts';
import type { System } from '../main.ts';
import { ProblemError } from '../std/problem.ts';
import { actorName } from './actor.ts';
import type { ExitStatus } from './exit-status.ts';
import { follow, type FollowedRun } from './follow.ts';
import { handOver } from './hand-over.ts';
import { listenForInterruption } from './interruption.ts';
import { outliveReader } from './output.ts';
import { chooseRepository, mindUncommitted, openOrFindServer, projectOf, sayTakenUp } from './place.ts';
import { fetchAndResolve, mindRepository } from './sources.ts';
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
    return await runIn(opened, repository.name, options, say);
  } finally {
    await opened.close();
  }
}

async function runIn(
  system: System,
  repository: string,
  options: RunOptions,
  say: (line: string) => void,
): Promise<ExitStatus> {
  const project = projectOf(system, repository);
  const sha = await fetchAndResolve(project.git, options.ref);
  const interruption = listenForInterruption(say);
  try {
    await sayTakenUp(system);
    await system.conductor.start({ watch: false });
    const runId = await startRun(system, repository, sha, options);
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
      await conductor.ask(runId, { type: 'cancel', by: actorName(), reason });
    },
    settled: () => conductor.outboxSettled(),
    report: () => runReportOf(journal, runId, null),
  };
}
