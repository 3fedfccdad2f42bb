/** `contender run`: one pipeline, here and now, with the engine, journal and executor that a server would use. */
import { loadConfig } from '../config/config.ts';
import type { RepositoryConfig } from '../config/repository.ts';
import { createIds } from '../ids.ts';
import type { System } from '../main.ts';
import { actorName } from './actor.ts';
import type { ExitStatus } from './exit-status.ts';
import { handOver } from './hand-over.ts';
import { outliveReader } from './output.ts';
import { chooseRepository, mindUncommitted, projectOf } from './place.ts';
import { runHelp } from './server-client.ts';
import { fetchAndResolve, mindRepository } from './sources.ts';
import { carryOutHere, openOrFindServer, startedRun, type Started } from './system-here.ts';
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
    const request = { repository: repository.name, pipeline, revision, date, parameters, key };
    return handOver(config, opened, (server) => server.startRun(request), { json, say });
  }
  try {
    return await runIn(opened, repository, options, say);
  } finally {
    await opened.close();
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
  const start = async (): Promise<Started> => {
    const asked = {
      repository: repository.name,
      pipeline: options.pipeline,
      sha,
      actor: actorName(),
      logicalDate: options.date,
      parameters: options.parameters,
      key: system.newId(),
    };
    const runId = startedRun(await system.conductor.runManually(asked), runHelp);
    return { runId, title: `${paint('bold', options.pipeline)} at ${sha.slice(0, 7)}, run ${runId}` };
  };
  return await carryOutHere(system, start, { say, json: options.json });
}
