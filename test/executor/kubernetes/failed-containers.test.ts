/** Containers beside that of a step that fail: whose fault it is called, and what the log has of it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { agentFolder, placesIn } from '../../../src/executor/agent/places.ts';
import { lastLines } from '../../../src/executor/kubernetes/container-output.ts';
import { createApi } from '../../../src/executor/kubernetes/api.ts';
import { helperContainer } from '../../../src/executor/kubernetes/pod.ts';
import type { AttemptWork } from '../../../src/executor/executor.ts';
import type { Json } from '../../../src/std/json.ts';
import { shell, specOf, until } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { openHarbour, type HarbourOptions } from './harbour.ts';

function container(script: string): AttemptWork {
  return {
    kind: 'container',
    image: 'busybox:local',
    command: ['sh', '-c', script],
    args: [],
    environment: {},
    resources: { requests: {}, limits: {} },
    localCommand: null,
  };
}

async function endOf(
  t: TestContext,
  work: AttemptWork,
  pod: Json,
  settings: Pick<HarbourOptions, 'imageMs'> = {},
): Promise<{ readonly said: string; readonly log: readonly string[]; readonly troubles: readonly string[] }> {
  const fake = await startClusterWithRunner();
  t.after(() => fake.close());
  const harbour = await openHarbour({ ...settingsFor(fake), ...settings });
  t.after(() => harbour.close());
  const spec = specOf(work, { pod });
  await harbour.executor.start(spec);
  const { outcome } = await harbour.finished(spec.attemptId);
  const said = outcome.kind === 'failed' ? `${outcome.cause}: ${outcome.message}` : outcome.kind;
  return { said, log: await harbour.log(spec.attemptId), troubles: harbour.troubles };
}

test('an image that cannot be pulled is given up when the time for that is over', async (t) => {
  const pod = { initContainers: [{ name: 'prep', image: 'registry.example/none:1' }] };
  const { said } = await endOf(t, shell('true'), pod, { imageMs: 200 });
  assert.match(said, /^start: its image could not be pulled on \w+ \(.*See that the image is there under this name/);
});

const prep = (script: string): Json => ({
  initContainers: [{ name: 'prep', image: 'busybox:local', command: ['sh', '-c', script] }],
});

for (const [what, work] of [
  ['a step', shell('true')],
  ['a container, whose helper goes on', container('true')],
] as const) {
  test(`an init container that fails ends the pod of ${what}`, async (t) => {
    const { said, log, troubles } = await endOf(t, work, prep('exit 4'));
    assert.equal(said, 'code: its container prep ended with exit code 4');
    assert.ok(!log.some((line) => line.includes('is missing')), log.join('\n'));
    assert.deepEqual(troubles, []);
  });
}

for (const [what, work] of [
  ['a step', shell('true')],
  ['a container', container('true')],
] as const) {
  test(`the pod of ${what} whose init container failed is kept as other failed ones are`, async (t) => {
    const fake = await startClusterWithRunner();
    t.after(() => fake.close());
    const keep = { onFinishAction: 'delete_succeeded_pod', ttlAfterFinishedMs: 60_000 } as const;
    const harbour = await openHarbour({ ...settingsFor(fake), keep });
    t.after(() => harbour.close());
    const spec = specOf(work, { pod: prep('exit 4') });
    await harbour.executor.start(spec);
    await harbour.finished(spec.attemptId);
    await until('its pod to have ended', () => fake.pods()[0]?.status.phase === 'Failed' || undefined);
    const log = await harbour.log(spec.attemptId);
    assert.ok(
      log.some((line) => line.startsWith('Its pod is kept: ')),
      log.join('\n'),
    );
    assert.equal(fake.count('delete', 'pods'), 0);
  });
}

test('the log has the last words of what failed before the step', async (t) => {
  const { log } = await endOf(t, container('true'), prep('echo no such bucket; exit 4'));
  const from = log.indexOf('Its container prep said last:');
  assert.equal(log[from + 1], '  no such bucket', log.join('\n'));
});

test('a helper that has ended well says nothing that could be taken for the end of its step', async (t) => {
  const fake = await startClusterWithRunner();
  t.after(() => fake.close());
  const keep = { onFinishAction: 'keep_pod', ttlAfterFinishedMs: 60_000 } as const;
  const harbour = await openHarbour({ ...settingsFor(fake), keep });
  t.after(() => harbour.close());
  const { ready } = placesIn(agentFolder);
  await harbour.run(container(`while ! [ -f ${ready} ]; do sleep 0.01; done; exit 3`));
  const place = { namespace: 'default', pod: fake.pods()[0]?.metadata.name ?? '', container: helperContainer };
  const api = createApi(settingsFor(fake).loadConfig);
  const lines = await until('its last word', async () => {
    const found = await lastLines(api, place);
    return found.some((line) => line.startsWith('It has ended')) && found;
  });
  assert.equal(lines.at(-1), 'It has ended.');
});
