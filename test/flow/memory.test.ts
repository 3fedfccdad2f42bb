/** Memory with real processes: what runs out of it is given more, and what has the limit is given up. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Instance, Run } from '../../src/engine/run.ts';
import { contextOf } from '../../src/engine/engine.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';

const mib = 1024 ** 2;

/** Whoever has not enough holds what it has until it is ended: nothing here is a matter of time. */
const growing = `import { pipeline, step } from 'contender';

const take = "const held = Buffer.alloc(300 * 2 ** 20, 1); " +
  "if (Number(process.env.CONTENDER_MEMORY_BYTES) < 400 * 2 ** 20) setInterval(() => held, 1000); else console.log(held.length);";

export default pipeline('growing', { retries: 5, retryDelay: '0s' }, () => {
  step('command', { command: ['node', '-e', take], memory: '150Mi', memoryGrowth: { factor: 4, limit: '1Gi' } });
  step('function', {
    memory: '256Mi',
    memoryGrowth: { limit: '768Mi' },
    run: (input, { memoryBytes }) => {
      const held = Buffer.alloc(300 * 2 ** 20, 1);
      return (memoryBytes ?? 0) >= 512 * 2 ** 20 ? held.length : new Promise(() => setInterval(() => held, 1000));
    },
  });
  step('never', { command: ['node', '-e', take], memory: '100Mi', memoryGrowth: { limit: '150Mi' } });
});
`;

let repository: TestRepository;
let system: TestSystem;
let run: Run;

before(async () => {
  repository = createRepository();
  repository.commit('Begin', { '.gitignore': '.contender/\n', '.pipelines/growing.ts': growing });
  system = await openTestSystem(repository, { watch: false });
  const git = system.projects.get(system.repository)?.git;
  await git?.fetch();
  const sha = await git?.resolve('HEAD');
  assert.ok(sha?.ok === true);
  const of = { repository: system.repository, pipeline: 'growing', sha: sha.value, actor: 'mona', logicalDate: null };
  const started = await system.conductor.runManually({ ...of, parameters: {}, key: 'only' });
  assert.ok(started.ok, JSON.stringify(started));
  const { value } = started;
  await system.untilRun('its end', (each) => each.id === value && each.finishedAt !== null);
  run = await system.read(value);
});
after(async () => {
  await system.close();
  repository.remove();
});

function instanceOf(step: string): Instance {
  return run.steps.get(step)?.instances?.[0] ?? assert.fail(`${step} has not begun`);
}

/** How each attempt ended, and how many MiB it might take. */
function attemptsOf(step: string): readonly string[] {
  return instanceOf(step).attempts.map(({ number, outcome }) => {
    const end = outcome?.kind === 'failed' ? outcome.cause : outcome?.kind;
    return `${end} ${(contextOf(run, { step, index: 0, attempt: number }).memoryBytes ?? 0) / mib}`;
  });
}

test('a command that runs out of memory succeeds with more', () => {
  assert.deepEqual(attemptsOf('command'), ['out-of-memory 150', 'succeeded 600']);
  assert.deepEqual(instanceOf('command').output, { inline: 300 * mib });
});

test('so does a function', () => {
  assert.deepEqual(attemptsOf('function'), ['out-of-memory 256', 'succeeded 512']);
  assert.deepEqual(instanceOf('function').output, { inline: 300 * mib });
});

test('what has the limit and runs out of it is given up, with retries left', () => {
  assert.deepEqual(attemptsOf('never'), ['out-of-memory 100', 'out-of-memory 150']);
  assert.match(
    instanceOf('never').reason ?? '',
    /^it took \d+ MiB of memory, and may take 150 MiB: .*; its memory may not grow beyond 150 MiB$/,
  );
});
