/** What the cluster told of a pod, in the log of its attempt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreV1Event } from '@kubernetes/client-node';
import { eventLines } from '../../../src/executor/kubernetes/pod-events.ts';
import { command, specOf } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { openHarbour } from './harbour.ts';

function event(fields: Partial<Record<keyof CoreV1Event, unknown>>): CoreV1Event {
  return Object.assign({ type: 'Normal', involvedObject: {}, metadata: {} }, fields) as CoreV1Event;
}

test('events are in the order in which they were last told, whichever field says when', () => {
  const lines = eventLines([
    event({ reason: 'Pulling', message: 'Pulling image "a"', lastTimestamp: '2024-03-04T02:00:03Z', count: 3 }),
    event({ reason: 'Scheduled', message: 'Assigned to\n node1', eventTime: '2024-03-04T02:00:01.000000Z' }),
    event({ reason: 'Odd', metadata: { creationTimestamp: '2024-03-04T02:00:02Z' } }),
    event({
      type: 'Warning',
      reason: 'FailedScheduling',
      message: 'no room',
      eventTime: '2024-03-04T02:00:00Z',
      series: { count: 4, lastObservedTime: '2024-03-04T02:00:04.000000Z' },
    }),
  ]);
  assert.deepEqual(lines, [
    'Normal Scheduled: Assigned to node1',
    'Normal Odd: ',
    'Normal Pulling: Pulling image "a" (3 times)',
    'Warning FailedScheduling: no room (4 times)',
  ]);
});

test('of many events the last twenty are told, and of a long message its beginning', () => {
  const many = Array.from({ length: 30 }, (_, at) =>
    event({ reason: `Number${at}`, message: 'm'.repeat(600), eventTime: new Date(at * 1000).toISOString() }),
  );
  const lines = eventLines(many);
  assert.equal(lines.length, 20);
  assert.equal(lines[0], `Normal Number10: ${'m'.repeat(500)}…`);
});

test('an attempt that ends by what is seen of its pod has in its log what the cluster told of it', async (t) => {
  const fake = await startClusterWithRunner();
  t.after(() => fake.close());
  const harbour = await openHarbour({ ...settingsFor(fake), image: 'missing:local' });
  t.after(() => harbour.close());
  const spec = specOf(command('true'));
  await harbour.executor.start(spec);
  await harbour.finished(spec.attemptId);
  const log = await harbour.log(spec.attemptId);
  const from = log.indexOf('The cluster told of its pod:');
  assert.ok(from !== -1, log.join('\n'));
  assert.match(log[from + 1] ?? '', /^ {2}Normal Scheduled: Successfully assigned/);
  assert.ok(log.slice(from).some((line) => /^ {2}Warning \w+: .*missing:local/.test(line)));
  assert.match(log.at(-1) ?? '', /^Failed \(invalid\): its image is not on the node/);
});
