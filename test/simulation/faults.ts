/**
 * The classes of what can go wrong. Each seed switches each of them on or off and draws how often it strikes (swarm
 * testing): a bug that needs ten lost answers in a row shows in a world that has nothing else to do.
 */
import type { Random } from './random.ts';

export const faultClasses = [
  /** A commit or read of the journal is refused, and nothing was kept. */
  'journal-refused',
  /** A commit was kept, and its caller hears an error. */
  'journal-unanswered',
  /** What a dead server had sent to the database is kept seconds later (PostgreSQL; SQLite dies with the server). */
  'commit-late',
  /** Answers that take up to ten seconds. */
  'slow',
  /** The server dies, between any two instructions that wait. */
  'crash',
  /** It is stopped in order, and started again. */
  'restart',
  /** Git cannot be reached, call by call and for minutes. */
  'git',
  /** The forge cannot be reached, before or after it did what it was asked. */
  'forge',
  /** The forge counts: later, please. */
  'rate-limit',
  'registry',
  /** A person holds a model. */
  'hold',
  'hook-lost',
  'hook-doubled',
  'hook-late',
  /** Reports of attempts come twice, late, and after their end. */
  'reports',
  /** An attempt that was told to stop ends as if nothing had been said. */
  'lies',
  /** Attempts fail. */
  'attempts',
  'cancel',
  /** The clock on the wall is set, by up to an hour, forwards and backwards. */
  'clock',
  /** Branches are reset, rewritten and deleted. */
  'force-push',
  /** Definitions that do not compile. */
  'broken',
] as const;
export type FaultClass = (typeof faultClasses)[number];

/** How often each strikes when it could; 0: it is switched off. */
export type Faults = Readonly<Record<FaultClass, number>>;

export function drawFaults(random: Random, off: ReadonlySet<FaultClass>): Faults {
  // Each class draws, even one that is switched off: so switching it off changes nothing else.
  return faultsOf((name) => {
    const on = random.chance(0.5);
    const strength = random.pick([0.02, 0.1, 0.3]);
    return on && !off.has(name) ? strength : 0;
  });
}

export const noFaults: Faults = faultsOf(() => 0);

function faultsOf(strength: (name: FaultClass) => number): Faults {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- one entry for each class
  return Object.fromEntries(faultClasses.map((name) => [name, strength(name)])) as Record<FaultClass, number>;
}
