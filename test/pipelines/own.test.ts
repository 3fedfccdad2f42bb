import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createRepository, openTestSystem } from '../support/test-system.ts';

const own = readdirSync('.pipelines').filter((name) => name.endsWith('.ts'));
const data = 'src/demo/repository/data/birdstrikes.csv';

test('our own pipelines run: the data of the demo is what its page describes', async () => {
  const repository = createRepository();
  try {
    const paths = [...own.map((name) => `.pipelines/${name}`), data, 'docs/data.md'];
    const sha = repository.commit('Ours', Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'utf8')])));
    const system = await openTestSystem(repository, { watch: false });
    try {
      await system.projects.get(system.repository)?.git.fetch();
      for (const name of own) {
        const pipeline = name.replace(/\.ts$/, '');
        const request = {
          repository: system.repository,
          pipeline,
          sha,
          actor: 'mona',
          logicalDate: null,
          parameters: {},
          key: name,
        };
        const started = await system.conductor.runManually(request);
        assert.ok(started.ok, JSON.stringify(started));
        const row = await system.untilRun(
          `the end of ${pipeline}`,
          (each) => each.id === started.value && each.finishedAt !== null,
        );
        assert.equal(row.state, 'success', row.reason ?? '');
      }
    } finally {
      await system.close();
    }
  } finally {
    repository.remove();
  }
});
