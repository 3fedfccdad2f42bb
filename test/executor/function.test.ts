import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import type { AttemptSpec, AttemptWork, InputValue } from '../../src/executor/executor.ts';
import { readProcess } from '../../src/executor/local/processes.ts';
import { challengeRule } from '../support/definitions.ts';
import { openWorkshop, specOf, until, type Workshop } from './workshop.ts';

const file = '.pipelines/steps.ts';
const source = `
import { appendFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { NonRetryableError, branch, challenge, pipeline, shortCircuit, step } from 'contender';
import { greeting } from './lib/words';
import { Mood } from './lib/mood.js';

export default pipeline('steps', {}, () => {
  step('hello', { input: { who: 'x' }, run: ({ who }, context) => { console.log(greeting, who); return { said: greeting + ' ' + who, mood: Mood.Good, step: context.step, date: context.date }; } });
  step('pid', { run: () => process.pid });
  step('throws', { run: () => { throw new RangeError('no rows\\nsecond line', { cause: new Error('the disk') }); } });
  step('refuses', { run: () => { throw new NonRetryableError('no such column'); } });
  step('rejects', { run: async () => { await Promise.reject(new Error('later')); } });
  step('escapes', { run: () => new Promise(() => { setTimeout(() => { throw new Error('nobody awaits me'); }, 1); }) });
  step('exits', { run: () => { process.exit(0); } });
  step('loops', { run: () => { for (;;); } });
  step('waits', { run: (input, context) => new Promise((resolve, reject) => { setInterval(() => {}, 1000); context.signal.addEventListener('abort', () => { console.log('saving: ' + context.signal.reason.message); reject(new Error('stopped')); }); console.log('ready'); }) });
  step('big', { run: () => ({ days: Array.from({ length: 20000 }, (_, day) => 'day ' + day) }) });
  step('fills', { input: { bytes: 0 }, run: ({ bytes }) => 'x'.repeat(bytes - 2) });
  step('leaves', { run: ({}, { scratch, attempt }) => { const found = readdirSync(scratch); writeFileSync(join(scratch, '.output.json'), '"of the try before"'); if (attempt === 1) throw new Error('it broke'); return { found }; } });
  step('keeping', { run: ({}, { checkpoint }) => ({ inode: statSync(checkpoint).ino, found: readdirSync(checkpoint), path: checkpoint, told: process.env['CONTENDER_CHECKPOINT'] }) });
  step('odd', { run: () => ({ n: 1n }) });
  step('nested', { run: () => JSON.parse('['.repeat(2200) + ']'.repeat(2200)) as null });
  step('keeps', { run: async (input, context) => { writeFileSync(join(context.scratch, 'model.bin'), 'model'); return { file: await context.artifact('model.bin'), bytes: await context.artifact(new TextEncoder().encode('raw') as never, 'raw.txt') }; } });
  step('reads', { input: { model: null }, run: async ({ model }) => (await import('node:fs')).readFileSync(model as unknown as string, 'utf8') });
  step('loses', { run: (input, context) => context.artifact('nowhere.bin') });
  step('secret', { run: () => { console.log('key ' + process.env['API_KEY']); return process.env['API_KEY'] ?? null; } });
  step('prints', { input: { n: 0 }, run: async ({ n }) => { process.stdout.write('out ' + n + '\\n'); process.stderr.write('err ' + n); await new Promise((done) => spawn('echo', ['child ' + n], { stdio: 'inherit' }).on('close', done)); } });
  step('litters', { run: () => { setInterval(() => console.log('leftover'), 5); return process.pid; } });
  step('orphans', { run: () => { const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }); child.unref(); return child.pid; } });
  branch('decides', { choices: ['hello', 'pid'], run: () => 'hello' });
  shortCircuit('stops', { run: () => false });
  shortCircuit('unsure', { run: () => 'maybe' as never });
});
`;

let workshop: Workshop;
before(async () => {
  workshop = await openWorkshop({
    [file]: source
      .replace(
        "branch('decides', { choices: ['hello', 'pid'], run",
        "const decides = branch('decides', { choices: ['yes', 'no'], run",
      )
      .replace(
        "run: () => 'hello' });",
        "run: () => 'yes' as const });\n  step('yes', { after: [decides], run: () => 1 }); step('no', { after: [decides], run: () => 1 });",
      ),
    '.pipelines/lib/words.ts': "export const greeting: string = 'hello';",
    '.pipelines/lib/mood.ts': "export enum Mood { Good = 'good' }",
    '.pipelines/broken.ts': 'export default {{{',
    '.pipelines/missing.ts': "import 'no-such-package'; export default 1;",
    '.pipelines/typed.ts': "import { PathLike } from 'node:fs'; let path: PathLike; export default 1;",
    '.pipelines/lost.ts': "import './nowhere'; export default 1;",
    '.pipelines/throws.ts': "throw new Error('at the top');",
    '.pipelines/connects.ts': [
      "import { existsSync } from 'node:fs';",
      "import { pipeline, step } from 'contender';",
      "if (!existsSync('is-up')) throw new Error('connect ECONNREFUSED');",
      "export default pipeline('connects', {}, () => { step('late', { run: () => 'it is up' }); });",
    ].join('\n'),
  });
});
after(() => workshop.close());

