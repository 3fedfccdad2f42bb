import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { attemptId } from '../../src/executor/executor.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';
import { chainPipeline, challengePipeline, modelPipeline, quickPipeline } from './pipelines.ts';

let repository: TestRepository;
let system: TestSystem | null = null;

beforeEach(() => {
  repository = createRepository();
});
afterEach(async () => {
  await system?.close();
  system = null;
  repository.remove();
});

test('a commit of a watched repository runs, and its outputs flow from step to step', async () => {
  repository.commit('Begin', { 'README.md': 'hello' });
  system = await openTestSystem(repository, { watch: true });
  const { journal, repository: name } = system;
  await system.until('the first look at the repository', async () =>
    (await journal.heads(name)).size > 0 ? true : null,
  );
  const sha = repository.commit('Add a chain', { '.pipelines/chain.ts': chainPipeline });
  const row = await system.untilRun('the run of the chain', (each) => each.finishedAt !== null);
  assert.equal(row.state, 'success', row.reason ?? '');
  assert.equal(row.opened.sha, sha);
  const run = await system.read(row.id);
  assert.deepEqual(run.steps.get('third')?.instances?.[0]?.output, { inline: { sum: 2 } });
});

test('a tag of a watched repository runs, whether or not one beside it leads to a commit', async () => {
  const sha = repository.commit('Begin', {
    '.pipelines/release.ts': quickPipeline('release', `{ push: { tags: ['v*'] } }`),
  });
  repository.git('tag', 'v1');
  system = await openTestSystem(repository, { watch: true });
  const { journal, repository: name } = system;
  const seen = (tag: string): Promise<string> =>
    (system as TestSystem).until(`the look at ${tag}`, () => journal.head(name, `refs/tags/${tag}`));
  await seen('v1');
  repository.git('tag', 'v2', repository.git('rev-parse', `${sha}:.gitignore`));
  repository.git('tag', '--annotate', '-m', 'The third', 'v3');
  await seen('v2');
  const row = await system.untilRun('the run of the tag', (each) => each.finishedAt !== null);
  assert.equal(row.opened.sha, sha);
  await seen('v3');
  const runs = await journal.runs({ limit: 10 });
  assert.deepEqual(
    runs.map(({ opened: { trigger } }) => (trigger.kind === 'push' ? trigger.branch : trigger.kind)),
    ['refs/tags/v3'],
  );
});

test('steps whose logs cannot be written go on, which their logs and the log of the server tell', async () => {
  const sha = repository.commit('Begin', {
    '.pipelines/loud.ts': `import { pipeline, step } from 'contender';
      export default pipeline('loud', {}, () => {
        for (const name of ['one', 'two']) step(name, { command: ['sh', '-c', 'echo a; echo b'] });
      });`,
  });
  system = await openTestSystem(repository, { watch: false });
  const { conductor, logs, repository: name, warnings } = system;
  // No folder can be made there, as on a disk that is full.
  const place = join(repository.folder, '.contender', 'logs');
  writeFileSync(place, '');
  const request = {
    repository: name,
    pipeline: 'loud',
    sha,
    actor: 'mona',
    logicalDate: null,
    parameters: {},
    key: 'a',
  };
  const started = await conductor.runManually(request);
  assert.ok(started.ok);
  const row = await system.untilRun('the run', (each) => each.finishedAt !== null);
  assert.equal(row.state, 'success', row.reason ?? '');
  const textsOf = async (step: string): Promise<readonly string[]> =>
    (await logs.read(attemptId(row.id, { step, index: 0, attempt: 1 }), 1, 10)).lines.map(({ text }) => text);
  for (const step of ['one', 'two'])
    assert.match(
      (await textsOf(step)).join('\n'),
      /^This log could not be written \(ENOTDIR: not a directory\): lines may be missing here\.$/,
    );
  assert.equal(warnings.filter((line) => line.startsWith('the log of a step cannot be written')).length, 1);
  rmSync(place);
  for (const step of ['one', 'two']) assert.equal((await textsOf(step)).length, 1);
  assert.equal(readdirSync(join(place, row.id)).length, 2, 'what is read once there is room is written');
});

test('what a repository held before it was watched does not run', async () => {
  repository.commit('Add a chain', { '.pipelines/chain.ts': chainPipeline });
  system = await openTestSystem(repository, { watch: true });
  const { journal, repository: name } = system;
  await system.until('the first look', async () => ((await journal.heads(name)).size > 0 ? true : null));
  assert.deepEqual(await journal.runs({ limit: 10 }), []);
});

