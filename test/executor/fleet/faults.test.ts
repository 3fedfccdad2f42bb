/** What befalls a fleet: Redis that forgets or goes, workers that die or fall silent, servers that come after. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { redisMissing, startRedis, type TestRedis } from '../../support/redis.ts';
import { startStillProxy } from '../../support/still-proxy.ts';
import { command, shell, specOf, until } from '../workshop.ts';
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
  return yard;
}

/** At a Redis of its own, which goes after it. */
async function yardWithRedis(
  t: TestContext,
  settings?: Parameters<typeof startRedis>[0],
): Promise<{ readonly own: TestRedis; readonly yard: Yard }> {
  const own = await startRedis(settings);
  const yard = await openYard(own);
  t.after(async () => {
    await yard.close();
    await own.stop();
  });
  return { own, yard };
}

/** A worker as a process of its own, for it to be killed or held. */
async function workerProcess(t: TestContext, yard: Yard): Promise<ChildProcess> {
  const state = mkdtempSync(join(tmpdir(), 'worker-'));
  const bin = join(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'bin.ts');
  const given = ['worker', '--server', yard.harbour.agentUrl, '--slots', '2', '--state', state];
  const worker = spawn(process.execPath, [bin, ...given, '--prefix', yard.prefix], {
    cwd: state,
    env: { PATH: process.env['PATH'] ?? '', HOME: state, CONTENDER_REDIS_URL: redis.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    if (worker.exitCode === null && worker.signalCode === null && worker.kill('SIGKILL')) await once(worker, 'exit');
    rmSync(state, { recursive: true, force: true, maxRetries: 5 });
  });
  await once(worker.stdout ?? worker, 'data');
  return worker;
}

const causeOf = (outcome: { readonly kind: string; readonly cause?: string }): string => outcome.cause ?? outcome.kind;

test('what Redis has forgotten is sent again, and what runs goes on', { skip }, async (t) => {
  const yard = await yardOf(t);
  const { harbour } = yard;
  const [running, waiting] = [specOf(shell('echo begun; sleep 3; echo done')), specOf(command('true'))];
  const worker = await yard.startWorker({ slots: 1 });
  await harbour.executor.start(running);
  await harbour.running(running.attemptId);
  await harbour.executor.start(waiting);
  await until('it waits in Redis', async () => (await redis.client.dbsize()) > 0 || undefined);
  await redis.client.flushall();
  assert.equal((await harbour.finished(running.attemptId)).outcome.kind, 'succeeded');
  assert.equal((await harbour.finished(waiting.attemptId)).outcome.kind, 'succeeded');
  await until('nothing is left of either', () => worker.busy === 0 || undefined);
  assert.deepEqual(await harbour.log(running.attemptId), ['begun', 'done']);
});

test('a Redis that goes and comes back empty delays steps and loses none', { skip }, async (t) => {
  const { own, yard } = await yardWithRedis(t);
  const { harbour } = yard;
  await yard.startWorker();
  const running = specOf(shell('sleep 2; echo done'));
  await harbour.executor.start(running);
  await harbour.running(running.attemptId);
  await own.kill();
  const waiting = specOf(command('true'));
  await harbour.executor.start(waiting);
  assert.equal((await harbour.finished(running.attemptId)).outcome.kind, 'succeeded', 'it needs no Redis to end');
  await own.start();
  assert.equal((await harbour.finished(waiting.attemptId)).outcome.kind, 'succeeded');
  const told = yard.news.map((text) => text.replace(/:\d+ /, ' ').replace(/\(.*\)/, '()'));
  assert.deepEqual(told, [
    'Redis at 127.0.0.1 does not answer (): it is tried again',
    'Redis at 127.0.0.1 answers again',
  ]);
});

test('connections that stand and bring nothing are made again, on both sides', { skip }, async (t) => {
  const proxy = await startStillProxy(Number(new URL(redis.url).port));
  const url = `redis://127.0.0.1:${proxy.port}`;
  const yard = await openYard(redis, { redisUrl: url, commandMs: 500 });
  t.after(async () => {
    await yard.close();
    proxy.close();
  });
  const { harbour } = yard;
  await yard.startWorker({ watchMs: 500 });
  for (const round of [1, 2, 3]) {
    if (round > 1) proxy.still();
    const spec = specOf(command('true'));
    await harbour.executor.start(spec);
    assert.equal((await harbour.finished(spec.attemptId)).outcome.kind, 'succeeded', `round ${round}`);
  }
  assert.ok(yard.said.some((line) => line.includes('Redis is asked anew')));
});

test('a Redis that may forget jobs is told', { skip }, async (t) => {
  const { yard } = await yardWithRedis(t, { 'maxmemory-policy': 'allkeys-lru' });
  await until('the warning', () => yard.news.find((text) => text.includes('set it to noeviction')));
});

test('a worker that is killed is given up when it was silent for long enough', { skip }, async (t) => {
  const yard = await yardOf(t, { lostMs: 1500, waitMs: 300 });
  const { harbour } = yard;
  const worker = await workerProcess(t, yard);
  const spec = specOf(shell('echo begun; sleep 600'));
  await harbour.executor.start(spec);
  await harbour.running(spec.attemptId);
  worker.kill('SIGKILL');
  const { outcome } = await harbour.finished(spec.attemptId);
  assert.equal(causeOf(outcome), 'lost');
  assert.match(outcome.kind === 'failed' ? outcome.message : '', /nothing was heard of its worker for/);
});

test(
  'a worker that was given up and comes back ends its step, and what it says changes nothing',
  { skip },
  async (t) => {
    const yard = await yardOf(t, { lostMs: 1500, waitMs: 300 });
    const { harbour } = yard;
    const worker = await workerProcess(t, yard);
    let said = '';
    worker.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const spec = specOf(shell('echo begun; sleep 4; echo done'));
    await harbour.executor.start(spec);
    await harbour.running(spec.attemptId);
    worker.kill('SIGSTOP');
    assert.equal(causeOf((await harbour.finished(spec.attemptId)).outcome), 'lost');
    worker.kill('SIGCONT');
    await until('it hears that it is over', () => (said.includes('not, or no longer') ? true : undefined));
    const ends = harbour.reports.filter(({ type, attemptId }) => type === 'finished' && attemptId === spec.attemptId);
    assert.equal(ends.length, 1);
    assert.ok(!(await harbour.log(spec.attemptId)).includes('done'));
  },
);

test(
  'a worker that is told to stop ends its steps when told twice, and they are tried elsewhere',
  { skip },
  async (t) => {
    const yard = await yardOf(t);
    const { harbour } = yard;
    const worker = await workerProcess(t, yard);
    const spec = specOf(shell('echo begun; sleep 600'));
    await harbour.executor.start(spec);
    await harbour.running(spec.attemptId);
    worker.kill('SIGTERM');
    await once(worker.stdout ?? worker, 'data');
    worker.kill('SIGTERM');
    assert.equal(causeOf((await harbour.finished(spec.attemptId)).outcome), 'evicted');
    if (worker.exitCode === null) await once(worker, 'exit');
    assert.equal(worker.exitCode, 0);
  },
);

test('a server that was held up gives nobody up for it', { skip }, async (t) => {
  let offset = 0;
  const clock = { now: () => Date.now() + offset };
  const yard = await yardOf(t, { clock, lostMs: 20_000 });
  const { harbour } = yard;
  await yard.startWorker();
  const spec = specOf(shell('sleep 3; echo done'));
  await harbour.executor.start(spec);
  await harbour.running(spec.attemptId);
  offset = 3_600_000;
  assert.equal((await harbour.finished(spec.attemptId)).outcome.kind, 'succeeded');
});

test('what no worker begins is told in its log, and given up in the end', { skip }, async (t) => {
  let offset = 0;
  const yard = await yardOf(t, { clock: { now: () => Date.now() + offset }, startMs: 86_400_000 });
  const { harbour } = yard;
  const spec = specOf(command('true'), { queue: 'gpu', startMs: 60_000 });
  await yard.startWorker();
  await harbour.executor.start(spec);
  await until('the queue is known', async () =>
    (await redis.client.keys(`*${yard.prefix}*gpu*`)).length > 0 ? true : undefined,
  );
  offset = 11_000;
  await until('the line', async () => (await harbour.log(spec.attemptId)).length > 0 || undefined);
  assert.deepEqual(await harbour.log(spec.attemptId), [
    'It waits for a worker of the queue "gpu" (workers that serve it: 0).',
  ]);
  offset = 70_000;
  const { outcome } = await harbour.finished(spec.attemptId);
  assert.equal(causeOf(outcome), 'start');
  assert.match(
    outcome.kind === 'failed' ? outcome.message : '',
    /no worker of the queue "gpu" .* contender worker --queue gpu/,
  );
});

test('what was stopped before a worker began is not carried out', { skip }, async (t) => {
  const yard = await yardOf(t);
  const { harbour } = yard;
  const spec = specOf(shell('echo begun'));
  await harbour.executor.start(spec);
  await harbour.executor.stop(spec.attemptId, 'cancelled', 0);
  assert.equal(causeOf((await harbour.finished(spec.attemptId)).outcome), 'cancelled');
  await yard.startWorker();
  const next = specOf(command('true'));
  await harbour.executor.start(next);
  assert.equal((await harbour.finished(next.attemptId)).outcome.kind, 'succeeded');
  assert.ok(!(await harbour.log(spec.attemptId)).includes('begun'));
});

test('a job of somebody else is dropped with a word, and a worker goes on', { skip }, async (t) => {
  const yard = await yardOf(t);
  const { harbour } = yard;
  await yard.startWorker();
  const { Queue } = await import('bullmq');
  const queue = new Queue('default', { connection: redis.client, prefix: `{${yard.prefix}}` });
  await queue.add('attempt', { anything: true });
  await queue.add('attempt', { id: 'run/train/0/1', token: 'guessed' });
  const spec = specOf(command('true'));
  await harbour.executor.start(spec);
  assert.equal((await harbour.finished(spec.attemptId)).outcome.kind, 'succeeded');
  await until('both are told of', () => (yard.said.length >= 3 ? true : undefined));
  assert.ok(yard.said.some((line) => line.startsWith('A job in the queue "default"') && line.includes('dropped')));
  assert.ok(yard.said.some((line) => line.startsWith('run/train/0/1 is not, or no longer, to be carried out here')));
  await queue.close();
});
