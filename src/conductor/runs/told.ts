/**
 * What a run tells whoever listens: that it has ended, and which datasets its steps have changed. It is kept in the very
 * commit whose events it follows from, so nothing that dies afterwards can lose it; who follows is found out later.
 */
import { depthOf, firstTriggerOf, type RunEvent } from '../../engine/event.ts';
import type { Instance, Run } from '../../engine/run.ts';
import type { DataEventRow, Journal, Write } from '../../journal/journal.ts';
import { isJsonObject, type Json } from '../../std/json.ts';
import { digestOf } from './named-outputs.ts';

/** Of a pull request the commit is not merged, and a backfill asks what would have been: neither is news to anybody. */
function tellsNobody({ opened }: Pick<Run, 'opened'>): boolean {
  const { kind } = firstTriggerOf(opened.trigger);
  return kind === 'pull-request' || kind === 'backfill';
}

/** Whether the event is the success of a step that updates datasets. */
export function changesData(run: Run, event: RunEvent): boolean {
  return dataWrites(run, event).length > 0;
}

/** What was found in a cache, or reused by a re-run, changes nothing. */
export function dataWrites(run: Run, event: RunEvent): readonly Write[] {
  if (event.type !== 'step-finished' || event.state !== 'success' || tellsNobody(run)) return [];
  const step = run.steps.get(event.step);
  const instance = step?.instances?.[0];
  const { updates = [] } = step?.definition ?? {};
  if (instance === undefined || instance.attempts.at(-1)?.cache?.found === true) return [];
  const { runId, trigger } = run.opened;
  return updates.map(({ dataset, output }) => ({
    write: 'data-event',
    event: {
      id: `${runId}/${event.step}/${dataset}`,
      dataset,
      digest: output === null ? null : digestAt(instance, output),
      runId,
      step: event.step,
      toldBy: null,
      depth: depthOf(trigger),
      at: event.at,
      toldAt: event.at,
    },
  }));
}

export function endWrites({ opened, finishedAt }: Run): readonly Write[] {
  return finishedAt === null ? [] : [{ write: 'run-end', runId: opened.runId, at: finishedAt }];
}

/** Null where the step gave nothing there. */
function digestAt({ output }: Instance, path: readonly string[]): string | null {
  if (output === null) return null;
  const [key] = path;
  if ('stored' in output) return key === undefined ? output.stored.$artifact : (output.digests?.[key] ?? null);
  return digestOf(
    path.reduce<Json>((value, name) => (isJsonObject(value) ? (value[name] ?? null) : null), output.inline),
  );
}

/** Somebody says that data have changed. */
export interface Telling {
  /** Makes the same news twice one. */
  readonly id: string;
  readonly dataset: string;
  readonly digest: string | null;
  /** News, though the digest is that of the news before. */
  readonly evenIfSame: boolean;
  readonly by: string;
  readonly at: number;
}

/** Kept, and decided on, when this resolves; whoever is up takes it from there. */
export async function tellData(journal: Journal, telling: Telling, now: number): Promise<DataEventRow> {
  const { dataset, digest, evenIfSame, by: toldBy, at } = telling;
  const id = `told/${telling.id}`;
  const event = { id, dataset, digest, runId: null, step: null, toldBy, depth: 0, at, toldAt: now };
  // Under a known id the first stands.
  await journal.commit([
    [
      { write: 'data-event', event },
      { write: 'data-event-decided', id, dataset, digest, evenIfSame, refused: null },
    ],
  ]);
  const row = await journal.dataEvent(id);
  if (row === null) throw new Error(`the event ${id} is not in the journal`);
  return row;
}
