/**
 * How much of the time could be seen: of what lasts, only that counts. While the cluster does not answer, or this server is held
 * up itself, a pod may have begun, ended or gone, and an agent may have spoken; so no patience runs out meanwhile. Pure.
 */
export interface Sight {
  /** The cluster has told what there is: all that changed since its last word is known, or was not seen. */
  looked(now: number): void;
  /** A watch that has stood since its last word tells more. */
  watched(now: number): void;
  /** This server was held up until now. */
  held(from: number, now: number): void;
  /** Its last word is young enough to decide by. */
  isFresh(now: number): boolean;
  /** Nothing was heard for so long that the cluster has to be asked whether it is still there. */
  isQuiet(now: number): boolean;
  /** How long it has been so, as far as it could be seen. */
  lasted(since: number, now: number): number;
}

export const sightLimits = {
  freshMs: 10_000,
  /** A cluster says every minute how far a watch is. */
  quietMs: 75_000,
  /** From word to word: what is longer was not seen. */
  gapMs: 90_000,
  /** The oldest count as one. */
  gapsMax: 100,
} as const;

interface Gap {
  readonly from: number;
  readonly to: number;
}

export function createSight(): Sight {
  let toldAt: number | null = null;
  /** In their order, none of which touches another. */
  const gaps: Gap[] = [];
  const miss = (from: number, to: number): void => {
    const touched = gaps.splice(gaps.findLastIndex((gap) => gap.to < from) + 1);
    gaps.push({
      from: Math.min(from, ...touched.map((gap) => gap.from)),
      to: Math.max(to, ...touched.map((gap) => gap.to)),
    });
    if (gaps.length > sightLimits.gapsMax) {
      const [oldest, next] = gaps.splice(0, 2);
      gaps.unshift({ from: oldest?.from ?? from, to: next?.to ?? to });
    }
  };
  return {
    looked(now) {
      const before = toldAt ?? Number.NEGATIVE_INFINITY;
      if (now - before > sightLimits.gapMs) miss(before, now);
      toldAt = now;
    },
    watched: (now) => void (toldAt = now),
    held: miss,
    isFresh: (now) => toldAt !== null && now - toldAt <= sightLimits.freshMs,
    isQuiet: (now) => toldAt !== null && now - toldAt > sightLimits.quietMs,
    lasted(since, now) {
      if (toldAt === null) return 0;
      const missed = gaps.map(({ from, to }) => Math.max(0, Math.min(to, now) - Math.max(from, since)));
      return missed.reduce((left, ms) => left - ms, now - since);
    },
  };
}
