/**
 * Many pods of one server in flight at once: what each takes of its memory, and how often it asks the cluster for one. The
 * cluster is a fake, since no machine has room for so many; the agents of the pods are played, and each has begun.
 */
import { castFor, withServer } from '../test/executor/kubernetes/crowd.ts';
import { until } from '../test/executor/workshop.ts';
import { round, type BenchOptions } from './measure.ts';

export async function benchCrowd({ say, smoke }: BenchOptions): Promise<void> {
  await withServer(async (server, fake) => {
    const cast = castFor(server, fake);
    const counts = smoke ? [10, 20] : [10, 500, 2000];
    for (const pods of counts) {
      const { bytes } = await cast.bringTo(pods);
      say({ workload: 'pods-in-flight', pods, memory_mb: round(bytes / 1e6) });
    }
    const most = counts.at(-1) ?? 0;
    await cast.end();
    await until('the end of all pods', () => fake.pods().length === 0 || undefined);
    say({ workload: 'pods-in-flight', pods: most, requests_per_pod: round(fake.requests.length / most) });
  });
}
