/** Looks of functions in processes of this machine: what they see, what they print, and what is left of them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LookOutcome } from '../../src/engine/event.ts';
import type { LookSpec } from '../../src/executor/executor.ts';
import { readProcess } from '../../src/executor/local/processes.ts';
import type { Json } from '../../src/std/json.ts';
import { lookSpecOf, openWorkshop, until, type Workshop } from './workshop.ts';

const file = '.pipelines/looks.ts';
const source = `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline, waitFor } from 'contender';

const child = () => {
  const process = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  process.unref();
  return process.pid;
};
const all = {
  nothing: () => null,
  prints: () => { console.log('three files of five'); return false; },
  tells: (context) => ({ step: context.step, attempt: context.attempt, key: process.env['API_KEY'] ?? null }),
  keeps: async (context) => {
    writeFileSync(join(context.scratch, 'list.txt'), 'a,b');
    return { list: await context.artifact('list.txt') };
  },
  big: () => Array.from({ length: 20000 }, (_, day) => 'day ' + day),
  odd: () => 1n,
  throws: () => { throw new RangeError('no such bucket'); },
  exits: () => process.exit(3),
  dies: () => process.kill(process.pid, 'SIGKILL'),
  loops: () => { for (;;); },
  child,
};
export default pipeline('looks', {}, () => {
  waitFor.until('looks', { input: { as: 'nothing' }, run: ({ as }, context) => all[as](context) });
});
`;

let workshop: Workshop;
before(async () => {
  workshop = await openWorkshop({ [file]: source });
  workshop.secrets.set('API_KEY', 'correct-horse');
});
after(() => workshop.close());

function look(as: string, changes: Partial<LookSpec> = {}): Promise<LookOutcome> {
  return workshop.executor.look(lookSpecOf(file, { as }, changes), new AbortController().signal);
}

function seen(outcome: LookOutcome): Json | undefined {
  return outcome.kind === 'seen' && 'inline' in outcome.output ? outcome.output.inline : undefined;
}

function failure(outcome: LookOutcome): string {
  return outcome.kind === 'failed' ? `${outcome.cause}: ${outcome.message}` : outcome.kind;
}

test('what the function returns is the output, as any other step would give it', async () => {
  assert.deepEqual(seen(await look('tells')), { step: 'looks', attempt: 1, key: null });
  const kept = seen(await look('keeps'));
  assert.match(JSON.stringify(kept), /"name":"list.txt","bytes":3|"bytes":3.*"name":"list.txt"/);
  const big = await look('big');
  assert.ok(big.kind === 'seen' && 'stored' in big.output && big.output.lengths[''] === 20_000);
});

test('a secret is there where the step names it, and masked in what it gives', async () => {
  const outcome = await look('tells', { secrets: ['API_KEY'] });
  assert.deepEqual(seen(outcome), { step: 'looks', attempt: 1, key: '***' });
  assert.match(failure(await look('tells', { secrets: ['NONE'] })), /^invalid: the secret NONE is not configured/);
});

test('a look fails by the cause of its failure, and the next one has a process all the same', async () => {
  assert.equal(failure(await look('throws')), 'code: RangeError: no such bucket');
  assert.match(failure(await look('odd')), /^output: what the function returned is no JSON/);
  assert.match(failure(await look('exits')), /^code: exit code 3/);
  assert.match(failure(await look('dies')), /^lost: somebody ended it from outside/);
  const missing = lookSpecOf('.pipelines/none.ts', {});
  assert.match(failure(await workshop.executor.look(missing, new AbortController().signal)), /^invalid: .*none\.ts/);
  assert.equal((await look('nothing')).kind, 'not-yet');
});

test('a look that takes too long fails by its timeout', async () => {
  const outcome = await look('loops', { timeoutMs: 300, graceMs: 100 });
  assert.equal(failure(outcome), 'timeout: it ran longer than its timeout of 300 ms');
});

test('the looks of a wait have one log: a line of the first, and what others print', async () => {
  const first = lookSpecOf(file, { as: 'nothing' });
  const { attemptId } = first;
  const on = (as: string, number: number): Promise<LookOutcome> => look(as, { attemptId, number });
  await workshop.executor.look(first, new AbortController().signal);
  for (const [place, as] of ['nothing', 'prints', 'nothing', 'prints', 'nothing', 'throws'].entries())
    await on(as, place + 2);
  const lines = await workshop.log(attemptId);
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('    at ')),
    [
      'Look 1',
      'Look 3',
      'three files of five',
      'Look 5',
      'three files of five',
      'Look 7',
      ...lines.filter((line) => line.startsWith('RangeError')),
      'Failed (code): RangeError: no such bucket',
    ],
  );
  assert.equal((await workshop.logs.read(attemptId, 1, 0)).closed, true);
});

test('what a look leaves behind is ended, and the next look of the same wait is not', async () => {
  const { attemptId } = lookSpecOf(file, {});
  const first = Number(seen(await look('child', { attemptId })));
  await until('its child to end', () => readProcess(first) === null);
  const abort = new AbortController();
  const next = workshop.executor.look(lookSpecOf(file, { as: 'loops' }, { attemptId, graceMs: 100 }), abort.signal);
  const second = Number(seen(await look('child')));
  await until('the other child to end', () => readProcess(second) === null);
  abort.abort();
  await assert.rejects(next, /ended/);
});
