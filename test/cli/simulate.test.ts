import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { broken, good, pooled } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

const weekly = `import { branch, gate, map, pipeline, step } from 'contender';

export default pipeline(
  'weekly',
  {
    on: { schedule: { cron: '0 2 * * 1', timeZone: 'Europe/Berlin' } },
    maxActiveRuns: 1,
    retries: 1,
    retryDelay: '10m',
    retryBackoff: 1,
    timeout: '30d',
  },
  () => {
    const data = gate('validate', { data: 'data.csv', rows: { min: 10 } });
    const parts = step('split', { after: [data], run: () => [1, 2, 3] });
    const models = map({ part: parts }, ({ part }) => step('train', { input: { part }, run: () => 1 }));
    const decide = branch('decide', { input: { models }, choices: ['deploy', 'report'], run: () => 'deploy' });
    step('deploy', { after: [decide], run: () => 1 });
    step('report', { after: [decide], run: () => 1 });
  },
);
`;

const nightly = `import { pipeline, step } from 'contender';

export default pipeline(
  'nightly',
  { on: { schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' } }, overlap: 'forbid', timeout: '3d' },
  () => {
    step('train', { run: () => 1 });
  },
);
`;

/** No tick gives the parameter. */
const vain = nightly
  .replace("'nightly',", "'vain',")
  .replace('{ on:', "{ parameters: { weeks: { type: 'number' } }, on:");

let sandbox: Sandbox;
before(() => {
  sandbox = createProject({
    '.pipelines/pooled.ts': pooled,
    '.pipelines/good.ts': good,
    '.pipelines/broken.ts': broken,
    '.pipelines/weekly.ts': weekly,
    '.pipelines/nightly.ts': nightly,
    '.pipelines/vain.ts': vain,
  });
});
after(() => sandbox.remove());

test('a simulated run shows each step with its time, and what was pretended unasked', async () => {
  const { status, out, err } = await sandbox.run(['simulate', 'weekly', '--date', '2026-11-16']);
  assert.deepEqual({ status, err }, { status: 0, err: '' });
  assert.equal(
    out,
    `weekly simulated for 2026-11-16 00:00 UTC
  ✓ validate  0:00:00 – 0:01:00  success
  ✓ split     0:01:00 – 0:02:00  success
  ✓ train     0:02:00 – 0:03:00  success 3/3
  ✓ decide    0:03:00 – 0:04:00  success
  ✓ deploy    0:04:00 – 0:05:00  success
  – report                       skipped: decide chose deploy
Pretended, since nothing else was said:
  each attempt takes 1 min 0 s
  train is mapped over 3 elements of the output of split
  decide follows deploy, the first of its choices
✓ success after 0:05:00
`,
  );
});

test('a simulated failure shows its attempts and what follows, and ends with status 1', async () => {
  const args = ['--outcome', 'train[1]=failed', '--outcome', 'decide=follow:report', '--length', 'train=2'];
  const { status, out } = await sandbox.run([
    'simulate',
    'weekly',
    '--duration',
    '5m',
    '--duration',
    'split=20s',
    ...args,
  ]);
  assert.equal(status, 1);
  assert.match(
    out,
    / {2}✗ train {5}0:05:20 – 0:25:20 {2}failed 1\/2: 1 of 2 instances failed; instance 1: pretended: /,
  );
  assert.match(out, / {6}\[1\] failed: 0:05:20 failed, 0:20:20 failed\n/);
  assert.match(out, / {2}⊘ decide +upstream failed: all_success: train is failed\n/);
  assert.match(out, /^✗ failed after 0:25:20: train failed: /m);
  assert.doesNotMatch(out, /Pretended, since/);
});

test('pools are those of contender.yaml, or what is said of them', async () => {
  const without = await sandbox.run(['simulate', 'pooled']);
  assert.match(without.out, /train failed: there is no pool "gpu"; contender\.yaml declares no pools/);
  assert.equal((await sandbox.run(['simulate', 'pooled', '--pool', 'gpu=2'])).status, 0);
  const small = await sandbox.run(['simulate', 'pooled', '--pool', 'gpu=1']);
  assert.match(small.out, /train failed: an attempt takes 2 slots of the pool "gpu", which has 1/);
  const unknown = await sandbox.run(['simulate', 'pooled', '--pool', 'gpu=2', '--pool', 'nope=3']);
  assert.equal(unknown.status, 2);
  assert.match(unknown.err, /there is no pool "nope".*\n {2}The pools: gpu\./);
  const wrong = await sandbox.run(['simulate', 'pooled', '--pool', 'gpu']);
  assert.match(wrong.err, /Write it as name=slots: gpu=2\./);
});

