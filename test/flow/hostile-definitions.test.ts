/** Definitions that mean harm, pushed to a server that is at work: it stays, and its other pipelines run. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { openSqliteReader } from '../../src/journal/sqlite-reader.ts';
import { createProject, fromContender } from '../cli/sandbox.ts';

const onPush = (name: string): string =>
  `${fromContender}export default pipeline('${name}', { on: { push: true } }, () => {
  step('says', { command: ['echo', 'hello'] });
});
`;

const hostile = {
  '.pipelines/loops.ts': `for (;;);\n${onPush('loops')}`,
  '.pipelines/hoards.ts': `const all: unknown[] = [];\nfor (;;) all.push(new Array(1e5).fill(1));\n${onPush('hoards')}`,
  '.pipelines/swells.ts': onPush('swells').replace("'hello'", "'x'.repeat(100 * 1024 * 1024)"),
};

test('a server outlives definitions that loop, hoard memory and give 100 MB, and runs the pipeline beside them', async () => {
  const project = createProject({
    'contender.yaml': 'repositories: [{ url: ., poll: 100ms }]\n',
    '.pipelines/good.ts': onPush('good'),
  });
  try {
    const server = project.start(['serve', '--port', '0']);
    const [, url = ''] = await server.until(/ is at (http:\/\/127\.0\.0\.1:\d+), watching /);
    const journal = await openSqliteReader({ directory: join(project.folder, '.contender') });
    while ((await journal.heads('work')).size === 0) await setTimeout(20);
    await journal.close();
    const sha = project.commit(hostile).slice(0, 12);
    for (const [name, line] of [
      ['loops', 1],
      ['hoards', 2],
      ['swells', 3],
    ] as const)
      await server.until(new RegExp(`${name} error on ${sha}: \\.pipelines/${name}\\.ts:${line}: the definition`));
    await server.until(new RegExp(`good run 1 passed on ${sha}`));
    const health = await fetch(`${url}/healthz`);
    assert.deepEqual([health.status, Object(await health.json()).conductor.pid], [200, server.pid]);
  } finally {
    await project.remove();
  }
});
