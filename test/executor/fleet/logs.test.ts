/** Logs of steps that print too much, too fast, or no text at all, and of links that are cut, on workers. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { logLimits } from '../../../src/outputs/outputs.ts';
import { startCuttingProxy } from '../../support/cutting-proxy.ts';
import { redisMissing, startRedis, type TestRedis } from '../../support/redis.ts';
import { hear, memoryGrowthDuring, torture } from '../log-torture.ts';
import { command, openWorkshop, specOf } from '../workshop.ts';
import { openYard, type Yard, type YardOptions } from './yard.ts';

const skip = redisMissing();
let redis: TestRedis;
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(() => (skip === false ? redis.stop() : undefined));

async function yardOf(t: TestContext, options?: YardOptions): Promise<Yard> {
  const yard = await openYard(redis, options);
  t.after(() => yard.close());
  await yard.startWorker({ slots: 1 });
  return yard;
}

async function run({ harbour }: Yard, program: string): Promise<string> {
  const spec = specOf(command(process.execPath, '-e', program), { timeoutMs: 300_000 });
  await harbour.executor.start(spec);
  const { outcome } = await harbour.finished(spec.attemptId);
  assert.equal(outcome.kind, 'succeeded', outcome.kind === 'failed' ? outcome.message : '');
  return spec.attemptId;
}

test('a gibibyte in one line is cut where the limit is, and takes no memory', { skip }, async (t) => {
  const yard = await yardOf(t);
  let key = '';
  // Of server and worker together, which are one process here.
  const growth = await memoryGrowthDuring(async () => (key = await run(yard, torture.endlessLine)));
  assert.deepEqual(await yard.harbour.log(key), [`${'x'.repeat(logLimits.lineBytesMax)} … [cut]`, 'after']);
  assert.ok(growth < 256 * 1024 * 1024, `${growth} bytes more`);
});

test('what is printed at ten mebibytes a second over links that are cut is all there once', { skip }, async (t) => {
  const cuts: (() => number)[] = [];
  const behind = async (port: number): Promise<number> => {
    const proxy = await startCuttingProxy('127.0.0.1', port, [2_000_000, 300_000, 6_000_000]);
    t.after(() => proxy.close());
    cuts.push(() => proxy.cuts());
    return proxy.port;
  };
  const yard = await yardOf(t, { behind });
  const { numbers, printed, gaps, told } = await hear(yard.harbour.stores.logs, await run(yard, torture.talk(2, 10)));
  assert.deepEqual({ numbers, gaps, told }, { numbers: printed, gaps: 0, told: [] });
  assert.ok((cuts[0]?.() ?? 0) > 5);
});

test('what is no text is kept as on one machine', { skip }, async (t) => {
  const workshop = await openWorkshop();
  t.after(() => workshop.close());
  const spec = specOf(command(process.execPath, '-e', torture.bytes));
  await workshop.executor.start(spec);
  await workshop.finished(spec.attemptId);
  const yard = await yardOf(t);
  assert.deepEqual(await yard.harbour.log(await run(yard, torture.bytes)), await workshop.log(spec.attemptId));
});
