/**
 * Work that costs about the same for one thing as for many: what is asked for while it is under way, and for a while
 * after it, is done together. The first thing after a quiet time is done at once.
 */
import type { Clock } from '../std/clock.ts';

export interface GatheringOptions<Thing, Answer> {
  readonly clock: Clock;
  readonly pause: (ms: number) => Promise<unknown>;
  /** From the end of one round to the beginning of the next. */
  readonly gapMs: number;
  /** Answers in the order of the things. */
  readonly perform: (things: readonly Thing[]) => Promise<readonly Answer[]>;
}

interface Asked<Thing, Answer> {
  readonly thing: Thing;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Resolves when the round that the thing was in is over. */
export function createGathering<Thing, Answer>(
  options: GatheringOptions<Thing, Answer>,
): (thing: Thing) => Promise<Answer> {
  const { clock, pause, gapMs, perform } = options;
  let asked: Asked<Thing, Answer>[] = [];
  let isWorking = false;
  let endedAt = Number.NEGATIVE_INFINITY;

  const round = async (): Promise<void> => {
    const things = asked;
    asked = [];
    try {
      const answers = await perform(things.map(({ thing }) => thing));
      for (const [at, { resolve, reject }] of things.entries()) {
        const answer = answers[at];
        if (answer === undefined) reject(new Error('a round gave fewer answers than it had things'));
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of things) reject(error);
    }
    endedAt = clock.now();
  };

  const work = async (): Promise<void> => {
    isWorking = true;
    while (asked.length > 0) {
      // A clock that was set back must not make it wait for longer.
      const waitMs = Math.min(gapMs, endedAt + gapMs - clock.now());
      if (waitMs > 0) await pause(waitMs);
      await round();
    }
    isWorking = false;
  };

  return (thing) =>
    new Promise((resolve, reject) => {
      asked.push({ thing, resolve, reject });
      if (!isWorking) void work();
    });
}
