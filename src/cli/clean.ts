/** `contender clean`: what a server removes by itself, at once; refused where one is at work in the folder. */
import { loadConfig } from '../config/config.ts';
import type { Removed } from '../conductor/retention.ts';
import { openSystem } from '../main.ts';
import { formatBytes } from '../std/bytes.ts';
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
  try {
    const totals = new Map(kinds.map((what): [Removed['what'], Removed] => [what, { what, files: 0, bytes: 0 }]));
    for await (const { what, files, bytes } of system.retention.sweep({ dryRun })) {
      const before = totals.get(what);
      totals.set(what, { what, files: files + (before?.files ?? 0), bytes: bytes + (before?.bytes ?? 0) });
    }
    for (const total of totals.values())
      process.stdout.write(`${json ? JSON.stringify({ ...total, dryRun }) : lineOf(total, dryRun)}\n`);
    return exitStatus.success;
  } finally {
    await system.close();
  }
}

function keptKinds({ logsMs }: { readonly logsMs: number | null }): readonly Removed['what'][] {
  return logsMs === null ? [] : ['logs'];
}

function lineOf({ what, files, bytes }: Removed, dryRun: boolean): string {
  const count = files === 1 ? '1 file' : `${files} files`;
  return `${paint('bold', what)}  ${count}, ${formatBytes(bytes)}${dryRun ? ' would be removed' : ' removed'}`;
}
