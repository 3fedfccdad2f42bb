/** Nothing that an attempt started outlives it: not its children, not those who left its group, not with a dead server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attemptMark } from '../../src/executor/local/marks.ts';
import { endMarked, findMarked, listProcesses, listWithPs, readProcess } from '../../src/executor/local/processes.ts';
import { openWorkshop, shell, specOf, until } from './workshop.ts';

const left = (mark: string): number => findMarked({ environment: [mark], groups: new Set() }).length;

/** Children in the background, one that leaves the session, one that forks twice, all of them deaf to SIGTERM. */
const family = `
trap "" TERM
sleep 300 &
setsid sh -c 'trap "" TERM; sleep 300 & sleep 300' &
( setsid sh -c 'trap "" TERM; (trap "" TERM; sleep 300) & exit' & ) &
echo ready
while :; do sleep 300; done`;

test('a stop ends a family that forks, forks twice, leaves its session and ignores SIGTERM', async () => {
  const workshop = await openWorkshop();
  const spec = specOf(shell(family));
  const mark = attemptMark(spec.attemptId);
  await workshop.executor.start(spec);
  await until('the family', async () => left(mark) >= 5 && (await workshop.log(spec.attemptId)).includes('ready'));
  await workshop.executor.stop(spec.attemptId, 'cancelled', 100);
  const { outcome } = await workshop.finished(spec.attemptId);
  assert.ok(outcome.kind === 'failed' && outcome.cause === 'cancelled');
  assert.equal(left(mark), 0);
  await workshop.close();
});

test('what a command leaves running in the background is ended after it', async () => {
  const workshop = await openWorkshop();
  const spec = specOf(shell('setsid sleep 300 > /dev/null 2>&1 & echo started'));
  await workshop.executor.start(spec);
  assert.equal((await workshop.finished(spec.attemptId)).outcome.kind, 'succeeded');
  await until('the background process to end', () => left(attemptMark(spec.attemptId)) === 0);
  await workshop.close();
});

test('a background process that holds the streams open does not hold the attempt', async () => {
  const workshop = await openWorkshop();
  assert.equal((await workshop.run(shell('sleep 300 & echo started'))).kind, 'succeeded');
  await workshop.close();
});

test('a server that is killed without a word leaves no process behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'host-'));
  const host = spawn(process.execPath, [fileURLToPath(new URL('./host.ts', import.meta.url)), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: host.stdout });
  const [said] = (await once(lines, 'line')) as [string];
  const { mark, attemptIds } = JSON.parse(said) as { mark: string; attemptIds: string[] };
  for (const attemptId of attemptIds)
    await until(`${attemptId} to run`, () => left(attemptMark(attemptId)) > 0 || left(mark) > attemptIds.length);
  await until('all of its processes', () => left(mark) >= 4);
  host.kill('SIGKILL');
  await once(host, 'exit');
  await until('the last process to end', () => left(mark) === 0);
  await rm(folder, { recursive: true, force: true });
});

test('what the next server finds of an attempt is ended before it is called lost', async () => {
  const workshop = await openWorkshop();
  const spec = specOf(shell('exit 0'));
  // A process of an earlier server, of which only the mark tells.
  const orphan = spawn('sh', ['-c', 'trap "" TERM; sleep 300'], {
    env: { PATH: process.env['PATH'] ?? '', CONTENDER_ATTEMPT_ID: spec.attemptId },
    detached: true,
    stdio: 'ignore',
  });
  const mark = attemptMark(spec.attemptId);
  await until('the orphan', () => left(mark) > 0);
  await workshop.executor.recover([spec.attemptId]);
  assert.equal(left(mark), 0);
  const { outcome } = await workshop.finished(spec.attemptId);
  assert.ok(outcome.kind === 'failed' && outcome.cause === 'lost');
  assert.ok(orphan.pid !== undefined && readProcess(orphan.pid) === null);
  assert.match((await workshop.log(spec.attemptId)).join('\n'), /The server ended while this attempt ran/);
  await workshop.close();
});

test('a process is known by its number and its start, a zombie is none', async () => {
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  assert.ok(child.pid !== undefined);
  const found = await until('the process', () => readProcess(child.pid ?? 0));
  assert.equal(found.group, child.pid);
  assert.equal(found.parent, process.pid);
  assert.equal(readProcess(child.pid)?.startedAt, found.startedAt);
  assert.ok(listProcesses().some((one) => one.pid === child.pid));
  const byPs = listWithPs().find((one) => one.pid === child.pid);
  assert.ok(byPs?.group === child.pid && byPs.parent === process.pid && byPs.startedAt !== '');
  const marks = { environment: [], groups: new Set([child.pid]) };
  assert.equal(await endMarked(marks, 5000), true);
  assert.equal(readProcess(child.pid), null);
});

test('a mark is the whole of a variable, wherever it stands among the others', async () => {
  const mark = attemptMark('01k00000000000000000000000/train/0/1');
  const environments = [
    { BEFORE: '1', CONTENDER_ATTEMPT_ID: '01k00000000000000000000000/train/0/1', AFTER: '1' },
    { CONTENDER_ATTEMPT_ID: '01k00000000000000000000000/train/0/11' },
    { NOTE: mark },
  ];
  const children = environments.map((env) => spawn('/bin/sleep', ['300'], { env, detached: true, stdio: 'ignore' }));
  await Promise.all(children.map((child) => until('the process', () => readProcess(child.pid ?? 0))));
  const found = findMarked({ environment: [attemptMark('another'), mark], groups: new Set() });
  assert.deepEqual(
    found.map(({ pid }) => pid),
    [children[0]?.pid],
  );
  for (const child of children) child.kill('SIGKILL');
});
