/** Simulates the seeds that it is handed, one after the other, in a thread of its own. */
import { parentPort } from 'node:worker_threads';
import { simulate, type Simulation } from './simulate.ts';

const port = parentPort;
if (port === null) throw new Error('this file is a worker');
port.on('message', (simulation: Simulation) => {
  simulate(simulation).then(
    (outcome) => port.postMessage(outcome),
    (error: unknown) => {
      throw error;
    },
  );
});
