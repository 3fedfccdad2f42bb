/** The thread behind `graphs.ts`: one graph in, its layout out. */
import { parentPort, workerData } from 'node:worker_threads';
import { layOut, type GraphSource } from '../../ui/ui.ts';

// A thread's port has no origin; the rule takes it for a window.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(layOut(workerData as GraphSource));
