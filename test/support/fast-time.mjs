/**
 * Preloaded into a server of a test: its time runs ten times as fast, so that waits of seconds take a moment. What the
 * compiler waits for is a process, which is as slow as ever.
 */
const factor = 10;
const begun = Date.now();
const realNow = Date.now;
const { setTimeout: realTimeout } = globalThis;

Date.now = () => begun + (realNow() - begun) * factor;
globalThis.setTimeout = Object.assign((call, ms = 0, ...given) => {
  const isCompiler = new Error('who waits').stack.includes('/src/compile/');
  return realTimeout(call, isCompiler ? ms : ms / factor, ...given);
}, realTimeout);
