/**
 * Preloaded into a server of a test: its time runs ten times as fast, so that waits of seconds take a moment. Node's own timers,
 * which the compiler has there (see ../cli/program.ts), go on as ever.
 */
const factor = 10;
const begun = Date.now();
const realNow = Date.now;
const { setTimeout: realTimeout } = globalThis;

Date.now = () => begun + (realNow() - begun) * factor;
globalThis.setTimeout = Object.assign(
  (call, ms = 0, ...given) => realTimeout(call, ms / factor, ...given),
  realTimeout,
);