test('parameters are read as a run would read them, and nothing is left in the folder', async () => {
  const { status, out } = await sandbox.run(['simulate', 'good', '--date', '2026-11-16', '--param', 'depth=6']);
  assert.equal(status, 0);
  assert.match(out, /^good simulated for 2026-11-16 00:00 UTC, depth=6\n/);
  assert.equal(sandbox.git('status', '--porcelain', '--ignored'), '');
});

test('--ref simulates what stands at a commit', async () => {
  const sha = sandbox.git('rev-parse', 'HEAD');
  sandbox.write({ '.pipelines/good.ts': good.replace("'second'", "'last'") });
  assert.match((await sandbox.run(['simulate', 'good'])).out, /✓ last/);
  assert.match((await sandbox.run(['simulate', 'good', '--ref', sha])).out, /✓ second/);
  sandbox.git('checkout', '--quiet', '.');
});

test('a schedule is simulated tick by tick, with the changes of the clocks and the totals', async () => {
  const { status, out } = await sandbox.run(['simulate', 'nightly', '--from', '2026-10-24', '--until', '2026-10-27']);
  assert.equal(status, 0);
  assert.equal(
    out,
    `nightly 30 2 * * *, Europe/Berlin, simulated
    tick                     in UTC            logical date (UTC)
  ✓ 2026-10-24 02:30 +02:00  2026-10-24 00:30  2026-10-23 00:30    success after 0:01:00
  ✓ 2026-10-25 02:30 +02:00  2026-10-25 00:30  2026-10-24 00:30    success after 0:01:00
      2026-10-25 02:30 comes twice in Europe/Berlin (the clocks go back): it runs once, the first time.
  ✓ 2026-10-26 02:30 +01:00  2026-10-26 01:30  2026-10-25 00:30    success after 0:01:00

3 ticks (3 success) from 2026-10-24 00:00 to 2026-10-27 00:00 UTC, 16 runs at once, overlap forbid.
Pretended, since nothing else was said:
  each attempt takes 1 min 0 s
`,
  );
});

test('runs that are longer than the time between two ticks are missed or wait, by the rules of the pipeline', async () => {
  const missed = await sandbox.run([
    'simulate',
    'nightly',
    '--from',
    '2026-05-01',
    '--until',
    '4d',
    '--duration',
    '30h',
  ]);
  assert.equal(missed.status, 0);
  assert.match(
    missed.out,
    / {2}– 2026-05-02 .* missed: A run of nightly is under way, and its overlap policy is forbid\n/,
  );
  assert.match(missed.out, /^4 ticks \(2 success, 2 missed\) from /m);
  const args = ['--from', '2026-05-01', '--until', '4w', '--duration', 'split=150h', '--duration', 'deploy=150h'];
  const waiting = await sandbox.run(['simulate', 'weekly', ...args]);
  assert.match(waiting.out, / {2}✓ 2026-05-11 .* waits 5 d 12:03:00, then success after 12 d 12:03:00\n/);
  assert.match(
    waiting.out,
    /^4 ticks \(4 success\) .*, one run at once, overlap allow\.\n3 runs wait for their turn, /m,
  );
});

test('of many ticks forty are shown, those that a change of the clocks moves, and a count', async () => {
  const { out } = await sandbox.run(['simulate', 'nightly', '--from', '2026-08-01', '--until', '120d']);
  assert.equal(out.match(/^ {2}✓/gm)?.length, 41);
  assert.match(out, /2026-10-25 02:30 comes twice/);
  assert.match(out, / {2}… 79 more, which --json shows\n/);
  assert.match(out, /^120 ticks \(120 success\)/m);
});

test('a failing run of a schedule ends with status 1, and so do ticks that are all missed; a time without a tick says so', async () => {
  const failing = ['simulate', 'nightly', '--until', '3d', '--outcome', 'train=failed'];
  const { status, out } = await sandbox.run(failing);
  assert.equal(status, 1);
  assert.match(out, /3 ticks \(3 failed\)/);
  const none = await sandbox.run(['simulate', 'nightly', '--from', '2026-05-01', '--until', '10m']);
  assert.equal(none.status, 0);
  const missed = await sandbox.run(['simulate', 'vain', '--until', '3d']);
  assert.equal(missed.status, 1);
  assert.match(missed.out, /3 ticks \(3 missed\)/);
  assert.match(none.out, /^There is no tick from 2026-05-01 00:00 to 2026-05-01 00:10 UTC\.$/m);
});

