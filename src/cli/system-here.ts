/** The system of a folder, opened by a command itself, and the runs that it carries out there. */
import { userInfo } from 'node:os';
import { readRun, runReportOf } from '../conductor/read.ts';
import type { Config } from '../config.ts';
import { openSystem, type System } from '../main.ts';
import { ProblemError, type Problem } from '../std/problem.ts';
import type { Result } from '../std/result.ts';
import { consoleLog } from './console-log.ts';
import type { FollowedRun } from './follow.ts';
import { readServerAddress } from './server-address.ts';
import { makeStateFolder } from './state-folder.ts';

/** The system of this folder; where a server holds it, the server's address. */
export async function openOrFindServer(config: Config): Promise<System | string> {
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

/** The id of a run that was asked for. Rejects with why there is none. */
export function startedRun(started: Result<string, Problem | string>, help: string): string {
  if (started.ok) return started.value;
  if (typeof started.error !== 'string') throw new ProblemError(started.error);
  throw new ProblemError({ code: 'run-refused', message: started.error, where: null, help });
}

export function followedHere(system: System, runId: string): FollowedRun {
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
export function actorName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
