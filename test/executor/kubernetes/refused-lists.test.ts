/** A server that may not see the namespace of what an earlier one left there: nothing hangs for ever, and what lives is left alone. */
import assert from 'node:assert/strict';
import { failure } from '../../support/kubernetes/status.ts';
import { shell, specOf, until } from '../workshop.ts';
import { check, said, type Given } from './under-faults.ts';

const lostMs = 300_000;
const why = 'pods is forbidden: User "u" cannot list resource "pods"';

/** Its role there is gone. Gives the next server, which has been refused. */
async function nextRefused({ fake, harbour }: Given, ids: readonly string[]): ReturnType<Given['harbour']['next']> {
  fake.faults.add(
    ({ verb, resource }) => resource === 'pods' && (verb === 'list' || verb === 'watch'),
    { kind: 'refuse', status: failure(403, 'Forbidden', why) },
    Infinity,
  );
  const next = await harbour.next();
  await next.executor.recover(ids);
  await until('its refusal', () => harbour.troubles.some((trouble) => trouble.includes('cannot be seen')));
  return next;
}

check(
  'an attempt in a namespace that the next server may not see is lost when its agent is silent, and says why',
  async (given) => {
    const { fake, harbour, pass } = given;
    const spec = specOf(shell('while sleep 0.05; do echo tick; done'));
    const id = spec.attemptId;
    await harbour.executor.start(spec);
    await harbour.running(id);
    const { reports } = await nextRefused(given, [id]);
    for (let minutes = 0; minutes < 7; minutes += 1) {
      const { length } = await harbour.log(id);
      await until('a word of its agent', async () => (await harbour.log(id)).length > length);
      await pass(60_000);
    }
    const [pod] = fake.pods();
    assert.ok(pod);
    assert.ok(!reports.some(({ type }) => type === 'finished'), 'its agent lives');
    fake.disturbances.evict(pod);
    await pass(lostMs + 60_000);
    const outcome = said((await harbour.finished(id)).outcome);
    assert.ok(outcome.startsWith(`lost: its namespace default cannot be seen: ${why}, and nothing`), outcome);
    fake.faults.clear();
  },
  { lostMs, waitMs: 100 },
);

check(
  'one that had not begun there fails, or is cancelled',
  async (given) => {
    const { fake, harbour, pass } = given;
    fake.scheduling.hold();
    const [waits, stopped] = [specOf(shell('true')), specOf(shell('true'))];
    for (const spec of [waits, stopped]) await harbour.executor.start(spec);
    await until('their pods', () => fake.pods().length === 2);
    const { executor } = await nextRefused(given, [waits.attemptId, stopped.attemptId]);
    await executor.stop(stopped.attemptId, 'cancelled', 0);
    await until('the removal of one', () => fake.pods().length === 1);
    await pass(lostMs + 60_000);
    assert.match(said((await harbour.finished(stopped.attemptId)).outcome), /^cancelled: /);
    assert.match(said((await harbour.finished(waits.attemptId)).outcome), /^start: its namespace default cannot/);
    const log = await harbour.log(waits.attemptId);
    assert.ok(log.includes(`Its namespace default cannot be seen: ${why}`), log.join('\n'));
    fake.faults.clear();
  },
  { lostMs, waitMs: 100 },
);
