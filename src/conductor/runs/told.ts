/**
 * What a run tells whoever listens: that it has ended, and which datasets its steps have changed. It is kept in the very
 * commit whose events it follows from, so nothing that dies afterwards can lose it; who follows is found out later.
 */
import { createHash } from 'node:crypto';
import { depthOf, firstTriggerOf, type RunEvent, type StepOutput } from '../../engine/event.ts';
import type { Instance, Run } from '../../engine/run.ts';
import type { DataEventRow, Journal, Write } from '../../journal/journal.ts';
import { canonicalJson, isJsonObject, type Json } from '../../std/json.ts';

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
      digest: output === null ? null : digestOf(instance, output),
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

/** Of an artifact its own, of anything else that of its JSON; null where the step did not give it. */
function digestOf({ output }: Instance, path: readonly string[]): string | null {
  if (output === null) return null;
  const value = valueAt(output, path);
  if (value === null) return null;
  if (isJsonObject(value) && typeof value['$artifact'] === 'string') return value['$artifact'];
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** What is too large to stand inline is known by its bytes, as a whole. */
function valueAt(output: StepOutput, path: readonly string[]): Json {
  if ('stored' in output) return output.stored.$artifact;
  return path.reduce<Json>((value, key) => (isJsonObject(value) ? (value[key] ?? null) : null), output.inline);
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