const work = (
  input: InputValue = {},
  kind: 'function' | 'branch' | 'short-circuit' = 'function',
  path = file,
): AttemptWork => ({ kind, file: path, input });
const as = (step: string, changes: Partial<AttemptSpec> = {}, given: AttemptWork = work()): AttemptSpec => {
  const spec = specOf(given, changes);
  return { ...spec, context: { ...spec.context, step } };
};
async function end(spec: AttemptSpec): Promise<AttemptOutcome> {
  await workshop.executor.start(spec);
  return (await workshop.finished(spec.attemptId)).outcome;
}
const run = (step: string, given?: AttemptWork, changes?: Partial<AttemptSpec>): Promise<AttemptOutcome> =>
  end(as(step, changes, given));
const inline = (outcome: AttemptOutcome): unknown => {
  assert.ok(outcome.kind === 'succeeded' && 'inline' in outcome.output, JSON.stringify(outcome));
  return outcome.output.inline;
};
const failure = (outcome: AttemptOutcome): string => {
  assert.ok(outcome.kind === 'failed', JSON.stringify(outcome));
  return `${outcome.cause}: ${outcome.message}`;
};

test('a function gets its input and its context, and what it returns is the output', async () => {
  const spec = as('hello', {}, work({ who: 'you' }));
  assert.deepEqual(inline(await end(spec)), { said: 'hello you', mood: 'good', step: 'hello', date: '2024-03-04' });
  assert.deepEqual(await workshop.log(spec.attemptId), ['hello you']);
});

test('one process serves one attempt after the other of a version, and another version has another', async () => {
  const first = inline(await run('pid'));
  assert.equal(inline(await run('pid')), first);
  assert.notEqual(inline(await run('pid', undefined, { sha: 'c'.repeat(40) })), first);
});

test('a file that threw while it loaded is loaded anew by the next try', async () => {
  const given = work({}, 'function', '.pipelines/connects.ts');
  assert.equal(failure(await run('late', given)), 'code: Error: connect ECONNREFUSED');
  await writeFile(join(workshop.sourceTree, 'is-up'), '');
  assert.equal(inline(await run('late', given)), 'it is up');
});

test('every line stands in the log of its attempt, those of children too', async () => {
  const specs = Array.from({ length: 6 }, (_, n) => as('prints', {}, work({ n })));
  await Promise.all(specs.map((spec) => end(spec)));
  for (const [n, spec] of specs.entries())
    assert.deepEqual((await workshop.log(spec.attemptId)).sort(), [`child ${n}`, `err ${n}`, `out ${n}`]);
});

test('what a function throws is its outcome, with the stack in the log', async () => {
  const spec = as('throws');
  assert.equal(failure(await end(spec)), 'code: RangeError: no rows');
  assert.equal(failure(await run('refuses')), 'non-retryable: NonRetryableError: no such column');
  const log = (await workshop.log(spec.attemptId)).join('\n');
  assert.match(log, /RangeError: no rows\nsecond line\n\s+at .*steps\.ts:\d+/);
  assert.match(log, /Caused by: Error: the disk/);
  assert.equal(failure(await run('rejects')), 'code: Error: later');
  assert.equal(failure(await run('escapes')), 'code: Error: nobody awaits me');
  assert.match(failure(await run('exits')), /^code: the process ended \(process\.exit\)/);
  assert.match(failure(await run('odd')), /^output: what the function returned is no JSON: .*BigInt/);
  assert.match(failure(await run('nested')), /^output: .* nested deeper than 256 levels/);
});

test('a function that never returns is ended when it is stopped', async () => {
  const spec = as('loops');
  await workshop.executor.start(spec);
  await workshop.running(spec.attemptId);
  await workshop.executor.stop(spec.attemptId, 'cancelled', 50);
  assert.match(failure((await workshop.finished(spec.attemptId)).outcome), /^cancelled/);
});

