/**
 * The heart: pure, synchronous, without clock, randomness or packages.
 *
 *   open(definition, opened) ─► run
 *   decide(run, command)     ─► the events that follow, already folded into `run`
 *   evolve(run, event)       ─► the same fold, for events that the journal already holds
 *
 * The caller appends what `decide` returned at the position that the run had before. Where that fails, it drops the run
 * and folds it again from the journal. Effects are read off the events: `attempt-started` means "place it",
 * a cancel or timeout of a running attempt means "stop it" (`attemptsToStop`), `run-finished` means "report it".
 *
 * How a decision comes about, each part in the file of its name:
 *
 *   decide ─► attempt    a report ends an attempt: success, a retry after its back-off, failure
 *          ─► ending     the clock: deadline, time limit; cancel; the result of the run
 *          ─► waiting    what is waited for begins to be looked for, is there, or is out of time
 *          ─► approval   a person decides, or nobody does in time
 *          ─► proceed    steps that changed are judged (trigger-rule), mapped (mapping) and given slots
 *          ─► turn       every event is recorded, that is: folded
 *   evolve ─► finish     what has ended is told to the steps after it: tallies, guards (guard), what to look at (agenda)
 *   reuse                a re-run begins with what an earlier run gave
 *   bind                 what an attempt is given: the references of its definition as values (value)
 *
 * A decision costs as much as has changed. What keeps it so are the tallies that `evolve` keeps on each step and the
 * lists of `agenda`; nothing searches the steps, but a cancel and the end, once each.
 */
export { bindTemplate, bindValue, contextOf } from './bind.ts';
export { decide, type Command } from './decide.ts';
export type { Admit } from './proceed.ts';
export { deadlineAt } from './ending.ts';
export { memoryOf, memoryOfAttempt } from './memory.ts';
export { evolve } from './evolve.ts';
export { open } from './open.ts';
export { planReuse, reuseEvents, type Reused } from './reuse.ts';
export { hasLookLog, lookAwaited, looksAwaited, lookTimeoutMs, type AwaitedLook } from './waiting.ts';
export { approvalsAwaited, attemptsToStop, nextWakeAt, unfinishedAttempts, type AwaitedApproval } from './query.ts';
