/** What befalls the helper of a container, and what it brings after the container has ended. */
import assert from 'node:assert/strict';
import { podPatience } from '../../../src/executor/kubernetes/pod-end.ts';
import { specOf, until } from '../workshop.ts';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { checkHeld, container, said, tellOf, untilMainEnded, type Given } from './under-faults.ts';

const isUpload = (line: string): boolean => line.startsWith('PUT ') && line.includes('/artifacts/');

const leaveModel = 'echo weights > /contender/scratch/model; echo \'{"model":"model"}\' > /contender/outputs.json';

for (const [end, expected] of [
  ['exit 0', /^succeeded$/],
  ['echo half > /contender/checkpoint/state; exit 3', /^code: it ended with exit code 3/],
] as const)
  checkHeld(
    `what a container leaves may take its helper longer than a node may be silent: ${end}`,
    (line) => isUpload(line) || line.startsWith('PUT /agent/v1/checkpoint'),
    async ({ fake, harbour, proxy, pass }) => {
      const spec = specOf(container(`${leaveModel}; ${end}`), {
        outputs: { model: 'artifact' },
      });
      await harbour.executor.start(spec);
      await untilMainEnded(fake);
      await until('what it left to be on its way', () => proxy.held() > 0);
      const looks = fake.requests.length;
      await pass(podPatience.nodeMs + 10_000);
      // A list that all placements are looked at after.
      fake.cutStreams('end', ({ verb }) => verb === 'watch');
      await until('the next look', () => fake.requests.length >= looks + 2);
      await until('the next watch', () => [...fake.streams].some(({ request }) => request.verb === 'watch'));
      assert.equal(fake.count('delete', 'pods'), 0);
      proxy.release();
      assert.match(said((await harbour.finished(spec.attemptId)).outcome), expected);
    },
  );

const waits = 'echo begun; sleep 600 & wait';
const preempted: Disturbance = ({ fake }, pod) => fake.disturbances.preempt(pod);
const outOfTime: Disturbance = ({ harbour }, _pod, id) => harbour.executor.stop(id, 'timeout', 5000);
type Disturbance = (given: Given, pod: Pod, id: string) => unknown;

for (const [what, disturb, exitCode, expected] of [
  ['a pod is preempted', preempted, 0, /^evicted: .*PreemptionByScheduler/],
  ['a pod is preempted', preempted, 143, /^evicted: .*PreemptionByScheduler/],
  ['its time is over', outOfTime, 0, /^timeout: /],
] as const)
  checkHeld(
    `what a container saves when ${what}, to end with code ${exitCode}, is there for the next try`,
    (line) => line.startsWith('PUT /agent/v1/checkpoint'),
    async (given) => {
      const { fake, harbour, proxy } = given;
      const spec = specOf(container(`trap 'echo half > /contender/checkpoint/state; exit ${exitCode}' TERM; ${waits}`));
      await harbour.executor.start(spec);
      await until('its work', async () => (await harbour.log(spec.attemptId)).includes('begun') || undefined);
      const [pod] = fake.pods();
      assert.ok(pod);
      await disturb(given, pod, spec.attemptId);
      await until('what it saved to be on its way', () => proxy.held() > 0);
      await untilMainEnded(fake);
      await tellOf(fake);
      proxy.release();
      assert.match(said((await harbour.finished(spec.attemptId)).outcome), expected);
      const { attemptId, context } = spec;
      const second = { ...spec, attemptId: attemptId.replace(/1$/, '2'), context: { ...context, attempt: 2 } };
      await harbour.executor.start({ ...second, work: container('cat /contender/checkpoint/state') });
      assert.equal(said((await harbour.finished(second.attemptId)).outcome), 'succeeded');
      assert.ok((await harbour.log(second.attemptId)).includes('half'));
    },
  );

checkHeld(
  'a helper whose server goes between what it collected and its word does not make a success of a failure',
  (line) => line === 'POST /agent/v1/result',
  async ({ fake, harbour, proxy }) => {
    const spec = specOf(container('exit 3'));
    await harbour.executor.start(spec);
    await until('its word to be on its way', () => proxy.held() > 0);
    const next = await harbour.next();
    await next.executor.recover([spec.attemptId]);
    proxy.release();
    assert.match(said((await harbour.finished(spec.attemptId)).outcome), /^code: it ended with exit code 3/);
    assert.equal(fake.count('create', 'pods'), 1);
  },
);
