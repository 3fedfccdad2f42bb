/**
 * The kubelet of a real cluster is held until the cluster misses its node: what cannot be seen is not dead, and what is dead
 * comes back to nothing. For a cluster of this machine alone, and with nobody else at it meanwhile.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { podPatience } from '../../src/executor/kubernetes/pod-end.ts';
import { layoutOf, nodeName } from '../cluster/layout.ts';
import { pidOf, signal } from '../cluster/processes.ts';
import { openHarbour, type Harbour } from '../executor/kubernetes/harbour.ts';
import { said } from '../executor/kubernetes/under-faults.ts';
import { boxed, shell, specOf, until } from '../executor/workshop.ts';
import { createTime } from '../executor/kubernetes/server-time.ts';
import { processesOf } from './pod-processes.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { runnerImage, settingsIn } from './settings.ts';

const kubelet = pidOf(layoutOf(process.env), 'kubelet');
const skip = kubelet === null ? 'the kubelet is none of this machine' : false;
const resume = (): void => {
  if (kubelet !== null) signal(kubelet, 'SIGCONT');
};

let namespace: Namespace;
let harbour: Harbour;
const time = createTime(async () => undefined);

before(async () => {
  if (skip !== false) return;
  namespace = await makeNamespace();
  harbour = await openHarbour({ ...settingsIn(namespace.name), ...time, waitMs: 1000, logPatienceMs: 1000 });
});

after(async () => {
  resume();
  if (skip !== false) return;
  await harbour.close();
  await namespace.clear('pods');
  await namespace.remove();
});

async function begun(attemptId: string): Promise<string> {
  await until('its lines', async () => (await harbour.log(attemptId)).includes(`begun ${attemptId}`));
  const word = await harbour.running(attemptId);
  const pod = 'place' in word ? /^pod (\S+)/.exec(word.place)?.[1] : undefined;
  assert.ok(pod);
  // A kubelet tells it later than the agent: of a pod that was not ready yet nobody can say that it is so no longer.
  await namespace.waitFor(`pod/${pod}`, '{.status.conditions[?(@.type=="Ready")].status}', 'True');
  return pod;
}

const ends = (attemptId: string): number =>
  harbour.reports.filter((word) => word.type === 'finished' && word.attemptId === attemptId).length;

test(
  'while a node is lost to the cluster, who talks to the server goes on, and who does not is tried again',
  { skip },
  async () => {
    const talk = 'echo "begun $CONTENDER_ATTEMPT_ID"; while :; do echo at work; sleep 0.1; done';
    const [talking, silent] = [specOf(shell(talk)), specOf(shell(talk))];
    const container = specOf(boxed(runnerImage, talk));
    for (const spec of [talking, silent, container]) await harbour.executor.start(spec);
    await begun(talking.attemptId);
    const pod = await begun(silent.attemptId);
    const podOfContainer = await begun(container.attemptId);
    const { logs } = harbour.stores;
    // Should this process be killed, somebody else resumes it.
    const watchdog = spawn('sh', ['-c', `sleep 540; kill -CONT ${kubelet}`], { detached: true, stdio: 'ignore' });
    try {
      if (kubelet !== null) signal(kubelet, 'SIGSTOP');
      for (const id of [pod, podOfContainer].flatMap(processesOf)) signal(id, 'SIGSTOP');
      await namespace.waitFor(`node/${nodeName}`, '{.status.conditions[?(@.type=="Ready")].status}', 'Unknown');
      await namespace.waitFor(`pod/${pod}`, '{.status.conditions[?(@.type=="Ready")].status}', 'False');
      const lostAt = Date.parse(
        await namespace.read(`pod/${pod}`, '{.status.conditions[?(@.type=="Ready")].lastTransitionTime}'),
      );
      assert.deepEqual(
        [talking, silent, container].map(({ attemptId }) => ends(attemptId)),
        [0, 0, 0],
      );
      // A minute more of the server's own time, in steps in each of which the other one is heard.
      await until('the silent one to be given up', async () => {
        await time.pass(6000);
        const lines = logs.size(talking.attemptId);
        await until('more lines', () => logs.size(talking.attemptId) > lines);
        return ends(silent.attemptId) > 0;
      });
      for (const { attemptId } of [silent, container])
        assert.match(said((await harbour.finished(attemptId)).outcome), /^lost: its node on/);
      // The time of both is the server's: that of this machine, and what this test has added to it.
      assert.ok(time.clock.now() - lostAt >= podPatience.nodeMs, 'not before a minute has passed');
      // What comes to itself there hears that it is over, and ends its work before the next try begins.
      assert.ok(processesOf(pod).length > 0);
      const lines = logs.size(silent.attemptId);
      for (const id of [pod, podOfContainer].flatMap(processesOf)) signal(id, 'SIGCONT');
      await until('nothing of it to run', () => processesOf(pod).length === 0);
      const says = 'echo "begun $CONTENDER_ATTEMPT_ID"';
      const retries = [
        { ...specOf(shell(says)), attemptId: silent.attemptId.replace(/1$/, '2') },
        { ...specOf(boxed(runnerImage, says)), attemptId: container.attemptId.replace(/1$/, '2') },
      ];
      for (const retry of retries) await harbour.executor.start(retry);
      for (const { attemptId } of retries)
        await until('its wait for a node', async () =>
          (await harbour.log(attemptId)).some((line) => line.startsWith('Its pod waits')),
        );
      resume();
      for (const { attemptId } of retries) {
        assert.equal(said((await harbour.finished(attemptId)).outcome), 'succeeded');
        assert.equal((await harbour.log(attemptId)).filter((line) => line === `begun ${attemptId}`).length, 1);
      }
      // Nobody but its node ends a container, when it is back.
      await until('nothing of the container to run', () => processesOf(podOfContainer).length === 0);
      assert.equal(ends(container.attemptId), 1);
      assert.deepEqual([ends(silent.attemptId), logs.size(silent.attemptId)], [1, lines]);
      assert.equal(ends(talking.attemptId), 0, 'it goes on');
      await harbour.executor.stop(talking.attemptId, 'cancelled', 1000);
      assert.equal((await harbour.finished(talking.attemptId)).outcome.kind, 'failed');
      assert.equal((await harbour.log(talking.attemptId)).filter((line) => line.startsWith('begun')).length, 1);
      await namespace.waitForNone('pods');
    } finally {
      resume();
      watchdog.kill('SIGKILL');
    }
  },
);
