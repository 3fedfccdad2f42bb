/**
 * The whole system in one process, as the server has it, without its pages: asked for runs, answers when they ended.
 * Arguments: the folder with `contender.yaml`, and the composition root, built or from source.
 */
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type * as Reads from '../../src/conductor/read.ts';
import type * as Configs from '../../src/config/config.ts';
import type { Sha } from '../../src/git/git.ts';
import type * as Mains from '../../src/main.ts';
import { serve } from '../serve.ts';

export interface RunRequest {
  readonly pipeline: string;
  readonly sha: Sha;
  readonly runs: number;
  /** The answer is the time until its step `clock` began, which is its output. */
  readonly trigger: boolean;
}

const [directory = '', source = ''] = process.argv.slice(2);
const ending = source.endsWith('dist/src') ? 'js' : 'ts';
const load = async (module: string): Promise<unknown> =>
  await import(pathToFileURL(`${source}/${module}.${ending}`).href);
// The very modules that the types name.
const { loadConfig } = (await load('config/config')) as typeof Configs;
const { openSystem } = (await load('main')) as typeof Mains;
const { readRun } = (await load('conductor/read')) as typeof Reads;

const log = { info: () => undefined, warn: complain, error: complain };
const system = await openSystem({
  config: loadConfig(directory, process.env),
  log,
  print: () => undefined,
  publicUrl: () => null,
});
await system.conductor.start({ watch: false });
const [[repository, project] = []] = system.projects;
if (repository === undefined || project === undefined) throw new Error('no repository is configured');
const fetched = new Set<Sha>();

await serve(parseRequest, async (request) => {
  if (!fetched.has(request.sha)) await project.git.fetch();
  fetched.add(request.sha);
  const ends = listenForEnds();
  const startedAt = performance.now();
  const runIds = await Promise.all(Array.from({ length: request.runs }, () => open(request)));
  await ends.of(runIds);
  const ms = performance.now() - startedAt;
  await proveSuccess(runIds);
  if (!request.trigger) return ms;
  const output = (await readRun(system.journal, runIds[0] ?? ''))?.steps.get('clock')?.instances?.[0]?.output;
  if (output == null || !('inline' in output)) throw new Error('the step did not say when it began');
  return Number(output.inline) - performance.timeOrigin - startedAt;
});
await system.close();

function complain(fields: object, message: string): void {
  process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
}

/** As subject.ts beside this file writes it. */
function parseRequest(line: string): RunRequest {
  return JSON.parse(line) as RunRequest;
}

/** Until its opening is in the journal. */
async function open({ pipeline, sha }: RunRequest): Promise<string> {
  const key = randomUUID();
  const request = {
    repository: repository ?? '',
    pipeline,
    sha,
    actor: 'bench',
    logicalDate: null,
    parameters: {},
    key,
  };
  const started = await system.conductor.runManually(request);
  if (!started.ok) throw new Error(JSON.stringify(started.error));
  return started.value;
}

interface Ends {
  /** Resolves when the ends of all of them are in the journal. */
  of(runIds: readonly string[]): Promise<void>;
}

/** To be asked before they are opened: each end is told once, and looking for them would take time that is not Contender's. */
function listenForEnds(): Ends {
  const ended = new Set<string>();
  let heard = Promise.withResolvers<void>();
  const unwatch = system.conductor.watch((runId, isEnd) => {
    if (!isEnd) return;
    ended.add(runId);
    heard.resolve();
  });
  return {
    async of(runIds) {
      while (!runIds.every((runId) => ended.has(runId))) {
        await heard.promise;
        heard = Promise.withResolvers();
      }
      unwatch();
    },
  };
}

async function proveSuccess(runIds: readonly string[]): Promise<void> {
  for (const runId of runIds) {
    const row = await system.journal.run(runId);
    if (row?.state !== 'success') throw new Error(`run ${runId}: ${row?.state} ${row?.reason}`);
  }
}
