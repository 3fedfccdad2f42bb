/** Containers whose log the cluster does not give, for a while or for good. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { statuses } from '../../support/kubernetes/faults.ts';
import type { ApiRequest } from '../../support/kubernetes/requests.ts';
import { specOf, until } from '../workshop.ts';
import { check, container, said, untilMainEnded, type Given } from './under-faults.ts';

const isLog = ({ resource }: ApiRequest): boolean => resource === 'pods/log';

/** Its first line is read, and from then on no log is given. */
async function refusedAfterOne({ fake, harbour }: Given, end: string): Promise<string> {
  const go = join(harbour.folder, 'go');
  const spec = specOf(container(`echo '{"epoch":1}'; until [ -e ${go} ]; do sleep 0.02; done; ${end}`));
  await harbour.executor.start(spec);
  await until('its first line', async () => (await harbour.log(spec.attemptId)).length === 1);
  fake.faults.add(isLog, { kind: 'refuse', status: statuses.internalError() }, Infinity);
  fake.cutStreams('reset', isLog);
  await writeFile(go, '');
  return spec.attemptId;
}

check(
  'the last line is waited for while the log is not given, and no other one is taken for it',
  async (given) => {
    const { fake, harbour } = given;
    const id = await refusedAfterOne(given, `echo '{"epoch":2}'`);
    await untilMainEnded(fake);
    const asked = fake.requests.filter(isLog).length;
    await until('three more requests', () => fake.requests.filter(isLog).length >= asked + 3);
    fake.faults.clear();
    const { outcome } = await harbour.finished(id);
    assert.deepEqual(outcome, { kind: 'succeeded', output: { inline: { epoch: 2 } }, control: null });
  },
  { logPatienceMs: 20 },
);

check(
  'a container that failed ends though its log is not given, and the log says what is missing',
  async (given) => {
    const { fake, harbour } = given;
    const id = await refusedAfterOne(given, 'exit 3');
    assert.match(said((await harbour.finished(id)).outcome), /^code: it ended with exit code 3/);
    assert.ok((await harbour.log(id)).includes('The end of this log is missing: the cluster did not give it in time.'));
    fake.faults.clear();
  },
  { logPatienceMs: 20 },
);
