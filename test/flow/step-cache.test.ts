/** The step cache with real processes: what was made before is not made again, and a miss says why. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Run } from '../../src/engine/run.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';

let repository: TestRepository;
let system: TestSystem;
let asked = 0;

/** Each step that is carried out leaves a line in `<folder>/done`. `train` counts only `training/` as its code. */
const cached = (folder: string): string => `import { appendFileSync, readFileSync } from 'node:fs';
import { pipeline, step } from 'contender';

export default pipeline('cached', { parameters: { depth: 3, rows: 10 } }, ({ parameters }) => {
  const load = step('load', {
    cache: true,
    command: ['sh', '-c', 'echo load >> ${folder}/done; echo "{\\\\"rows\\\\": $ROWS}"'],
    env: { ROWS: parameters.rows },
    outputs: { rows: 'number' },
  });
  const train = step('train', {
    cache: { for: '1d', paths: ['training/**'] },
    input: { rows: load.rows, depth: parameters.depth },
    run: async ({ rows, depth }, context) => {
      appendFileSync('${folder}/done', 'train\\n');
      return { model: await context.artifact(new TextEncoder().encode('model of ' + rows + ', ' + depth), 'model.txt') };
    },
  });
  step('use', { input: { model: train.model }, run: ({ model }) => readFileSync(model, 'utf8') });
});
`;

let folder: string;

beforeEach(async () => {
  repository = createRepository();
  folder = join(repository.folder, '.contender-work');
  repository.commit('Begin', {
    '.gitignore': '.contender/\n.contender-work/done\n',
    '.contender-work/begun': '',
    'training/model.py': '1',
    '.pipelines/cached.ts': cached(folder),
  });
  system = await openTestSystem(repository, { watch: false });
});
afterEach(async () => {
  await system.close();
  repository.remove();
});

async function run(parameters: { readonly [name: string]: number } = {}): Promise<Run> {
  const { conductor, projects, repository: name } = system;
  const git = projects.get(name)?.git;
  await git?.fetch();
  const sha = await git?.resolve('HEAD');
  assert.ok(sha?.ok === true);
  asked += 1;
  const request = { repository: name, pipeline: 'cached', sha: sha.value, actor: 'mona', logicalDate: null };
  const started = await conductor.runManually({ ...request, parameters, key: String(asked) });
  assert.ok(started.ok, JSON.stringify(started));
  const { value } = started;
  const row = await system.untilRun('its end', (each) => each.id === value && each.finishedAt !== null);
  assert.equal(row.state, 'success', row.reason ?? '');
  return system.read(value);
}

function done(): string[] {
  const path = join(folder, 'done');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  rmSync(path, { force: true });
  return lines;
}

/** What was said of the cache of a step. */
function said(of: Run, step: string): string | null {
  const look = of.steps.get(step)?.instances?.[0]?.attempts[0]?.cache ?? null;
  return look === null ? null : look.found ? look.runId : look.why;
}

const used = (of: Run): unknown => of.steps.get('use')?.instances?.[0]?.output;

test('the same code and values are not worked on twice, and what changed is named', async () => {
  const first = await run();
  assert.deepEqual(
    [done(), said(first, 'load'), said(first, 'train')],
    [['load', 'train'], 'first time', 'first time'],
  );
  const { runId } = first.opened;
  const second = await run();
  assert.deepEqual([done(), said(second, 'load'), said(second, 'train')], [[], runId, runId]);
  assert.deepEqual(used(second), { inline: 'model of 10, 3' });
  assert.equal(said(second, 'use'), null, 'a step without a cache says nothing of one');

  const deeper = await run({ depth: 4 });
  assert.deepEqual([done(), said(deeper, 'load'), said(deeper, 'train')], [['train'], runId, 'input depth changed']);
  assert.deepEqual(used(deeper), { inline: 'model of 10, 4' });

  const more = await run({ rows: 20 });
  assert.deepEqual(done(), ['load', 'train']);
  assert.deepEqual(
    [said(more, 'load'), said(more, 'train')],
    ['env ROWS changed', 'input rows and input depth changed'],
  );
});

test('a commit elsewhere leaves a step alone that names its files, and one of them does not', async () => {
  const first = await run();
  done();
  repository.commit('Words', { 'README.md': 'hello' });
  const words = await run();
  assert.deepEqual([done(), said(words, 'load'), said(words, 'train')], [['load'], 'code changed', first.opened.runId]);
  repository.commit('Train otherwise', { 'training/model.py': '2' });
  assert.equal(said(await run(), 'train'), 'code changed');
});
