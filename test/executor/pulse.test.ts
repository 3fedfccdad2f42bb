import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPulse } from '../../src/executor/local/pulse.ts';
import { openWorkshop, shell, specOf, until } from './workshop.ts';

const soon = { everyMs: 1, stoppedLooksMax: 5 };

test('a process is lost when it was found stopped so many times in a row, and not before', async (t) => {
  const looks = [true, true, true, true, false, true, true, true, true, true, true];
  let looked = 0;
  let lostAfter: number | null = null;
  const pulse = createPulse(soon, () => looks[looked++] ?? false);
  t.after(() => pulse.close());
  pulse.watch(1, () => (lostAfter = looked));
  await until('the loss', () => lostAfter !== null);
  assert.equal(lostAfter, 10, 'the look at which it went on begins the count again');
});

test('a process that is watched no longer is not lost', async (t) => {
  let lost = 0;
  const pulse = createPulse(soon, () => true);
  t.after(() => pulse.close());
  pulse.watch(1, () => (lost += 1))();
  let other = false;
  pulse.watch(2, () => (other = true));
  await until('the other one', () => other);
  assert.equal(lost, 0);
});

test('a command that somebody stops is ended and lost, and its slot is free', async (t) => {
  const workshop = await openWorkshop({}, null, soon);
  t.after(() => workshop.close());
  const outcome = await workshop.run(shell('kill -STOP $$; echo never'));
  assert.ok(outcome.kind === 'failed' && outcome.cause === 'lost', JSON.stringify(outcome));
  assert.match(outcome.message, /SIGSTOP/);
});

test('a function whose process is stopped is lost, and one that is merely busy is not', async (t) => {
  const file = '.pipelines/p.ts';
  const text = `import { pipeline, step } from 'contender';
export default pipeline('p', {}, () => {
  step('stops', { run: () => { process.kill(process.pid, 'SIGSTOP'); return 1; } });
  step('works', { run: () => { const end = Date.now() + 300; while (Date.now() < end); return 'done'; } });
});
`;
  const workshop = await openWorkshop({ [file]: text }, null, soon);
  t.after(() => workshop.close());
  const of = async (step: string) => {
    const spec = specOf({ kind: 'function', file, input: {} });
    return await workshop.run(spec.work, { context: { ...spec.context, step } });
  };
  const stopped = await of('stops');
  assert.ok(stopped.kind === 'failed' && stopped.cause === 'lost', JSON.stringify(stopped));
  assert.equal((await of('works')).kind, 'succeeded');
});
