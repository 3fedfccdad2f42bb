import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { good } from './pipelines.ts';
import { createProject, fromContender, type Sandbox } from './sandbox.ts';

const on = "on: { schedule: '0 2 * * *' }";

const daily = `${fromContender}
export default pipeline('daily', { ${on} }, ({ date }) => {
  step('look', { input: { date }, run: ({ date }) => {
    console.log('looks at', date);
    if (date === '2025-11-02') throw new Error('no data');
  } });
});
`;

const slow = `${fromContender}
export default pipeline('slow', { ${on} }, () => {
  step('sleeps', { command: ['sh', '-c', 'exec sleep 600'] });
});
`;

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = createProject({ '.pipelines/daily.ts': daily, '.pipelines/slow.ts': slow, '.pipelines/good.ts': good });
});
afterEach(() => sandbox.remove());

const serving = /Contender \S+ is at (\S+), watching work\./;
const days = ['--from', '2025-11-01', '--to', '2025-11-03'] as const;

test('a dry run lists what the backfill then does, to the end, each date once', async () => {
  const plan = await sandbox.run(['backfill', 'daily', ...days, '--dry-run']);
  assert.equal(plan.status, 0, plan.err);
  const lines = plan.out.trim().split('\n');
  assert.match(lines[0] ?? '', /^daily at \w{7}: 3 of 3 intervals would run$/);
  assert.equal(lines[1], '  ○ 2025-11-01 02:00 to 2025-11-02 02:00  would run');
  assert.equal(lines.length, 4);

  const done = await sandbox.run(['backfill', 'daily', ...days]);
  assert.equal(done.status, 1, done.err);
  assert.match(done.out, /✓ 2025-11-01 02:00 to 2025-11-02 02:00 {2}success {2}run \w{26}/);
  assert.match(done.out, /✗ 2025-11-02 02:00 to 2025-11-03 02:00 {2}failed/);
  assert.match(done.out, /✗ done: 2 succeeded, 1 failed or cancelled\n$/);
  assert.match((await sandbox.run(['logs', 'daily#3'])).out, /looks at 2025-11-03/);

  const again = await sandbox.run(['backfill', 'daily', ...days, '--reprocess', 'failed', '--dry-run', '--json']);
  const { intervals } = JSON.parse(again.out) as { intervals: readonly { skipped: string | null }[] };
  assert.deepEqual(
    intervals.map(({ skipped }) => skipped),
    ['run 1 was for it: success', null, 'run 3 was for it: success'],
  );
});

test('backfills lists them, and the intervals of one', async () => {
  await sandbox.run(['backfill', 'daily', '--from', '2025-11-01', '--to', '2025-11-01']);
  const { out } = await sandbox.run(['backfills']);
  const [, id = ''] =
    /^✓ done +daily {2}2025-11-01 to 2025-11-01 {2}\w{7} {2}1 succeeded, by \S+ {2}(\w{26})\n$/.exec(out) ?? [];
  assert.notEqual(id, '', out);
  const one = await sandbox.run(['backfills', id.slice(0, 20)]);
  assert.match(one.out, /\n {2}✓ 2025-11-01 02:00 to 2025-11-02 02:00 {2}success {2}run \w{26}\n$/);
  const unknown = await sandbox.run(['backfills', 'nope']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.err, /\[backfill-unknown\]/);
  assert.match((await sandbox.run(['backfill', 'cancel', id])).err, /is done already \[backfill-ended\]/);
});

test('what cannot be a backfill is a mistake, said before anything is made', async () => {
  for (const [args, said] of [
    [['daily', '--from', '2025-11-01'], /needs its first and its last day/],
    [
      ['daily', '--from', '2025-11-02', '--to', '2025-11-01'],
      /ends before it begins.*\n {2}Give other days with --from and --to/,
    ],
    [['good', ...days], /good has no schedule.*\n {2}`contender next` lists/],
    [
      ['daily', '--from', '2020-01-01', '--to', '2025-11-01'],
      /more than 1000 intervals.*\n {2}Give other days with --from and --to/,
    ],
    [['daily', ...days, '--reprocess', 'some'], /One of none, failed, completed/],
  ] as const) {
    const { status, err } = await sandbox.run(['backfill', ...args]);
    assert.equal(status, 2, err);
    assert.match(err, said);
  }
  assert.match((await sandbox.run(['backfills'])).err, /There are no backfills|nothing has run here/);
});

test('parameters are given to all of its runs', async () => {
  const given = "{ parameters: { region: { type: 'string' } }, ";
  sandbox.commit({ '.pipelines/daily.ts': daily.replace('{ on:', `${given}on:`) });
  const refused = await sandbox.run(['backfill', 'daily', ...days]);
  assert.equal(refused.status, 2);
  assert.match(refused.err, /the parameter "region" \(string\) has no default.*\n {2}Give --param region=VALUE/);
  const first = ['--from', '2025-11-01', '--to', '2025-11-01', '--param', 'region=north', '--json'];
  const done = await sandbox.run(['backfill', 'daily', ...first]);
  assert.equal(done.status, 0, done.err);
  assert.deepEqual(JSON.parse(done.out.trim()).options.parameters, { region: 'north' });
});

test('Ctrl-C cancels the backfill and its run', async () => {
  const running = sandbox.start(['backfill', 'slow', ...days]);
  await running.until(/▶ 2025-11-01 .* running/);
  running.kill('SIGINT');
  const { status, out } = await running.ended;
  assert.equal(status, 130);
  assert.match(out, /✗ cancelled: 1 failed or cancelled, 2 skipped\n$/);
});

test('in a folder whose server is at work, the server carries the backfill on, and cancels it when asked', async () => {
  const server = sandbox.start(['serve', '--port', '0']);
  const [, url = ''] = await server.until(serving);
  assert.match((await sandbox.run(['backfill', 'slow', ...days, '--dry-run'])).out, /3 of 3 intervals would run/);
  const made = await sandbox.run(['backfill', 'slow', ...days, '--json']);
  assert.equal(made.status, 0, made.err);
  assert.match(made.err, /Handed to the server at/);
  const { id } = JSON.parse(made.out) as { id: string };
  const asked = await sandbox.run(['backfill', 'cancel', id]);
  assert.equal(asked.status, 0, asked.err);
  assert.match(asked.out, /^Asked the server at \S+ to cancel/);
  const read = async (): Promise<{ state: string; skipped: number; intervals: readonly unknown[] }> =>
    (await (await fetch(`${url}/api/v1/backfills/${id}`)).json()) as Awaited<ReturnType<typeof read>>;
  while ((await read()).state !== 'cancelled') await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await read()).intervals.length, 3);
  const list = (await (await fetch(`${url}/api/v1/backfills`)).json()) as { backfills: readonly { id: string }[] };
  assert.deepEqual(
    list.backfills.map((each) => each.id),
    [id],
  );
  const open = await fetch(`${url}/api/v1/backfills`, { method: 'POST', body: '{}' });
  assert.equal(open.status, 401);
});
