/** A server that begins after a long time removes by itself what is too old, and what it removed hinders no run. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRepository, openTestSystem } from '../support/test-system.ts';

const training = `import { readFileSync } from 'node:fs';
import { pipeline, step } from 'contender';
export default pipeline('training', { on: { push: { branches: ['main'] } } }, () => {
  const train = step('train', {
    cache: true,
    run: async (_input, context) => {
      console.log('learns');
      return { model: await context.artifact(new TextEncoder().encode('weights'), 'model.txt') };
    },
  });
  step('test', { input: { model: train.model }, run: ({ model }) => readFileSync(model, 'utf8') });
});
`;

test('a server removes what became too old, of runs that have ended, and goes on', async () => {
  const repository = createRepository();
  try {
    const settings = 'retention: { logs: 30d, artifacts: 90d }\nrepositories: [{ url: ., poll: 100ms }]\n';
    writeFileSync(join(repository.folder, 'contender.yaml'), settings);
    repository.commit('Begin', { 'README.md': 'hello' });
    let system = await openTestSystem(repository, { watch: true });
    await system.until('the first look', async () =>
      (await system.journal.heads(system.repository)).size > 0 ? true : null,
    );
    repository.commit('Train', { '.pipelines/training.ts': training });
    const first = await system.untilRun('the run', ({ finishedAt }) => finishedAt !== null);
    assert.equal(first.state, 'success');
    const [sha256 = ''] =
      /[0-9a-f]{64}(?=","name":"model.txt")/.exec(JSON.stringify(await system.journal.events(first.id))) ?? [];
    assert.equal(await system.artifacts.has(sha256), true);
    const logs = join(repository.folder, '.contender', 'logs', first.id);
    assert.ok(existsSync(logs));
    await system.close();

    const later = 100 * 24 * 3_600_000;
    system = await openTestSystem(repository, { watch: true, clock: { now: () => Date.now() + later } });
    await system.until('log and artifact are gone', async () =>
      !existsSync(logs) && !(await system.artifacts.has(sha256)) ? true : null,
    );
    repository.commit('Say more', { 'README.md': 'hello again' });
    const second = await system.untilRun('another run', ({ id, finishedAt }) => id !== first.id && finishedAt !== null);
    assert.equal(second.state, 'success');
    assert.equal(await system.artifacts.has(sha256), true);
    await system.close();
  } finally {
    repository.remove();
  }
});
