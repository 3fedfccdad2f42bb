/** The system of a folder, opened by a command itself, and the runs that it carries out there. */
import { readRun, runReportOf } from '../conductor/read.ts';
import { stepWaits } from '../conductor/waits/step-waits.ts';
import { turnText } from '../conductor/waits/turn-text.ts';
import type { Config } from '../config/config.ts';
import { openSystem, type System } from '../main.ts';
import { ProblemError, type Problem } from '../std/problem.ts';
import type { Result } from '../std/result.ts';
import { actorName } from './actor.ts';
import { consoleLog } from './console-log.ts';
import type { ExitStatus } from './exit-status.ts';
import { follow, type FollowedRun } from './follow.ts';
import { listenForInterruption } from './interruption.ts';
import { readServerAddress } from './server-address.ts';
import { makeStateFolder } from './state-folder.ts';
import { paint } from './terminal.ts';

/** The system of this folder; where a server holds it, the server's address. */
export async function openOrFindServer(config: Config): Promise<System | string> {
  await makeStateFolder(config.stateDirectory);
  try {
    const log = consoleLog('warn');
    return await openSystem({ config, log, print: () => undefined, publicUrl: () => null, isLast: true });
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'folder-locked') throw error;
    const url = await readServerAddress(config.stateDirectory);
    if (url === null) throw error;
    return url;
  }
}

/** The id of a run that was asked for. Rejects with why there is none. */
export function startedRun(started: Result<string, Problem | string>, help: string): string {
  if (started.ok) return started.value;
  if (typeof started.error !== 'string') throw new ProblemError(started.error);
  throw new ProblemError({ code: 'run-refused', message: started.error, where: null, help });
}

export interface Started {
  readonly runId: string;
  /** What is said of it before its steps. */
  readonly title: string;
}

/** Starts a run and follows it to its end; an interruption cancels it, however early it comes. */
export async function carryOutHere(
  system: System,
  start: () => Promise<Started>,
  { say, json }: { readonly say: (line: string) => void; readonly json: boolean },
): Promise<ExitStatus> {
  const interruption = listenForInterruption(say);
  try {
    await takePart(system);
    const { runId, title } = await start();
    say(title);
    return await follow(followedHere(system, runId), interruption, json);
  } finally {
    interruption.end();
  }
}

const takenUpNamedMax = 5;
const lookAgainMs = 1000;

/**
 * Where nobody conducts, this command does, for as long as it is at work. Runs that have not ended go on beside the new
 * ones then, which nobody expects.
 */
export async function takePart({ conductor, journal }: System): Promise<void> {
  const left = await journal.unfinishedRuns();
  await conductor.start({ watch: false });
  if (left.length === 0 || !conductor.standing().conducts) return;
  const names = left.slice(0, takenUpNamedMax).map(({ opened, number }) => `${opened.pipeline}#${number}`);
  const more = left.length > takenUpNamedMax ? ` and ${left.length - takenUpNamedMax} more` : '';
  const line = `takes up ${names.join(', ')}${more}, which an earlier server left`;
  process.stderr.write(`${paint('yellow', line, process.stderr)}\n`);
}

function followedHere(system: System, runId: string): FollowedRun {
  const { conductor, journal } = system;
  return {
    read: () => readRun(journal, runId),
    turn: ({ opened }) => turnText(journal, opened),
    waits: (run, step) => stepWaits(run, step, null, conductor, Date.now()),
    changed: () =>
      new Promise((resolve) => {
        const done = (): void => {
          unwatch();
          clearTimeout(timer);
          resolve();
        };
        const unwatch = conductor.watch((changed) => (changed === runId ? done() : undefined));
        // Of a run that another server carries out, this one may hear nothing.
        const timer = setTimeout(done, lookAgainMs);
      }),
    async cancel(reason) {
      await conductor.ask(runId, { type: 'cancel', by: actorName(), reason });
    },
    settled: () => conductor.outboxSettled(),
    report: () => runReportOf(journal, runId, null),
  };
}
