/** A wait for another pipeline: looked at here, in the journal, because no process outside could know. */
import { bindTemplate } from '../engine/engine.ts';
import type { AttemptKey, AttemptOutcome } from '../engine/event.ts';
import type { Run } from '../engine/run.ts';
import { journalLimits, type Journal, type RunRow } from '../journal/journal.ts';

/** Null where the step is no wait for a pipeline. */
export async function lookForPipeline(journal: Journal, run: Run, key: AttemptKey): Promise<AttemptOutcome | null> {
  const work = run.steps.get(key.step)?.definition.work;
  if (work?.kind !== 'wait' || work.for.condition !== 'pipeline') return null;
  const { pipeline, states, shiftMs } = work.for;
  const text = bindTemplate(run, work.for.date, key);
  const date = text.ok && typeof text.value === 'string' ? Date.parse(text.value) : Number.NaN;
  if (Number.isNaN(date)) {
    const given = text.ok ? JSON.stringify(text.value) : text.error;
    return { kind: 'failed', cause: 'invalid', message: `the date of the wait is none: ${given}`, exitCode: null };
  }
  const wanted = dayOf(date + shiftMs);
  const found = await findRun(journal, { repository: run.opened.repository, pipeline }, (row) => {
    return dayOf(row.opened.logicalDate) === wanted && states.some((state) => state === row.state);
  });
  if (found === null)
    return { kind: 'not-yet', reason: `no run of ${pipeline} for ${wanted} is ${states.join(' or ')}` };
  return { kind: 'succeeded', output: { inline: { runId: found.id, state: found.state } }, control: null };
}

/** As many of the pipeline's runs as are looked through, the newest first. */
const runsLookedAtMax = 5000;

async function findRun(
  journal: Journal,
  place: { readonly repository: string; readonly pipeline: string },
  isWanted: (row: RunRow) => boolean,
): Promise<RunRow | null> {
  let before: { readonly before?: string } = {};
  for (let looked = 0; looked < runsLookedAtMax; looked += journalLimits.pageMax) {
    const rows = await journal.runs({ ...place, ...before, limit: journalLimits.pageMax });
    const found = rows.find(isWanted);
    if (found !== undefined) return found;
    const last = rows.at(-1);
    if (last === undefined || rows.length < journalLimits.pageMax) return null;
    before = { before: last.id };
  }
  return null;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
