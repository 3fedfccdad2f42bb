/** Where no watch lasts, the pods of a namespace are seen by lists, which leave the cluster in peace. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi, type Api } from '../../../src/executor/kubernetes/api.ts';
import { openPodTable } from '../../../src/executor/kubernetes/pod-table.ts';
import { createSight } from '../../../src/executor/kubernetes/sight.ts';
import { statuses } from '../../support/kubernetes/faults.ts';
import { expired } from '../../support/kubernetes/status.ts';
import { until } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';

const path = '/api/v1/namespaces/default/pods';

async function makePod(api: Api, name: string): Promise<void> {
  const metadata = { name, labels: { of: 'ours' } };
  const containers = [{ name: 'main', image: 'busybox:local', command: ['sleep', '1'] }];
  await api.request('POST', path, { body: { metadata, spec: { restartPolicy: 'Never', containers } } });
}

/** What is said instead of a watch, as long as none lasts; null: the fake answers. */
const ways: readonly (readonly [what: string, told: string | null])[] = [
  ['is refused with 410', null],
  ['is told 410', `${JSON.stringify({ type: 'ERROR', object: expired(1, 2) })}\n`],
  ['ends at once', ''],
];

for (const [what, told] of ways) {
  test(`where every watch ${what}, lists are few, and pods are seen meanwhile and afterwards`, async (t) => {
    const fake = await startClusterWithRunner();
    t.after(() => fake.close());
    const api = createApi(settingsFor(fake).loadConfig);
    let lasts = false;
    fake.faults.add(({ verb }) => verb === 'watch', { kind: 'refuse', status: statuses.expired() }, Infinity);
    const troubles: string[] = [];
    const table = openPodTable({
      api: {
        ...api,
        stream: async (...asked) => (lasts || told === null ? api.stream(...asked) : new Blob([told]).stream()),
      },
      namespace: 'default',
      selector: 'of=ours',
      clock: { now: Date.now },
      sight: createSight(),
      changed: () => undefined,
      listed: () => undefined,
      trouble: (error) => void troubles.push(String(error)),
    });
    t.after(() => table.close());
    await makePod(api, 'first');
    await until('its end', () => table.get('first')?.phase === 'Succeeded');
    // With a rest after each but the first, more do not come within the minute that is waited for.
    assert.ok(fake.count('list') < 20, `${fake.count('list')} lists`);
    assert.ok(troubles.length > 0 && troubles.length <= 3, troubles.join('\n'));
    lasts = true;
    fake.faults.clear();
    await makePod(api, 'second');
    await until('the second', () => table.get('second')?.phase === 'Succeeded');
    await until('a watch', () => fake.streams.size === 1);
  });
}
