import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi } from '../../../src/executor/kubernetes/api.ts';
import { openContainerLog } from '../../../src/executor/kubernetes/container-log.ts';

test('the log of a container is read though what is kept of it could not be read at first', async () => {
  const lines: string[] = [];
  const troubles: string[] = [];
  const log = openContainerLog({
    api: {
      ...createApi(() => assert.fail('no cluster is asked')),
      stream: async () => new Blob(['2026-01-05T10:00:00.000000000Z {"rows":3}\n']).stream(),
    },
    namespace: 'default',
    pod: 'p',
    container: 'main',
    kept: async () => {
      if (troubles.length === 0) throw new Error('EMFILE: too many open files');
      return { at: 0, count: 0 };
    },
    write: ({ text }) => void lines.push(text),
    say: (text) => assert.fail(text),
    hasEnded: () => true,
    ended: () => Promise.resolve(),
    trouble: (error) => void troubles.push(String(error)),
    closing: new AbortController().signal,
  });
  log.started();
  assert.deepEqual(await log.collect(), { lastLine: '{"rows":3}', mayHaveMore: false });
  assert.equal(await log.end(), true);
  assert.deepEqual([lines, troubles], [['{"rows":3}'], ['Error: EMFILE: too many open files']]);
});