const runDocument = z.object({
  pipeline: z.literal('weekly'),
  assumed: z.array(z.string()),
  logicalDate: z.literal('2026-11-16T00:00:00.000Z'),
  parameters: z.record(z.string(), z.unknown()),
  run: z.object({
    state: z.literal('failed'),
    durationMs: z.number(),
    steps: z.array(
      z.object({
        name: z.string(),
        state: z.string(),
        instances: z.array(z.object({ attempts: z.array(z.unknown()) })),
      }),
    ),
  }),
});
const ticksDocument = z.object({
  ticks: z.array(
    z.object({ tick: z.string(), run: z.object({ beginsAt: z.string(), endsAt: z.string() }).nullable() }),
  ),
  more: z.boolean(),
});

test('--json gives one document, of a run as of a schedule', async () => {
  const one = await sandbox.run(['simulate', 'weekly', '--json', '--date', '2026-11-16', '--outcome', 'split=failed']);
  assert.equal(one.status, 1);
  const { run } = runDocument.parse(JSON.parse(one.out));
  assert.equal(run.steps.find((step) => step.name === 'split')?.instances[0]?.attempts.length, 2);
  const many = ['simulate', 'nightly', '--json', '--from', '2026-05-01', '--until', '3d', '--duration', '30h'];
  const { ticks, more } = ticksDocument.parse(JSON.parse((await sandbox.run(many)).out));
  assert.equal(more, false);
  assert.deepEqual(
    ticks.map(({ tick, run: itsRun }) => [tick, itsRun?.endsAt ?? null]),
    [
      ['2026-05-01T00:30:00.000Z', '2026-05-02T06:30:00.000Z'],
      ['2026-05-02T00:30:00.000Z', null],
      ['2026-05-03T00:30:00.000Z', '2026-05-04T06:30:00.000Z'],
    ],
  );
});

const mistakes: readonly (readonly [what: string, args: readonly string[], said: RegExp])[] = [
  ['an unknown pipeline', ['nope'], /no pipeline "nope" \[pipeline-unknown\]/],
  ['a broken pipeline', ['broken'], /\.pipelines\/broken\.ts:4:3: .*\[definition-option\]/],
  [
    'an unknown step',
    ['weekly', '--outcome', 'trian=failed'],
    /no step "trian" \[pretence-invalid\]\n {2}Did you mean "train"\?/,
  ],
  ['an unknown outcome', ['weekly', '--outcome', 'train=faild'], /\[pretence-invalid\]\n {2}Did you mean "failed"\?/],
  [
    'an instance that there is not',
    ['weekly', '--until', '30d', '--outcome', 'train[3]=failed'],
    /no instance 3 .*\n {2}It has 3 instances/,
  ],
  ['a parameter of another type', ['good', '--param', 'depth=deep'], /"depth" must be a number/],
  ['a schedule that there is not', ['good', '--until', '30d'], /"good" has no schedule \[pretence-invalid\]/],
  ['a date beside --until', ['weekly', '--until', '30d', '--date', '2026-11-16'], /for one run/],
  ['--from without --until', ['weekly', '--from', '2026-11-16'], /--until/],
  [
    'a time that ends before it begins',
    ['weekly', '--from', '2026-11-16', '--until', '2026-11-15'],
    /ends before it begins/,
  ],
  ['a time that is none', ['weekly', '--until', 'soon'], /A duration such as 30d, or YYYY-MM-DD/],
  ['a time without end', ['weekly', '--until', '9999w'], /At most 3660d/],
  ['no slots', ['weekly', '--slots', '0'], /A number from 1 to 10000/],
];
for (const [what, args, said] of mistakes) {
  test(`${what} is the user's mistake: status 2, and what to do`, async () => {
    const { status, out, err } = await sandbox.run(['simulate', ...args]);
    assert.deepEqual({ status, out }, { status: 2, out: '' }, err);
    assert.match(err, said);
    assert.doesNotMatch(err, /^\s+at /m);
  });
}
