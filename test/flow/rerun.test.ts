/** A run once more with real processes: what was expensive is there already, and nobody pays for it twice. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { RerunSteps } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import { statesOf } from '../support/drive.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';

let repository: TestRepository;
let system: TestSystem;

/**
 * Each expensive step leaves a line in `<folder>/done`. `publish` fails until there is `<folder>/mended`; a branch has
 * chosen it, an artifact and the outputs of three instances reach it.
 */
const costly = (folder: string): string => `import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { branch, map, pipeline, step } from 'contender';

const done = (what) => appendFileSync('${folder}/done', what + '\\n');

export default pipeline('costly', { on: {} }, () => {
  const train = step('train', {
    run: async (_input, context) => {
      done('train');
      return { model: await context.artifact(new TextEncoder().encode('a model'), 'model.txt') };
    },
  });
  const score = map({ fold: [1, 2, 3] }, ({ fold }) =>
    step('score', {
      after: [train],
      input: { fold },
      run: ({ fold }) => {
        done('score ' + fold);
        return { fold };
      },
    }),
  );
  const choose = branch('choose', { after: [score], choices: ['publish', 'discard'], run: () => {
    done('choose');
    return 'publish';
  } });
  step('publish', {
    after: [choose],
    input: { model: train.model, scores: score },
    run: ({ model, scores }) => {
      if (!existsSync('${folder}/mended')) throw new Error('the shop is closed');
      return { text: readFileSync(model, 'utf8'), folds: scores.map(({ fold }) => fold) };
    },
  });
  step('discard', { after: [choose], run: () => done('discard') });
  step('tidy', { finally: true, run: () => done('tidy') });
});
`;

let folder: string;

beforeEach(async () => {
  repository = createRepository();
  folder = join(repository.folder, '.contender-work');
  repository.commit('Begin', { '.contender-work/begun': '' });
  repository.commit('Add it', { '.pipelines/costly.ts': costly(folder) });
  system = await openTestSystem(repository, { watch: false });
});
afterEach(async () => {
  await system.close();
  repository.remove();
});

const done = (): string[] => {
  const path = join(folder, 'done');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  rmSync(path, { force: true });
  return lines.toSorted();
};

async function ended(started: {
  readonly ok: boolean;
  readonly value?: string;
  readonly error?: unknown;
}): Promise<Run> {
  assert.ok(started.ok && started.value !== undefined, JSON.stringify(started.error));
  const { value } = started;
  await system.untilRun('its end', (row) => row.id === value && row.finishedAt !== null);
  return system.read(value);
}

async function first(): Promise<Run> {
  const { conductor, projects, repository: name } = system;
  const git = projects.get(name)?.git;
  await git?.fetch();
  const sha = await git?.resolve('HEAD');
  assert.ok(sha?.ok === true);
  const request = { repository: name, pipeline: 'costly', sha: sha.value, actor: 'mona', logicalDate: null };
  return ended(await conductor.runManually({ ...request, parameters: {}, key: 'first' }));
}

function again({ opened: { runId } }: Run, steps: RerunSteps): ReturnType<TestSystem['conductor']['rerun']> {
  return system.conductor.rerun({ runId, steps, atHead: false, actor: 'mona', key: JSON.stringify([runId, steps]) });
}

test('from the failed step, the models, lists and choices of the first run are used, and nothing is made twice', async () => {
  const failed = await first();
  assert.equal(failed.state, 'failed');
  assert.deepEqual(done(), ['choose', 'score 1', 'score 2', 'score 3', 'tidy', 'train']);

  writeFileSync(join(folder, 'mended'), '');
  const second = await ended(await again(failed, 'failed'));
  assert.deepEqual(statesOf(second), {
    train: 'success',
    score: ['success', 'success', 'success'],
    choose: 'success',
    publish: 'success',
    discard: 'skipped',
    tidy: 'success',
  });
  assert.deepEqual(done(), ['tidy'], 'what comes last comes last again');
  assert.deepEqual(second.steps.get('publish')?.instances?.[0]?.output, {
    inline: { text: 'a model', folds: [1, 2, 3] },
  });

  const third = await ended(await again(second, { from: 'choose' }));
  assert.equal(third.state, 'success');
  assert.deepEqual(done(), ['choose', 'tidy']);
  assert.equal(third.steps.get('train')?.reusedFrom, failed.opened.runId);
});

test('an artifact that was lost is not reused', async () => {
  const failed = await first();
  const output = failed.steps.get('train')?.instances?.[0]?.output;
  const [sha256 = ''] = /[0-9a-f]{64}/.exec(JSON.stringify(output)) ?? [];
  rmSync(join(repository.folder, '.contender', 'artifacts'), { recursive: true, force: true });
  assert.equal(await system.artifacts.has(sha256), false);
  const refused = await again(failed, 'failed');
  assert.deepEqual(refused, {
    ok: false,
    error: 'the step "train" cannot be reused: model.txt is no longer stored. Begin at that step, or run all',
  });
});
