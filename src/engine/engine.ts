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
 */
export { decide, open, type Command } from './decide.ts';
export { evolve } from './evolve.ts';
export { attemptsToStop, nextWakeAt, unfinishedAttempts, type PlacedAttempt } from './query.ts';