test('a function is warned by its signal before it is ended', async () => {
  const spec = as('waits');
  await workshop.executor.start(spec);
  await until('it listens', async () => (await workshop.log(spec.attemptId)).includes('ready'));
  await workshop.executor.stop(spec.attemptId, 'timeout', 60_000);
  assert.match(failure((await workshop.finished(spec.attemptId)).outcome), /^timeout/);
  assert.ok((await workshop.log(spec.attemptId)).includes('saving: the step is to end: timeout'));
});

test('a result of 48 KiB stands inline, and one with a byte more is stored', async () => {
  const fills = (bytes: number): Promise<AttemptOutcome> => run('fills', work({ bytes }));
  assert.equal(inline(await fills(48 * 1024)), 'x'.repeat(48 * 1024 - 2));
  const outcome = await fills(48 * 1024 + 1);
  assert.ok(outcome.kind === 'succeeded' && 'stored' in outcome.output, outcome.kind);
  assert.equal(outcome.output.stored.bytes, 48 * 1024 + 1);
});

test('of what a try that failed has left in its directory the next one finds nothing', async () => {
  const first = as('leaves');
  assert.equal(failure(await end(first)), 'code: Error: it broke');
  const context = { ...first.context, attempt: 2 };
  const next = { ...first, attemptId: first.attemptId.replace(/1$/, '2'), context };
  assert.deepEqual(inline(await end(next)), { found: [] });
});

test('a checkpoint that was left empty is the one of the next attempt, under the path of that', async () => {
  const first = as('keeping');
  const context = { ...first.context, index: 1 };
  const second = { ...first, attemptId: first.attemptId.replace(/0\/1$/, '1/1'), context };
  const [one, next] = [inline(await end(first)), inline(await end(second))] as { [name: string]: unknown }[];
  assert.deepEqual([one?.['found'], next?.['found'], next?.['told']], [[], [], next?.['path']]);
  assert.notEqual(one?.['path'], next?.['path']);
  assert.equal(one?.['inode'], next?.['inode']);
});

test('a large result is stored, with the lengths of what can be mapped over', async () => {
  const outcome = await run('big');
  assert.ok(outcome.kind === 'succeeded' && 'stored' in outcome.output);
  assert.deepEqual(outcome.output.lengths, { '': 1, days: 20_000 });
});

test('files and bytes become artifacts, and an artifact is a file for the next function', async () => {
  const kept = inline(await run('keeps')) as { [key: string]: { $artifact: string; name: string; bytes: number } };
  assert.deepEqual([kept['file']?.name, kept['file']?.bytes, kept['bytes']?.name], ['model.bin', 5, 'raw.txt']);
  assert.equal(
    inline(await run('reads', work({ model: { $artifact: '', name: '', bytes: 0, ...kept['file'] } }))),
    'model',
  );
  assert.match(failure(await run('loses')), /^code: Error: ENOENT/);
});

test('secrets are in the environment of the steps that name them, and of no other', async () => {
  workshop.secrets.set('API_KEY', 'correct-horse');
  const spec = as('secret', { secrets: ['API_KEY'] });
  assert.equal(inline(await end(spec)), '***');
  assert.deepEqual(await workshop.log(spec.attemptId), ['key ***', 'The output held a secret, which was masked.']);
  const without = as('secret');
  assert.equal(inline(await end(without)), null);
  assert.deepEqual(await workshop.log(without.attemptId), ['key undefined']);
  const [one, other] = [await run('pid', undefined, { secrets: ['API_KEY'] }), await run('pid')];
  assert.notEqual(inline(one), inline(other));
});

test('a process in which something was left behind serves no other attempt', async () => {
  const littered = inline(await run('litters'));
  assert.notEqual(inline(await run('pid')), littered);
});

test('a child that a function leaves running is ended after it', async () => {
  const spec = as('orphans');
  const child = Number(inline(await end(spec)));
  assert.ok(child > 1);
  await until('the child to end', () => readProcess(child) === null);
});

test('a branch and a short circuit say how the run goes on', async () => {
  assert.deepEqual(await run('decides', work({}, 'branch')), {
    kind: 'succeeded',
    output: { inline: { follow: ['yes'] } },
    control: { follow: ['yes'] },
  });
  assert.deepEqual(await run('stops', work({}, 'short-circuit')), {
    kind: 'succeeded',
    output: { inline: { pass: false } },
    control: { pass: false, reason: 'the function returned false' },
  });
  assert.match(
    failure(await run('unsure', work({}, 'short-circuit'))),
    /^output: a short circuit returns true or false/,
  );
});

