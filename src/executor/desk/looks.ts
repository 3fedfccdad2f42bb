/**
 * Looks of functions on other machines: nothing of them is kept, and one that a server leaves behind is a stray. They take no
 * slots, but each takes a place that others may need: how many at once is bounded.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { LookOutcome } from '../../engine/event.ts';
import type { LookSpec } from '../executor.ts';
import type { PlacementEnd, Placing } from './placing.ts';

export interface Looks {
  readonly atOnceMax: number;
  look(spec: LookSpec, signal: AbortSignal): Promise<LookOutcome>;
  /** Ends those under way; resolves when nothing of them is left. */
  close(): Promise<void>;
}

const atOnceMax = 16;
const closeMs = 15_000;

/** `shut` ends what is said of one at the desk. */
export function openLooks(placing: Placing, shut: (id: string) => Promise<void>): Looks {
  const underWay = new Map<string, { readonly end: AbortController; readonly over: Promise<unknown> }>();

  const lookOnce = async (spec: LookSpec, signal: AbortSignal): Promise<LookOutcome> => {
    const id = `${spec.attemptId}/look-${spec.number}-${randomBytes(6).toString('hex')}`;
    const over = Promise.withResolvers<PlacementEnd>();
    const placed = placing.place(id, { type: 'look', spec }, null, {
      keep: () => undefined,
      placed: () => undefined,
      begun: () => undefined,
      over: async (end) => over.resolve(end),
    });
    const stop = (): void => placed.stop('cancelled', spec.graceMs);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      await placed.ask();
      return outcomeOf(await over.promise);
    } finally {
      signal.removeEventListener('abort', stop);
      await shut(id);
      placing.forget(id);
    }
  };
  return {
    atOnceMax,
    async look(spec, signal) {
      const { attemptId } = spec;
      if (underWay.has(attemptId)) throw new Error(`a look of ${attemptId} is under way`);
      if (underWay.size >= atOnceMax) throw new Error(`${atOnceMax} looks are under way`);
      const end = new AbortController();
      const looked = lookOnce(spec, AbortSignal.any([signal, end.signal]));
      underWay.set(attemptId, { end, over: looked });
      try {
        return await looked;
      } finally {
        underWay.delete(attemptId);
      }
    },
    async close() {
      const left = [...underWay.values()];
      for (const { end } of left) end.abort();
      // Those that are left to machines that do not answer are strays, which the next server removes.
      const patience = pause(closeMs, undefined, { ref: false });
      await Promise.race([Promise.allSettled(left.map(({ over }) => over)), patience]);
    },
  };
}

function outcomeOf(end: PlacementEnd): LookOutcome {
  if (end.kind === 'stopped') throw new Error('the look was ended');
  if (end.kind === 'seen') return { kind: 'failed', cause: end.failed.cause, message: end.failed.message };
  if (end.result.type === 'look') return end.result.outcome;
  return { kind: 'failed', cause: 'output', message: 'the agent of a look answered as one of an attempt' };
}
