/** Asks the executor to keep a file as an artifact; the runner itself has no access to the store. */
import type { RunnerRequest } from '../src/executor/executor.ts';
import type { Artifact } from '../src/pipeline/definition.ts';

export interface Keeper {
  keep(path: string, name: string): Promise<Artifact>;
  answer(answer: Extract<RunnerRequest, { type: 'kept' | 'not-kept' }>): void;
}

export function createKeeper(ask: (request: number, path: string, name: string) => void): Keeper {
  const waiting = new Map<number, { resolve: (artifact: Artifact) => void; reject: (error: Error) => void }>();
  let last = 0;
  return {
    keep: (path, name) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        ask(last, path, name);
      }),
    answer(answer) {
      const asked = waiting.get(answer.request);
      waiting.delete(answer.request);
      if (answer.type === 'kept') asked?.resolve(answer.artifact);
      else asked?.reject(new Error(answer.message));
    },
  };
}
