/** Many seeds at once, as many at a time as there are workers. */
import { Worker } from 'node:worker_threads';
import type { Outcome, Simulation } from './simulate.ts';

export async function simulateMany(
  simulations: Iterable<Simulation>,
  workers: number,
  heard: (outcome: Outcome) => 'go on' | 'enough',
): Promise<void> {
  const left = simulations[Symbol.iterator]();
  let enough = false;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      const worker = new Worker(new URL('worker.ts', import.meta.url));
      try {
        for (let next = left.next(); next.done !== true && !enough; next = left.next()) {
          enough = heard(await outcomeOf(worker, next.value)) === 'enough' || enough;
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
}

function outcomeOf(worker: Worker, simulation: Simulation): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const heard = (outcome: Outcome): void => {
    worker.off('error', failed);
    resolve(outcome);
  };
  const failed = (error: unknown): void => {
    worker.off('message', heard);
    reject(new Error(`seed ${simulation.seed}`, { cause: error }));
  };
  worker.once('message', heard);
  worker.once('error', failed);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
  worker.postMessage(simulation);
  return promise;
}
