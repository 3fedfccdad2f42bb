/** Waits for what another system does in its own time. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Looks every `everyMs` until `fact` gives something; a look that throws saw nothing. */
export async function until<Fact>(
  what: string,
  fact: () => Promise<Fact | null>,
  { everyMs, patienceMs }: { readonly everyMs: number; readonly patienceMs: number },
): Promise<Fact> {
  const endsAt = performance.now() + patienceMs;
  for (;;) {
    const found = await fact().catch(() => null);
    if (found !== null) return found;
    if (performance.now() > endsAt) throw new Error(`waited in vain for ${what}`);
    await sleep(everyMs);
  }
}
