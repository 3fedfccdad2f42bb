/**
 * From when the schedules of a repository count, kept over restarts: the moment at which an expression was first seen at
 * the head of the default branch. What a schedule would have fired while another one, or none, stood in its place is
 * nobody's miss, so one that comes back counts anew; one whose file is broken for a while goes on.
 */
import { z } from 'zod';
import type { Journal } from '../../journal/journal.ts';

export interface Counting {
  readonly pipeline: string;
  readonly cron: string;
  readonly timeZone: string;
}

const countedSchema = z.array(
  z.object({ pipeline: z.string(), cron: z.string(), timeZone: z.string(), since: z.number() }),
);
type Counted = z.infer<typeof countedSchema>[number];

/** Notes which schedules stand at the head now. `broken`: pipelines of which nobody can tell. */
export async function noteSchedules(
  journal: Journal,
  repository: string,
  schedules: readonly Counting[],
  broken: ReadonlySet<string>,
  now: number,
): Promise<void> {
  const known = await countedOf(journal, repository);
  const counted: Counted[] = (known ?? []).filter(({ pipeline }) => broken.has(pipeline));
  for (const { pipeline, cron, timeZone } of schedules) {
    const before = known?.find((each) => isSame(each, { pipeline, cron, timeZone }))?.since;
    // A journal of an older version has a note for each expression that there ever was.
    const older = known === null ? await olderSince(journal, repository, { pipeline, cron, timeZone }) : null;
    counted.push({ pipeline, cron, timeZone, since: before ?? older ?? now });
  }
  const id = JSON.stringify(counted.toSorted((left, right) => (left.pipeline < right.pipeline ? -1 : 1)));
  if (known !== null && id === JSON.stringify(known)) return;
  await journal.commit([[{ write: 'forge-object', key: keyOf(repository), id, at: now }]]);
}

/** Null: it was not noted, or something else was noted since. */
export async function sinceOf(journal: Journal, repository: string, schedule: Counting): Promise<number | null> {
  const known = await countedOf(journal, repository);
  return known?.find((each) => isSame(each, schedule))?.since ?? null;
}

/** Null: nothing was ever noted of the repository. */
async function countedOf(journal: Journal, repository: string): Promise<readonly Counted[] | null> {
  const id = await journal.forgeObject(keyOf(repository));
  if (id === null) return null;
  return countedSchema.parse(JSON.parse(id));
}

async function olderSince(journal: Journal, repository: string, schedule: Counting): Promise<number | null> {
  const { pipeline, cron, timeZone } = schedule;
  const id = await journal.forgeObject(`schedule-since:${repository}:${pipeline}:${cron}:${timeZone}`);
  return id === null ? null : Number(id);
}

function keyOf(repository: string): string {
  return `schedules:${repository}`;
}

function isSame(one: Counting, other: Counting): boolean {
  return one.pipeline === other.pipeline && one.cron === other.cron && one.timeZone === other.timeZone;
}
