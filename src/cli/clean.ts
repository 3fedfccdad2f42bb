/** `contender clean`: what a server removes by itself, at once; refused where one is at work in the folder. */
import { loadConfig, type Config } from '../config/config.ts';
import { ModelsUnreadable } from '../conductor/needed-artifacts.ts';
import type { Removed } from '../conductor/retention.ts';
import { openSystem } from '../main.ts';
import { formatBytes } from '../std/bytes.ts';
import { ProblemError } from '../std/problem.ts';
import { consoleLog } from './console-log.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { mindNothingHere } from './reading.ts';
import { paint } from './terminal.ts';

export interface CleanOptions {
  readonly dryRun: boolean;
  readonly json: boolean;
}

export async function clean(directory: string, { dryRun, json }: CleanOptions): Promise<ExitStatus> {
  const config = loadConfig(directory, process.env);
  const kinds = keptKinds(config.retention);
  if (kinds.length === 0) process.stderr.write('All is kept for good: contender.yaml says no `retention`.\n');
  if (kinds.length === 0) return exitStatus.success;
  mindNothingHere(config);
  const log = consoleLog('warn');
  const system = await openSystem({ config, log, print: () => undefined, publicUrl: () => null });
  const totals = new Map(kinds.map((what): [Removed['what'], Removed] => [what, { what, files: 0, bytes: 0 }]));
  try {
    for await (const { what, files, bytes } of system.retention.sweep({ dryRun })) {
      const before = totals.get(what);
      totals.set(what, { what, files: files + (before?.files ?? 0), bytes: bytes + (before?.bytes ?? 0) });
    }
    return exitStatus.success;
  } catch (error) {
    if (!(error instanceof ModelsUnreadable)) throw error;
    throw new ProblemError({
      code: 'models-unreadable',
      message: `no artifact is removed: ${error.message}`,
      where: null,
      help: 'What they name may be needed. Mend it, or wait until it can be reached, and try again.',
    });
  } finally {
    for (const total of totals.values())
      process.stdout.write(`${json ? JSON.stringify({ ...total, dryRun }) : lineOf(total, dryRun)}\n`);
    await system.close();
  }
}

function keptKinds({ logsMs, artifactsMs }: Config['retention']): readonly Removed['what'][] {
  const kinds = [logsMs === null ? null : 'logs', artifactsMs === null ? null : 'artifacts'] as const;
  return kinds.filter((kind) => kind !== null);
}

function lineOf({ what, files, bytes }: Removed, dryRun: boolean): string {
  const count = files === 1 ? '1 file' : `${files} files`;
  return `${paint('bold', what.padEnd(9))}  ${count}, ${formatBytes(bytes)}${dryRun ? ' would be removed' : ' removed'}`;
}
