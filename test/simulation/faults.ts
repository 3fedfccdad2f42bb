/**
 * The classes of what can go wrong. Each seed switches each of them on or off and draws how often it strikes (swarm
 * testing): a bug that needs ten lost answers in a row shows in a world that has nothing else to do.
 */
import type { Random } from './random.ts';

export const faults = {
  'journal-refused': 'The database refuses a commit or a reading, and nothing was kept.',
  'journal-unanswered': 'It keeps a commit, and its caller hears an error.',
  'commit-late': 'It keeps, up to three seconds later, what a server had sent that is dead by then.',
  slow: 'Answers take up to ten seconds.',
  crash: 'The server dies between any two instructions that wait; another begins within a minute.',
  restart: 'The server is stopped in order and started again.',
  git: 'Git does not answer, call by call and for minutes; the replica that is read is behind.',
  forge: 'The forge does not answer, before or after it did what it was asked.',
  'rate-limit': 'The forge counts, and names a time.',
  registry: 'The registry does not answer, before or after it promoted.',
  hold: 'A person holds a model.',
  'hook-lost': 'A webhook never arrives.',
  'hook-doubled': 'A webhook arrives twice, under another id or the same.',
  'hook-late': 'A webhook arrives up to four minutes late, after its successors.',
  reports: 'Reports of attempts come twice, late, and in another order.',
  lies: 'An attempt that was told to stop ends as if nothing had been said.',
  attempts: 'Attempts fail in every way, and take minutes.',
  cancel: 'People cancel runs.',
  clock: 'The clock on the wall is set, by up to an hour, forwards and backwards.',
  'force-push': 'Branches are reset, rewritten and deleted.',
  broken: 'Definitions do not compile.',
  lease:
    'The lease is taken or renewed without an answer, up to three seconds late, or not at all; a server cannot reach it.',
  freeze: 'A server stands still for up to a minute, and goes on with what it was about to do.',
  zombie: 'An attempt is reported lost, goes on, and tells another end later, to whoever asks after it too.',
} as const;
export type FaultClass = keyof typeof faults;
// oxlint-disable-next-line typescript/consistent-type-assertions -- the keys of the object above
export const faultClasses = Object.keys(faults) as FaultClass[];

/** How often each strikes when it could; 0: it is switched off. */
export type Faults = Readonly<Record<FaultClass, number>>;

/** `only`: these strike often, and no others. */
export function drawFaults(random: Random, off: ReadonlySet<FaultClass>, only?: readonly FaultClass[]): Faults {
  // Each class draws, even one that is switched off: so switching it off changes nothing else.
  return faultsOf((name) => {
    const on = random.chance(0.5);
    const strength = random.pick([0.02, 0.1, 0.3]);
    if (off.has(name)) return 0;
    if (only !== undefined) return only.includes(name) ? 0.3 : 0;
    return on ? strength : 0;
  });
}

export const noFaults: Faults = faultsOf(() => 0);

function faultsOf(strength: (name: FaultClass) => number): Faults {
  // oxlint-disable-next-line typescript/consistent-type-assertions -- one entry for each class
  return Object.fromEntries(faultClasses.map((name) => [name, strength(name)])) as Record<FaultClass, number>;
}
