/**
 * Many pods of one server in flight at once: what each takes of its memory, and how often it asks the cluster for one. The
 * cluster is a fake, since no machine has room for so many; the agents of the pods are played, and each has begun.
 */
import { begin, chunksOf, withServer } from '../test/executor/kubernetes/crowd.ts';
import { until } from '../test/executor/workshop.ts';
import { round, type BenchOptions } from './measure.ts';

export async function benchCrowd({ say, smoke }: BenchOptions): Promise<void> {
  await withServer(async (server, fake) => {
    let before = 0;
    const begun = new Set<string>();
    const played = [];
    for (const count of smoke ? [10, 20] : [10, 500, 2000]) {
      server.start(count - before);
      await until(`${count} pods`, () => fake.pods().length === count || undefined);
      const fresh = fake.pods().filter(({ metadata }) => !begun.has(metadata.name));
      for (const { metadata } of fresh) begun.add(metadata.name);
      for (const some of chunksOf(fresh, 50)) played.push(...(await Promise.all(some.map(begin))));
      const { bytes } = await until('all of them to run', async () => {
        const standing = await server.standing();
        return standing.running === count ? standing : undefined;
      });
      say({ workload: 'pods-in-flight', pods: count, memory_mb: round(bytes / 1e6) });
      before = count;
    }
    for (const some of chunksOf(played, 50)) await Promise.all(some.map((one) => one.end()));
    await until('the end of all pods', () => fake.pods().length === 0 || undefined);
    say({ workload: 'pods-in-flight', pods: before, requests_per_pod: round(fake.requests.length / before) });
  });
}
