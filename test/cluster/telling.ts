/** Prints lines, each with the seconds since this was called. */
export function sayWithTime(): (text: string) => void {
  const startedAt = performance.now();
  return (text) => console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);
}
