/** What a cluster does to pods that no test can have a real one do at will: lost nodes, preemption, answers into the void. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { podPatience } from '../../../src/executor/kubernetes/pod-end.ts';
import { statuses } from '../../support/kubernetes/faults.ts';
import { shell, specOf, until } from '../workshop.ts';
import { check, running, said } from './under-faults.ts';

check(
  'a node that is silent, with an agent that is silent too, is lost after a minute and not before',
  async (given) => {
    const { fake, harbour, pass } = given;
    const { id } = await running(given);
    fake.disturbances.loseNode();
    await until(
      'the node to be missed',
      () =>
        fake.pods()[0]?.status.conditions?.some((each) => each.type === 'Ready' && each.status === 'False') ||
        undefined,
    );
    await pass(podPatience.nodeMs / 2);
    assert.equal(
      harbour.reports.some((word) => word.type === 'finished'),
      false,
    );
    await pass(podPatience.nodeMs);
    assert.match(said((await harbour.finished(id)).outcome), /^lost: its node on .* has not answered for \d+ s/);
    fake.disturbances.findNode();
  },
);

check('what runs says on which pod and node, and its pod is found by its run, step and attempt', async (given) => {
  const { harbour } = given;
  const { id, pod } = await running(given);
  const word = await harbour.running(id);
  assert.equal(word.type === 'running' && word.place, `pod ${pod.metadata.name} on ${pod.spec.nodeName ?? ''}`);
  const { labels = {} } = pod.metadata;
  const said = ['run', 'pipeline', 'step', 'index', 'attempt'].map((name) => labels[`contender.dev/${name}`]);
  assert.deepEqual(said, [id.split('/')[0], 'weekly', 'train', '0', '1']);
  await harbour.executor.stop(id, 'cancelled', 1000);
  await harbour.finished(id);
});

check('a pod that makes way for another is evicted', async (given) => {
  const { id, pod } = await running(given);
  given.fake.disturbances.preempt(pod);
  assert.match(said((await given.harbour.finished(id)).outcome), /^evicted: .*PreemptionByScheduler/);
});

check('what a step saves when its pod makes way for another is there for the next try', async ({ fake, harbour }) => {
  const save = `trap 'echo half > "$CONTENDER_CHECKPOINT/state"; exit 1' TERM; echo begun; sleep 600 & wait`;
  const spec = specOf(shell(save));
  await harbour.executor.start(spec);
  await until('its work', async () => (await harbour.log(spec.attemptId)).includes('begun') || undefined);
  const [pod] = fake.pods();
  assert.ok(pod);
  fake.disturbances.preempt(pod);
  assert.match(said((await harbour.finished(spec.attemptId)).outcome), /^evicted: .*PreemptionByScheduler/);
  const { attemptId, context } = spec;
  const second = { ...spec, attemptId: attemptId.replace(/1$/, '2'), context: { ...context, attempt: 2 } };
  await harbour.executor.start({ ...second, work: shell('cat "$CONTENDER_CHECKPOINT/state"') });
  assert.equal((await harbour.finished(second.attemptId)).outcome.kind, 'succeeded');
  assert.ok((await harbour.log(second.attemptId)).includes('half'));
});

check('a pod that its node puts out is evicted, and one that took too much memory is told as that', async (given) => {
  const first = await running(given);
  given.fake.disturbances.evict(first.pod);
  assert.match(said((await given.harbour.finished(first.id)).outcome), /^evicted: .*low on resource: memory/);
  await until('its pod to go', () => given.fake.pods().length === 0 || undefined);
  const second = await running(given);
  given.fake.disturbances.endAsOutOfMemory(second.pod, 'main');
  assert.match(said((await given.harbour.finished(second.id)).outcome), /^out-of-memory: .*OOMKilled/);
});

check('a quota that many count at the same moment is no reason not to ask again', async ({ fake, harbour }) => {
  const conflict = { kind: 'refuse', status: statuses.quotaConflict('compute') } as const;
  fake.faults.add(({ verb, resource }) => verb === 'create' && resource === 'pods', conflict, 2);
  assert.equal(said(await harbour.run(shell('true'))), 'succeeded');
  assert.equal(fake.count('create', 'pods'), 3);
});

check('how long a pod may take to begin is said by its step, else by the configuration', async (given) => {
  const { fake, harbour, pass } = given;
  fake.scheduling.hold();
  const [patient, hasty] = [specOf(shell('true')), specOf(shell('true'), { startMs: 60_000 })];
  await harbour.executor.start(patient);
  await harbour.executor.start(hasty);
  for (const { attemptId } of [patient, hasty])
    await until('its wait', async () =>
      (await harbour.log(attemptId)).some((line) => line.startsWith('Its pod waits')),
    );
  await pass(podPatience.startMs / 2);
  assert.match(
    said((await harbour.finished(hasty.attemptId)).outcome),
    /^start: (?:its pod did not start on node1|no node had room for its pod) in 6\d s/,
  );
  assert.equal(
    harbour.reports.some(({ attemptId }) => attemptId === patient.attemptId),
    false,
  );
  fake.scheduling.release();
  assert.equal(said((await harbour.finished(patient.attemptId)).outcome), 'succeeded');
});

check('an attempt that was given up has one end', async (given) => {
  const { fake, harbour } = given;
  const { id, pod } = await running(given);
  fake.disturbances.deleteByHand(pod);
  const { outcome } = await harbour.finished(id);
  assert.equal(outcome.kind === 'failed' && outcome.cause, 'lost');
  await harbour.executor.start(specOf(shell('true')));
  await until(
    'the next one',
    () => harbour.reports.filter((word) => word.type === 'finished').length === 2 || undefined,
  );
  assert.equal(harbour.reports.filter((word) => word.type === 'finished' && word.attemptId === id).length, 1);
});

check('watches that are cut or have lost their place again and again miss nothing', async (given) => {
  const { fake, harbour } = given;
  const { id, pod } = await running(given);
  for (const how of ['reset', 'end', 'silence'] as const) {
    fake.cutStreams(how);
    fake.forgetVersions();
  }
  fake.disturbances.deleteByHand(pod);
  assert.match(said((await harbour.finished(id)).outcome), /^lost: /);
});

check('a server that does not know yet what ran leaves the pods of the one before it alone', async (given) => {
  const { fake, harbour } = given;
  const { id } = await running(given);
  const before = fake.count('list', 'pods');
  const next = await harbour.next();
  await until('its first list', () => fake.count('list', 'pods') > before || undefined);
  await until('its watch', () => fake.streams.size > 0 || undefined);
  const [pod] = fake.pods();
  assert.equal(pod?.metadata.deletionTimestamp, undefined);
  await next.executor.recover([id]);
  await next.executor.stop(id, 'cancelled', 1000);
  assert.match(said((await harbour.finished(id)).outcome), /^cancelled: /);
});

check('a file of this machine is none that a pod would ever find', async ({ harbour }) => {
  const { repository, sha } = specOf(shell('true'));
  const path = join(harbour.folder, 'ready.csv');
  await writeFile(path, 'a,b\n');
  const found = await harbour.executor.findFile({ repository, sha, path });
  assert.ok(found !== null && 'impossible' in found);
  assert.equal(
    found.impossible,
    `${path} is a path of a machine, and steps run in pods or on workers, whose files are not seen from here: wait with waitFor.object or waitFor.until`,
  );
});
