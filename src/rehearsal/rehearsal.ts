/**
 * What would happen: a run, or all the runs of a schedule's ticks, played to the end without running anything.
 *
 *   words of the user ─► pretences ─► stage: calendar ─► admission ─► engine ─► what became of it, as plain data
 *                                       ▲                              │
 *                                       └── pretended attempts end ◄───┘  on a clock that jumps
 *
 * No rule is written here a second time. The calendar says when a tick is, `admission` which run goes on and which
 * attempt gets a slot, the engine what follows from what; only how an attempt ends, and how long it takes, is pretended.
 */
export { readPretences, type GivenPretences, type Pretences } from './pretences.ts';
export { rehearseRun, type RehearsedAttempt, type RehearsedInstance, type RehearsedRun } from './rehearsed-run.ts';
export type { RehearsedStep } from './rehearsed-run.ts';
export { rehearseTicks, type RehearsedTick, type RehearsedTicks } from './rehearsed-ticks.ts';
export { rehearsalLimits } from './stage.ts';