test('what cannot be loaded is invalid and says why', async () => {
  const other = await openWorkshop({});
  await other.close();
  for (const [path, step, message] of [
    [file, 'nobody', /^invalid: \.pipelines\/steps\.ts has no function for the step "nobody"/],
    ['.pipelines/none.ts', 'hello', /^invalid: \.pipelines\/none\.ts cannot be loaded: .*none\.ts/],
    ['.pipelines/broken.ts', 'hello', /^invalid: \.pipelines\/broken\.ts cannot be loaded/],
    [
      '.pipelines/missing.ts',
      'hello',
      /^invalid: the package "no-such-package" that \.pipelines\/missing\.ts imports is not installed: .*`executor\.nodeModules`/,
    ],
    [
      '.pipelines/lost.ts',
      'hello',
      /^invalid: \.pipelines\/lost\.ts cannot be loaded: Cannot find module '\.?\/?.*nowhere'/,
    ],
    [
      '.pipelines/typed.ts',
      'hello',
      /^invalid: \.pipelines\/typed\.ts cannot be loaded: .*'PathLike'; for a type, write `import type`/,
    ],
    ['.pipelines/throws.ts', 'hello', /^code: Error: at the top/],
  ] as const) {
    assert.match(failure(await run(step, work({}, 'function', path))), message);
  }
});

test('packages come from the folder that the server was given', async () => {
  const packages = await openWorkshop();
  const nodeModules = join(packages.folder, 'node_modules');
  await mkdir(join(nodeModules, 'answers'), { recursive: true });
  await writeFile(
    join(nodeModules, 'answers', 'package.json'),
    '{"name":"answers","type":"module","exports":"./index.js"}',
  );
  await writeFile(join(nodeModules, 'answers', 'index.js'), 'export const answer = 42;');
  const text =
    "import { answer } from 'answers'; import { pipeline, step } from 'contender'; export default pipeline('p', {}, () => { step('ask', { run: () => answer }); });";
  const given = await openWorkshop({ 'p.ts': text }, nodeModules);
  const spec = as('ask', {}, work({}, 'function', 'p.ts'));
  await given.executor.start(spec);
  assert.equal(inline((await given.finished(spec.attemptId)).outcome), 42);
  await Promise.all([given.close(), packages.close()]);
});

test('a gate and a challenge run beside the server, too', async () => {
  await writeFile(join(workshop.sourceTree, 'data.csv'), 'id,label\n1,1\n2,0\n');
  const gate = await run('gate', { kind: 'gate', data: 'data.csv', checks: [{ check: 'rows', min: 3, max: null }] });
  assert.deepEqual(gate.kind === 'succeeded' && gate.control, {
    pass: false,
    reason: '2 rows, at least 3 is asked for',
  });
  const rows = Array.from({ length: 60 }, (_, row) => `${row % 2},${row % 2 === 1 ? 0.9 : 0.1}`);
  await writeFile(join(workshop.sourceTree, 'predictions.csv'), `label,challenger\n${rows.join('\n')}\n`);
  const model = await workshop.artifacts.putBytes(Buffer.from('model'), 'model.bin');
  const output = inline(
    await run('challenge', {
      kind: 'challenge',
      rule: challengeRule,
      challenger: { ...model },
      champion: null,
      score: null,
      predictions: 'predictions.csv',
    }),
  ) as { predictions: { $artifact: string }; challenger: unknown };
  assert.deepEqual(output.challenger, model);
  const evidence = await workshop.artifacts.getBytes(output.predictions.$artifact);
  assert.equal(
    Buffer.from(evidence ?? []).toString(),
    await readFile(join(workshop.sourceTree, 'predictions.csv'), 'utf8'),
  );
});

test('a champion whose bytes are gone is told with what to do, as no run gives them back', async () => {
  const model = await workshop.artifacts.putBytes(Buffer.from('model'), 'model.bin');
  const champion = { version: 3, artifact: { ...model, $artifact: 'c'.repeat(64) }, predictions: null };
  const given = { rule: challengeRule, challenger: { ...model }, score: null, predictions: 'predictions.csv' };
  assert.match(
    failure(await run('challenge', { kind: 'challenge', ...given, champion })),
    /^invalid: version 3 of .* is champion, .*: the artifact model\.bin .* `aliases\.champion` in models\/.*\.json of the branch/,
  );
});

test('a runner that somebody kills is lost, and the next attempt gets another', async () => {
  const spec = as('waits');
  await workshop.executor.start(spec);
  const running = await workshop.running(spec.attemptId);
  const pid = Number(/process (\d+) on/.exec(running.type === 'running' ? running.place : '')?.[1]);
  await until('the function to be at work', () => pid > 1);
  process.kill(pid, 'SIGKILL');
  assert.match(
    failure((await workshop.finished(spec.attemptId)).outcome),
    /^lost: somebody ended it from outside with SIGKILL/,
  );
  assert.equal(typeof inline(await run('pid')), 'number');
});
