/** `contender rerun`: a run once more, here or by the server that is at work in the folder. */
import { loadConfig } from '../config/config.ts';
import type { RerunSteps } from '../engine/event.ts';
import { createIds } from '../ids.ts';
import type { System } from '../main.ts';
import { ProblemError } from '../std/problem.ts';
import { actorName } from './actor.ts';
import type { ExitStatus } from './exit-status.ts';
import { handOver } from './hand-over.ts';
import { outliveReader } from './output.ts';
import { findRun, mindNothingHere } from './reading.ts';
import { rerunHelp } from './server-client.ts';
import { carryOutHere, openOrFindServer, startedRun, type Started } from './system-here.ts';
import { paint } from './terminal.ts';

export interface RerunOptions {
  /** An id, the beginning of one, or `PIPELINE#NUMBER`. */
  readonly run: string;
  readonly failed: boolean;
  readonly from: string | null;
  readonly atHead: boolean;
  readonly json: boolean;
}

export async function rerun(directory: string, options: RerunOptions): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  const steps = stepsOf(options);
  const stream = options.json ? process.stderr : process.stdout;
  const say = (line: string): void => void stream.write(`${line}\n`);
  outliveReader();
  mindNothingHere(config);
  const opened = await openOrFindServer(config);
  if (typeof opened === 'string') {
    const { run, failed, from, atHead, json } = options;
    const key = createIds({ now: Date.now })();
    const request = { failed, from, atHead, key };
    return handOver(
      config,
      opened,
      async (server, journal) => server.rerun((await findRun(journal, run)).id, request),
      { json, say },
    );
  }
  try {
    return await rerunIn(opened, steps, options, say);
  } finally {
    await opened.close();
  }
}

function stepsOf({ failed, from }: RerunOptions): RerunSteps {
  if (!failed) return from === null ? 'all' : { from };
  if (from === null) return 'failed';
  throw new ProblemError({
    code: 'usage',
    message: '--failed and --from do not go together',
    where: null,
    help: 'Give one of them: --failed begins at what failed, --from at the step that you name.',
  });
}

async function rerunIn(
  system: System,
  steps: RerunSteps,
  { run, atHead, json }: RerunOptions,
  say: (line: string) => void,
): Promise<ExitStatus> {
  const { conductor, journal } = system;
  const { id, number, opened } = await findRun(journal, run);
  const start = async (): Promise<Started> => {
    const asked = { runId: id, steps, atHead, actor: actorName(), key: system.newId() };
    const runId = startedRun(await conductor.rerun(asked), rerunHelp);
    return { runId, title: `${paint('bold', opened.pipeline)} again, as in #${number}: run ${runId}` };
  };
  return await carryOutHere(system, start, { say, json });
}
