/** Who waits for what a job says in the same process, by an id that travels with the job. */
export interface Waiters {
  /** A new id, and what is said for it, once. */
  begin(): { readonly id: string; readonly said: Promise<number> };
  say(id: string, value: number): void;
}

export function createWaiters(): Waiters {
  const waiting = new Map<string, (value: number) => void>();
  let last = 0;
  return {
    begin() {
      last += 1;
      const id = `${process.pid}-${last}`;
      const { promise, resolve } = Promise.withResolvers<number>();
      waiting.set(id, resolve);
      return { id, said: promise };
    },
    say(id, value) {
      waiting.get(id)?.(value);
      waiting.delete(id);
    },
  };
}
