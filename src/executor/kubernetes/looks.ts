/**
 * Looks of functions as pods: nothing of them is kept, and one that a server leaves behind is a stray pod. They take no
 * slots, but a pod takes a second or two to come and go: how many at once is bounded.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { LookOutcome } from '../../engine/event.ts';
import type { LookSpec } from '../executor.ts';
import { graceSeconds } from './pod.ts';
import type { PlacementEnd } from './placement.ts';
import type { Pods } from './pods.ts';

export interface Looks {
  readonly atOnceMax: number;
  look(spec: LookSpec, signal: AbortSignal): Promise<LookOutcome>;
  /** Ends those under way; resolves when their pods are gone. */
  close(): Promise<void>;
}

const atOnceMax = 16;
const closeMs = 15_000;

/** `shut` ends what is said of one at the desk. */
export function openLooks(pods: Pods, shut: (id: string) => Promise<void>): Looks {
  const underWay = new Map<string, { readonly end: AbortController; readonly over: Promise<unknown> }>();

  const lookOnce = async (spec: LookSpec, signal: AbortSignal): Promise<LookOutcome> => {
    const id = `${spec.attemptId}/look-${spec.number}-${randomBytes(6).toString('hex')}`;
    const over = Promise.withResolvers<PlacementEnd>();
    const placement = pods.place(id, { type: 'look', spec }, null, {
      keep: () => undefined,
      begun: () => undefined,
      over: async (end) => over.resolve(end),
    });
    const stop = (): void => placement.stop('cancelled', graceSeconds(spec.graceMs));
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      await placement.ask();
      return outcomeOf(await over.promise);
    } finally {
      signal.removeEventListener('abort', stop);
      await shut(id);
      pods.forget(id);
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
      // Those that are left to a cluster that does not answer are strays, which the next server removes.
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
