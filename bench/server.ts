/** The server as a process of its own: start to ready, memory at rest, webhook to answer and to the first step. */
import { say, type BenchOptions } from './measure.ts';

export async function benchServer(options: BenchOptions): Promise<void> {
  say({ workload: 'server', repetitions: options.repetitions });
}
