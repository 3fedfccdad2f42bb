/** Attempts of an executor beside the least that they can cost, in the same run: one after the other, and many at once. */
import type { AttemptReport } from '../src/executor/executor.ts';
import type { Harbour } from '../test/executor/harbour.ts';
import { command, specOf, type FinishedReport } from '../test/executor/workshop.ts';
import { percentile, round, timed } from './measure.ts';

/** Each attempt waits for its own report, however long that takes, and costs nothing meanwhile. */
export class Attempts {
  readonly #waiting = new Map<string, (report: FinishedReport) => void>();

  readonly heard = (report: AttemptReport): void => {
    if (report.type === 'finished') this.#waiting.get(report.attemptId)?.(report);
  };

  /** From the wish to the report. Its id. */
  async run(harbour: Harbour): Promise<string> {
    const spec = specOf(command('true'));
    const finished = new Promise<FinishedReport>((resolve) => this.#waiting.set(spec.attemptId, resolve));
    await harbour.executor.start(spec);
    const { outcome } = await finished;
    this.#waiting.delete(spec.attemptId);
    if (outcome.kind !== 'succeeded') throw new Error(`an attempt ended as ${JSON.stringify(outcome)}`);
    return spec.attemptId;
  }
}

type Done = () => Promise<unknown>;

/** In turn, so that what befalls the machine befalls both. */
export async function oneByOne(
  count: number,
  ours: Done,
  bare: Done,
): Promise<Record<'ms_p50' | 'ms_p95' | 'bare_ms_p50' | 'bare_ms_p95', number>> {
  const [own, theirs]: [number[], number[]] = [[], []];
  for (let each = 0; each < count; each += 1) {
    theirs.push(await timed(bare));
    own.push(await timed(ours));
  }
  return {
    ms_p50: round(percentile(own, 0.5)),
    ms_p95: round(percentile(own, 0.95)),
    bare_ms_p50: round(percentile(theirs, 0.5)),
    bare_ms_p95: round(percentile(theirs, 0.95)),
  };
}

export function allAtOnce(count: number, one: Done): Promise<number> {
  return timed(() => Promise.all(Array.from({ length: count }, one)));
}
