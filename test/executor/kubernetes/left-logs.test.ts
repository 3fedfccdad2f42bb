/** A server that goes while it reads the log of a container. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAttemptFiles } from '../../../src/executor/desk/attempt-files.ts';
import { statuses } from '../../support/kubernetes/faults.ts';
import type { ApiRequest } from '../../support/kubernetes/requests.ts';
import { specOf, until, type FinishedReport } from '../workshop.ts';
import { check, checkHeld, container, said, untilMainEnded, type Given } from './under-faults.ts';

const isLog = ({ resource }: ApiRequest): boolean => resource === 'pods/log';

interface Begun {
  readonly id: string;
  /** Its container does the second part of its script. */
  readonly goOn: () => Promise<void>;
}

/** Its first line has been read. */
async function begun({ harbour }: Given, second: string): Promise<Begun> {
  const go = join(harbour.folder, 'go');
  const spec = specOf(container(`echo '{"epoch":1}'; until [ -e ${go} ]; do sleep 0.02; done; ${second}`));
  await harbour.executor.start(spec);
  await until('its first line', async () => (await harbour.log(spec.attemptId)).length === 1);
  return { id: spec.attemptId, goOn: () => writeFile(go, '') };
}

function refuseLogs({ fake }: Given): void {
  fake.faults.add(isLog, { kind: 'refuse', status: statuses.internalError() }, Infinity);
  fake.cutStreams('reset', isLog);
}

async function finishedAtNext({ harbour }: Given, id: string): Promise<FinishedReport> {
  const next = await harbour.next();
  await next.executor.recover([id]);
  return harbour.finished(id);
}

const second = `echo '{"epoch":2}'`;
const succeeded = { kind: 'succeeded', output: { inline: { epoch: 2 } }, control: null };

const untilToldOnly = { waitMs: 2 ** 31 - 1 };

check(
  'nothing is read or waited for by a server that has gone, and the next one reads on',
  async (given) => {
    const { fake, harbour } = given;
    const { id, goOn } = await begun(given, second);
    await harbour.executor.close();
    await until('the end of its stream', () => ![...fake.streams].some(({ request }) => isLog(request)));
    await goOn();
    assert.deepEqual((await finishedAtNext(given, id)).outcome, succeeded);
    assert.deepEqual(await harbour.log(id), ['{"epoch":1}', '{"epoch":2}']);
  },
  untilToldOnly,
);

const asked: string[] = [];
const hearsOnly = (line: string): boolean => {
  asked.push(line);
  return false;
};

checkHeld(
  'a helper that waits for the last line takes no other one from a server that goes',
  hearsOnly,
  async (given) => {
    const { fake, harbour } = given;
    const { id, goOn } = await begun(given, second);
    refuseLogs(given);
    await goOn();
    await untilMainEnded(fake);
    await until('its question', () => asked.some((line) => line.endsWith('/collect')));
    const before = fake.requests.filter(isLog).length;
    await until('two more requests', () => fake.requests.filter(isLog).length >= before + 2);
    await harbour.executor.close();
    fake.faults.clear();
    assert.deepEqual((await finishedAtNext(given, id)).outcome, succeeded);
  },
);

check('a server that goes before the end of a log leaves it and its pod to the next one', async (given) => {
  const { fake, harbour } = given;
  const printed = join(harbour.folder, 'printed');
  const { id, goOn } = await begun(given, `seq 2 3; touch ${printed}; sleep 600`);
  refuseLogs(given);
  await goOn();
  await until('what it printed last', () => existsSync(printed));
  const [pod] = fake.pods();
  assert.ok(pod);
  fake.disturbances.evict(pod);
  const files = openAttemptFiles(join(harbour.folder, 'attempts'));
  const kept = await until('its end to be known', () => files.read(id)?.finished);
  await harbour.executor.close();
  assert.deepEqual(await harbour.log(id), ['{"epoch":1}']);
  assert.equal(fake.count('delete', 'pods'), 0);
  fake.faults.clear();
  assert.deepEqual(await finishedAtNext(given, id), kept);
  const log = await harbour.log(id);
  assert.deepEqual(log.slice(0, 3), ['{"epoch":1}', '2', '3']);
  const words = log.filter((line) => /missing|^Failed/.test(line));
  assert.deepEqual(words, [said(kept.outcome).replace('evicted:', 'Failed (evicted):')]);
  // What has been brought to its end is told again, and its log is not asked for.
  const asked = fake.requests.filter(isLog).length;
  assert.deepEqual(await finishedAtNext(given, id), kept);
  assert.equal(fake.requests.filter(isLog).length, asked);
});

check(
  'a success that is told before its server has seen the end of the container is known to the next one',
  async (given) => {
    const { fake, harbour } = given;
    const { id, goOn } = await begun(given, second);
    const isSight = ({ resource, verb }: ApiRequest): boolean => resource === 'pods' && /^(list|watch)$/.test(verb);
    fake.faults.add(isSight, { kind: 'refuse', status: statuses.internalError() }, Infinity);
    fake.cutStreams('reset', isSight);
    await goOn();
    await until('the end of its helper', () => fake.pods()[0]?.status.phase === 'Succeeded');
    await harbour.executor.close();
    fake.faults.clear();
    assert.deepEqual((await finishedAtNext(given, id)).outcome, succeeded);
  },
);