test('the first model becomes champion, a better one replaces it, a worse one does not', async () => {
  repository.commit('Begin', { 'README.md': 'hello' });
  system = await openTestSystem(repository, { watch: true });
  const { journal, projects, repository: name } = system;
  const champion = async (): Promise<number | null> => {
    const found = await projects.get(name)?.registry.champion('churn');
    assert.ok(found?.ok === true);
    return found.value?.version ?? null;
  };
  const evaluation = (sha: string, state: string): Promise<{ reason: string | null; verdict: unknown }> =>
    (system as TestSystem).until(`the evaluation of ${sha} to be ${state}`, async () =>
      (await journal.evaluations({ sha, limit: 1 })).find((row) => row.state === state),
    );
  await system.until('the first look', async () => ((await journal.heads(name)).size > 0 ? true : null));

  const first = repository.commit('A first model', { '.pipelines/churn.ts': challengePipeline(0.9) });
  await evaluation(first, 'promoted');
  assert.equal(await champion(), 1);

  const better = repository.commit('A better model', { '.pipelines/churn.ts': challengePipeline(0.5) });
  await evaluation(better, 'promoted');
  assert.equal(await champion(), 2);

  const worse = repository.commit('A worse model', { '.pipelines/churn.ts': challengePipeline(0.8) });
  const refused = await evaluation(worse, 'refused');
  assert.match(refused.reason ?? '', /ROC AUC/);
  assert.equal(await champion(), 2);

  const note = await system.until('the note of the worse commit', async () => {
    try {
      return repository.git('notes', '--ref=contender', 'show', worse);
    } catch {
      return null;
    }
  });
  assert.match(note, /contender\/churn/);
});

test('a model whose deployment fails does not become champion, though it is good enough', async () => {
  const more = "step('deploy', { command: ['false'], after: train });";
  const sha = repository.commit('A model', {
    '.pipelines/churn.ts': modelPipeline({ name: 'churn', noise: 0.5, more }),
  });
  system = await openTestSystem(repository, { watch: false });
  const { conductor, journal, projects, repository: name, newId } = system;
  await projects.get(name)?.git.fetch();
  const request = { repository: name, pipeline: 'churn', sha, actor: 'mona', logicalDate: null, parameters: {} };
  assert.ok((await conductor.runManually({ ...request, key: newId() })).ok);
  const row = await system.untilRun('the end of the run', (each) => each.finishedAt !== null);
  assert.equal(row.state, 'failed');
  const [evaluation] = await journal.evaluations({ runId: row.id, limit: 2 });
  assert.equal(evaluation?.state, 'refused');
  assert.match(evaluation?.reason ?? '', /^the run failed: deploy/);
  assert.match(JSON.stringify(evaluation?.verdict), /"promotable":true/);
  const champion = await projects.get(name)?.registry.champion('churn');
  assert.ok(champion?.ok === true && champion.value === null);
});

test('a broken file is reported and does not stop the others', async () => {
  repository.commit('Begin', { 'README.md': 'hello' });
  system = await openTestSystem(repository, { watch: true });
  const { journal, repository: name, printed } = system;
  await system.until('the first look', async () => ((await journal.heads(name)).size > 0 ? true : null));
  repository.commit('One broken, one good', {
    '.pipelines/chain.ts': chainPipeline,
    '.pipelines/broken.ts':
      "import { pipeline } from 'contender';\nexport default pipeline('broken', {}, () => { nothing(); });\n",
  });
  const row = await system.untilRun('the good run', (each) => each.finishedAt !== null);
  assert.equal(row.state, 'success');
  await system.until('the report of the broken file', async () => printed.find((line) => line.includes('broken')));
});

test('the same request twice is one run', async () => {
  const sha = repository.commit('Add a chain', { '.pipelines/chain.ts': chainPipeline });
  system = await openTestSystem(repository, { watch: false });
  const { conductor, projects, repository: name } = system;
  await projects.get(name)?.git.fetch();
  const request = {
    repository: name,
    pipeline: 'chain',
    sha,
    actor: 'mona',
    logicalDate: null,
    parameters: {},
    key: 'once',
  };
  const first = await conductor.runManually(request);
  const second = await conductor.runManually(request);
  assert.deepEqual(first, second);
  await system.untilRun('its end', (each) => each.finishedAt !== null);
});
