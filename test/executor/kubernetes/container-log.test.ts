import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, createApi, type Api } from '../../../src/executor/kubernetes/api.ts';
import { openContainerLog } from '../../../src/executor/kubernetes/container-log.ts';

/** Of a container that has ended, and of which nothing is kept; whatever is said or wrong fails, unless given. */
function logOf({
  stream,
  ...given
}: Pick<Api, 'stream'> & Partial<Parameters<typeof openContainerLog>[0]>): ReturnType<typeof openContainerLog> {
  return openContainerLog({
    api: { ...createApi(() => assert.fail('no cluster is asked')), stream },
    namespace: 'default',
    pod: 'p',
    container: 'main',
    kept: async () => ({ at: 0, count: 0 }),
    write: () => undefined,
    say: (text) => assert.fail(text),
    hasEnded: () => true,
    ended: () => Promise.resolve(),
    isGone: () => false,
    clock: Date,
    trouble: (error) => assert.fail(String(error)),
    closing: new AbortController().signal,
    ...given,
  });
}

test('the log of a container is read though what is kept of it could not be read at first', async () => {
  const lines: string[] = [];
  const troubles: string[] = [];
  const log = logOf({
    stream: async () => new Blob(['2026-01-05T10:00:00.000000000Z {"rows":3}\n']).stream(),
    kept: async () => {
      if (troubles.length === 0) throw new Error('EMFILE: too many open files');
      return { at: 0, count: 0 };
    },
    write: ({ text }) => void lines.push(text),
    trouble: (error) => void troubles.push(String(error)),
  });
  log.started();
  assert.deepEqual(await log.collect(), { lastLine: '{"rows":3}', mayHaveMore: false });
  assert.equal(await log.end(), true);
  assert.deepEqual([lines, troubles], [['{"rows":3}'], ['Error: EMFILE: too many open files']]);
});

for (const told of ['is waiting to start: PodInitializing', 'is terminated']) {
  test(`a container that never began (it ${told}) has no log, and nothing of it is missing`, async () => {
    const log = logOf({
      stream: () => Promise.reject(new ApiError(`container "main" in pod "p" ${told}`, 400, 'BadRequest', null)),
      write: ({ text }) => assert.fail(text),
      patienceMs: 50,
    });
    assert.deepEqual(await log.collect(), { lastLine: null, mayHaveMore: false });
    assert.equal(await log.end(), true);
  });
}

test('a node that does not know its pods yet does not end the log of a container, and one whose pod is gone does', async () => {
  const end = Promise.withResolvers<void>();
  let [hasEnded, isGone] = [false, false];
  const answers: (readonly string[] | number)[] = [500, 404, ['{"epoch":1}', '{"epoch":2}']];
  const log = logOf({
    async stream() {
      const answer = answers.shift() ?? 404;
      if (answers.length === 0) hasEnded = true;
      if (hasEnded) end.resolve();
      if (typeof answer === 'number') {
        isGone = hasEnded;
        throw new ApiError('pod "p" does not exist', answer, 'NotFound', 0.001);
      }
      return new Blob(answer.map((line, index) => `2026-01-05T10:00:0${index}.000000000Z ${line}\n`)).stream();
    },
    hasEnded: () => hasEnded,
    ended: () => end.promise,
    isGone: () => isGone,
  });
  assert.deepEqual(await log.collect(), { lastLine: '{"epoch":2}', mayHaveMore: false });
});

test('the one line of a container that had ended before its log was read may be written late', async () => {
  let now = 1000;
  const asked: number[] = [];
  const log = logOf({
    async stream() {
      const isWritten = asked.length > 1;
      asked.push(now);
      now += isWritten ? 1000 : 995;
      return new Blob(isWritten ? ['2026-01-05T10:00:00.000000000Z {"rows":3}\n'] : []).stream();
    },
    clock: { now: () => now },
  });
  assert.deepEqual(await log.collect(), { lastLine: '{"rows":3}', mayHaveMore: false });
  assert.deepEqual(asked, [1000, 1995, 2990, 3990]);
});
