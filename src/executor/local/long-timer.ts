/** Node's timers hold no longer time: above 24.8 days they fire at once. */
const timerMaxMs = 2 ** 31 - 1;

/** Calls after `ms`, however long that is. Gives the function that takes it back. */
export function afterLong(ms: number, call: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const partMs = Math.min(leftMs, timerMaxMs);
    timer = setTimeout(() => (leftMs > partMs ? arm(leftMs - partMs) : call()), partMs);
  };
  arm(ms);
  return () => clearTimeout(timer);
}
