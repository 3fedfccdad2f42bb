/**
 * Preloaded into a server of a test: at SIGUSR2 it has been paused for a minute, as far as its stopwatch tells, and none of its
 * timers has noticed.
 */
const now = performance.now.bind(performance);
let pausedMs = 0;
performance.now = () => now() + pausedMs;
process.on('SIGUSR2', () => {
  pausedMs += 60_000;
  process.stderr.write('a minute has passed\n');
});
