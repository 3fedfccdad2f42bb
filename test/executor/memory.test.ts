/** Attempts that take more memory than they may. Those that do hold it until they are ended: nothing here is a matter of time. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import type { AttemptSpec, AttemptWork } from '../../src/executor/executor.ts';
import { proportionalBytes, readProcess, type ProcessInfo } from '../../src/executor/local/processes.ts';
import type { JsonObject } from '../../src/std/json.ts';
import { createUsageSampler } from '../../src/executor/local/usage.ts';
import { command, openWorkshop, shell, specOf, until, type FinishedReport, type Workshop } from './workshop.ts';

const mib = 1024 ** 2;
const file = '.pipelines/steps.ts';
const source = `
import { readFileSync } from 'node:fs';
import { pipeline, step } from 'contender';

export default pipeline('steps', {}, () => {
  step('told', { run: (input, { memoryBytes }) => ({ memoryBytes, told: process.env['CONTENDER_MEMORY_BYTES'] ?? null, heap: process.execArgv.filter((each) => each.includes('old-space')), pid: process.pid }) });
  step('buffers', { run: () => { const held = Buffer.alloc(300 * 2 ** 20, 1); return new Promise(() => setInterval(() => held, 1000)); } });
  step('heap', { run: () => { const held: unknown[] = []; for (;;) held.push(Array.from({ length: 1000 }, (_, index) => ({ index }))); } });
  step('sums', { input: { fits: [] as { loss: number; curve: string; model: string }[] }, run: ({ fits }) => ({
    count: fits.length,
    loss: fits.reduce((sum, fit) => sum + fit.loss, 0),
    characters: fits.map(({ curve }) => curve.length).reduce((sum, length) => sum + length, 0),
    models: new Set(fits.map(({ model }) => readFileSync(model, 'utf8'))).size,
  }) });
  step('much', { run: () => { const held = Buffer.alloc(200 * 2 ** 20, 1); return held.length > 0 ? process.pid : 0; } });
});
`;

let workshop: Workshop;
before(async () => {
  workshop = await openWorkshop({ [file]: source });
});
after(() => workshop.close());

function limited(work: AttemptWork, memoryBytes: number | null, step = 'train', attempt = 1): AttemptSpec {
  const spec = specOf(work);
  return { ...spec, context: { ...spec.context, step, attempt, memoryBytes } };
}

const called = (step: string, memoryBytes: number | null): AttemptSpec =>
  limited({ kind: 'function', file, input: {} }, memoryBytes, step);

async function run(spec: AttemptSpec): Promise<FinishedReport> {
  await workshop.executor.start(spec);
  return workshop.finished(spec.attemptId);
}

function messageOf(outcome: AttemptOutcome): string {
  assert.ok(outcome.kind === 'failed', JSON.stringify(outcome));
  assert.equal(outcome.cause, 'out-of-memory');
  return outcome.message;
}

function outputOf({ outcome }: FinishedReport): unknown {
  assert.ok(outcome.kind === 'succeeded' && 'inline' in outcome.output, JSON.stringify(outcome));
  return outcome.output.inline;
}

const takes300Mib = 'const held = Buffer.alloc(300 * 2 ** 20, 1); setInterval(() => held, 1000);';

test('a command that takes more than it may is ended, with all that it started', async () => {
  const script = `node -e '${takes300Mib}' & echo $!; wait`;
  const spec = limited(shell(script), 100 * mib);
  const { outcome, usage } = await run(spec);
  assert.match(
    messageOf(outcome),
    /^it took \d+ MiB of memory, and may take 100 MiB: raise `memory` or `memoryGrowth` of the step$/,
  );
  assert.ok((usage?.memoryBytesMax ?? 0) > 100 * mib);
  const lines = await workshop.log(spec.attemptId);
  assert.equal(lines[0], 'It may take 100 MiB of memory.');
  assert.ok(lines.includes('It takes more memory than it may: killed.'));
  const child = Number(lines.find((line) => /^\d+$/.test(line)));
  await until('the child to be gone', () => readProcess(child) === null);
});

test('a command whose error says that memory ran out has run out of it, whatever its code', async () => {
  const end = (line: string) => shell(`echo '${line}' >&2; exit 1`);
  const { outcome } = await run(limited(end('MemoryError'), null));
  assert.equal(messageOf(outcome), 'exit code 1: MemoryError');
  const other = await run(limited(end('ValueError'), null, 'other'));
  assert.equal(other.outcome.kind === 'failed' && other.outcome.cause, 'code');
});

test('a command that fits is left alone, and told what it may take', async () => {
  const report = await run(limited(shell('sleep 0.3; echo "$CONTENDER_MEMORY_BYTES"'), 100 * mib));
  assert.equal(outputOf(report), 100 * mib);
  const unlimited = await run(limited(shell('echo "\\"${CONTENDER_MEMORY_BYTES-none}\\""'), null));
  assert.equal(outputOf(unlimited), 'none');
});

test('what processes share counts once, and more than the limit is told once', async () => {
  let held = 30;
  const one = { parent: 1, group: 7, startedAt: '', cpuMs: 1, memoryBytes: 60 };
  const both = [7, 8].map((pid) => ({ ...one, pid }));
  let looks = 0;
  const list = (): typeof both => ((looks += 1), both);
  const sampler = createUsageSampler(
    list,
    () => held,
    () => 0,
  );
  let told = 0;
  const watched = sampler.watch(7, { bytes: 100, exceeded: () => void (told += 1) });
  await until('a look', () => looks === 1);
  assert.deepEqual([told, { ...watched.end() }], [0, { cpuMs: 2, memoryBytesMax: 60 }]);
  held = 55;
  const again = sampler.watch(7, { bytes: 100, exceeded: () => void (told += 1) });
  await until('two more looks', () => looks === 3);
  assert.deepEqual([told, again.end().memoryBytesMax], [1, 110]);
  sampler.close();
});

test('what a shell used for commands before is not time of the one that it runs now', async () => {
  let looks = 0;
  const list = (): readonly ProcessInfo[] => {
    looks += 1;
    return [7, 8].map((pid) => ({ pid, parent: 1, group: 7, startedAt: '', cpuMs: pid * 100, memoryBytes: 1 }));
  };
  const sampler = createUsageSampler(
    list,
    () => 1,
    (pid) => (pid === 7 ? 690 : 0),
  );
  const watched = sampler.watch(7, null);
  await until('a look', () => looks === 1);
  assert.equal(watched.end().cpuMs, 810);
  sampler.close();
});

test('what a process holds alone is its own', () => {
  const held = Buffer.alloc(100 * mib, 1);
  const share = proportionalBytes(process.pid);
  assert.ok(share !== null && share > held.length, String(share));
  assert.equal(proportionalBytes(2 ** 30), null);
});

test('a function is told what it may take, and its heap is made to fit', async () => {
  const { pid: _pid, ...told } = outputOf(await run(called('told', 2048 * mib))) as { pid: number };
  assert.deepEqual(told, { memoryBytes: 2048 * mib, told: String(2048 * mib), heap: ['--max-old-space-size=1920'] });
  const { pid: _other, ...untold } = outputOf(await run(called('told', null))) as { pid: number };
  assert.deepEqual(untold, { memoryBytes: null, told: null, heap: [] });
});

test('attempts share a process only with those that may take as much', async () => {
  const pids: unknown[] = [];
  for (const memoryBytes of [512 * mib, 512 * mib, 1024 * mib, null])
    pids.push((outputOf(await run(called('told', memoryBytes))) as { pid: number }).pid);
  assert.equal(pids[0], pids[1]);
  assert.equal(new Set(pids).size, 3);
});

test('a process that has taken half of what it may is of no use to the next attempt', async () => {
  const first = outputOf(await run(called('much', 384 * mib)));
  const next = outputOf(await run(called('much', 384 * mib)));
  assert.notEqual(first, next);
});

test('a function that takes more than it may is ended', async () => {
  const { outcome, usage } = await run(called('buffers', 256 * mib));
  assert.match(messageOf(outcome), /^it took \d+ MiB of memory, and may take 256 MiB/);
  assert.ok((usage?.memoryBytesMax ?? 0) > 256 * mib);
});

test('a function whose heap is full has run out of memory', async () => {
  const { outcome } = await run(called('heap', 192 * mib));
  assert.match(
    messageOf(outcome),
    /^(?:JavaScript's heap ran out of memory, and it may take|it took \d+ MiB.*) 192 MiB/,
  );
});

test('a command whose heap is full has run out of memory, whatever V8 prints after that', async () => {
  const script = 'const held = []; for (;;) held.push(Array.from({ length: 1000 }, (_, index) => ({ index })));';
  const { outcome } = await run(limited(command('node', '--max-old-space-size=40', '-e', script), null));
  assert.equal(messageOf(outcome), "JavaScript's heap ran out of memory");
});

test('results that would not fit into memory are read one by one, inline or stored', async () => {
  const { artifacts } = workshop;
  const model = { ...(await artifacts.putBytes(Buffer.from('weights'), 'model.bin')) };
  const fitOf = (loss: number, characters: number): JsonObject => ({ loss, curve: 'x'.repeat(characters), model });
  const stored = await Promise.all(
    [0, 1, 2, 3].map((loss) => artifacts.putBytes(Buffer.from(JSON.stringify(fitOf(loss, 80_000))), 'output.json')),
  );
  const fits = Array.from({ length: 1024 }, (_, index) =>
    index % 2 === 0 ? fitOf(4, 40_000) : { $stored: { ...stored[((index - 1) / 2) % 4] }, path: [] },
  );
  const work: AttemptWork = { kind: 'function', file, input: { fits } };
  const { outcome, usage } = await run(limited(work, 192 * mib, 'sums'));
  assert.deepEqual(outcome.kind === 'succeeded' ? outcome.output : outcome, {
    inline: { count: 1024, loss: 512 * 4 + 128 * 6, characters: 512 * 120_000, models: 1 },
  });
  assert.ok((usage?.memoryBytesMax ?? 0) < 192 * mib);
});
