/**
 * Preloaded into a server of a test: its time runs ten times as fast, so that waits of seconds take a moment. All servers of a
 * sandbox have the same time (CONTENDER_TEST_TIME_FROM, when it began to run so): the next one does not wait for the clock of the
 * one before. Node's own timers, which the compiler has there (see ../cli/program.ts), go on as ever.
 */
const factor = 10;
const begun = Number(process.env['CONTENDER_TEST_TIME_FROM'] ?? Date.now());
const realNow = Date.now;
const { setTimeout: realTimeout } = globalThis;

Date.now = () => begun + (realNow() - begun) * factor;
globalThis.setTimeout = Object.assign(
  (call, ms = 0, ...given) => realTimeout(call, ms / factor, ...given),
  realTimeout,
);
