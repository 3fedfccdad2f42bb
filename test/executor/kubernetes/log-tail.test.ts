/** The log of a container is read from a cluster that cuts streams, ends them early, and begins files anew. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ApiError, createApi, type Api } from '../../../src/executor/kubernetes/api.ts';
import { tailLog, type LogTail } from '../../../src/executor/kubernetes/log-tail.ts';
import { logLimits } from '../../../src/outputs/outputs.ts';
import type { FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import type { ApiRequest } from '../../support/kubernetes/requests.ts';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { until } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';

interface Given {
  readonly fake: FakeKubernetes;
  readonly pod: Pod;
  readonly tail: LogTail;
  /** Those of the container, and those of ours. */
  readonly lines: readonly string[];
  readonly said: readonly string[];
  readonly ended: () => void;
}

const isLog = ({ resource }: ApiRequest): boolean => resource === 'pods/log';

/** A pod of one container that runs this script, and a reader of its log. */
async function withLog(
  script: string,
  body: (given: Given) => Promise<void>,
  way: Way = directly,
  quietMs?: number,
): Promise<void> {
  const fake = await startClusterWithRunner();
  let tail: LogTail | null = null;
  try {
    const api = createApi(settingsFor(fake).loadConfig);
    const pod = await makePod(api, script);
    await until('its container', () => fake.pod('p').status.containerStatuses?.[0]?.started);
    const [lines, said]: [string[], string[]] = [[], []];
    const over = Promise.withResolvers<void>();
    let hasEnded = false;
    const ended = (): void => {
      hasEnded = true;
      over.resolve();
    };
    tail = tailLog({
      api: { ...api, stream: (...asked) => way(() => api.stream(...asked)) },
      namespace: 'default',
      pod: 'p',
      container: 'main',
      write: ({ text }) => void lines.push(text),
      say: (text) => void said.push(text),
      kept: { at: 0, count: 0 },
      hasEnded: () => hasEnded,
      ended: over.promise,
      isGone: () => false,
      clock: Date,
      trouble: () => undefined,
      closing: new AbortController().signal,
      lookMs: 20,
      ...(quietMs === undefined ? {} : { quietMs }),
    });
    await body({ fake, pod, tail, lines, said, ended });
  } finally {
    tail?.close();
    await fake.close();
  }
}

/** What stands between the cluster and the reader. */
type Way = (open: () => Promise<ReadableStream<Uint8Array>>) => Promise<ReadableStream<Uint8Array>>;

const directly: Way = (open) => open();

/** The first streams end after so many bytes, as if they were whole. */
function endingAfter(...bytes: number[]): Way {
  return async (open) => {
    const most = bytes.shift();
    return most === undefined ? open() : streamOf(beginningOf(await open(), most));
  };
}

function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done = false, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

async function* beginningOf(content: ReadableStream<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of content) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

async function makePod(api: Api, script: string): Promise<Pod> {
  const main = { name: 'main', image: 'busybox:local', command: ['sh', '-c', script] };
  const spec = { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers: [main] };
  return api.request('POST', '/api/v1/namespaces/default/pods', { body: { metadata: { name: 'p' }, spec } });
}

const untilSucceeded = (fake: FakeKubernetes): Promise<unknown> =>
  until('its end', () => fake.pod('p').status.phase === 'Succeeded');
const numbers = (count: number, prefix = ''): string[] =>
  Array.from({ length: count }, (_, index) => prefix + (index + 1));

/** The first streams, so many, break off in the midst of what they bring. */
function breakingOff(times: number): Way {
  let cuts = 0;
  return async (open) => {
    const content = await open();
    cuts += 1;
    return cuts > times ? content : streamOf(broken(content, 1 + ((cuts * 7919) % 25_000)));
  };
}

async function* broken(content: ReadableStream<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  yield* beginningOf(content, bytes);
  throw new ApiError('the connection broke', null, 'Unanswered', 0);
}

test('streams that break off a thousand times lose no line and bring none twice, of two streams in one', async () => {
  const script = 'for n in $(seq 1 1000); do echo $n; echo e$n >&2; [ $((n % 5)) = 0 ] && sleep 0.01; done';
  const body = async ({ fake, tail, lines, said, ended }: Given): Promise<void> => {
    await untilSucceeded(fake);
    ended();
    await tail.done;
    assert.ok(fake.requests.filter(isLog).length > 1000, `${fake.requests.filter(isLog).length} requests`);
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('e')),
      numbers(1000),
    );
    assert.deepEqual(
      lines.filter((line) => line.startsWith('e')),
      numbers(1000, 'e'),
    );
    assert.deepEqual(said, []);
  };
  await withLog(script, body, breakingOff(1000));
});

test('connections that are reset, and one that ends, lose no line either', async () => {
  const go = join(mkdtempSync(join(tmpdir(), 'log-tail-')), 'go');
  const script = `for n in 1 2 3 4; do echo $n; until [ -e ${go}$n ]; do sleep 0.02; done; done`;
  await withLog(script, async ({ fake, tail, lines, ended }) => {
    for (const n of [1, 2, 3, 4]) {
      await until('its line', () => lines.length === n);
      fake.cutStreams(n === 4 ? 'end' : 'reset', isLog);
      writeFileSync(`${go}${n}`, '');
    }
    await untilSucceeded(fake);
    ended();
    await tail.done;
    assert.deepEqual(lines, numbers(4));
  });
});

test('a stream that ends early as if it were whole is read on, though its container has ended', async () => {
  const body = async ({ fake, tail, lines, ended }: Given): Promise<void> => {
    await untilSucceeded(fake);
    ended();
    await tail.done;
    assert.deepEqual(lines, [...numbers(50_000), 'end']);
    assert.equal(tail.lastLine(), 'end');
  };
  await withLog('seq 1 50000; printf end', body, endingAfter(1, 100, 1000, 100_000, 200_000, 600_000));
});

test('a line of many megabytes is cut, says so, and is no output', async () => {
  await withLog('head -c 8000000 /dev/zero | tr "\\0" €; echo; echo short', async ({ fake, tail, lines, ended }) => {
    await untilSucceeded(fake);
    ended();
    await tail.done;
    const [long = '', short] = lines;
    assert.ok(long.endsWith(' … [cut]'));
    assert.ok(Buffer.byteLength(long) <= logLimits.lineBytesMax + 16, String(Buffer.byteLength(long)));
    assert.equal(short, 'short');
    assert.equal(tail.lastLine(), 'short');
  });
});

test('a stream that falls silent without an end is opened again, while its container runs and when it has ended', async () => {
  const go = join(mkdtempSync(join(tmpdir(), 'log-tail-')), 'go');
  const untilGo = (n: number): string => `until [ -e ${go}${n} ]; do sleep 0.02; done`;
  const script = `echo 1; ${untilGo(1)}; echo 2; ${untilGo(2)}; echo 3`;
  const body = async ({ fake, tail, lines, ended }: Given): Promise<void> => {
    for (const n of [1, 2]) {
      await until('its line', () => lines.length === n);
      fake.cutStreams('silence', isLog);
      writeFileSync(`${go}${n}`, '');
    }
    await untilSucceeded(fake);
    ended();
    await tail.done;
    assert.deepEqual(lines, numbers(3));
  };
  await withLog(script, body, directly, 300);
});

/** When its log is asked for, in seconds, of a container that prints nothing. */
async function requestsOfQuiet(t: TestContext, endsAt: number, until: number): Promise<readonly number[]> {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  let now = 0;
  const asked: number[] = [];
  const over = Promise.withResolvers<void>();
  const tail = tailLog({
    api: {
      ...createApi(() => assert.fail('no cluster is asked')),
      async stream(_path, _query, signal) {
        asked.push(now);
        const start = (controller: ReadableStreamDefaultController): void =>
          signal.addEventListener('abort', () => controller.error(signal.reason));
        return new ReadableStream({ start });
      },
    },
    namespace: 'default',
    pod: 'p',
    container: 'main',
    write: ({ text }) => assert.fail(text),
    say: (text) => assert.fail(text),
    kept: { at: 0, count: 0 },
    hasEnded: () => now >= endsAt,
    ended: over.promise,
    isGone: () => false,
    clock: Date,
    trouble: (error) => assert.fail(String(error)),
    closing: new AbortController().signal,
  });
  for (; now < until; now += 1) {
    if (now === endsAt) over.resolve();
    await new Promise(setImmediate);
    t.mock.timers.tick(1000);
  }
  tail.close();
  assert.equal(await tail.done, false);
  return asked;
}

test('a quiet container is asked for its log after ever longer times, and soon when it has ended', async (t) => {
  assert.deepEqual(await requestsOfQuiet(t, Infinity, 1000), [0, 30, 90, 210, 450, 690, 930]);
  t.mock.timers.reset();
  assert.deepEqual(await requestsOfQuiet(t, 100, 150), [0, 30, 90, 105, 115, 135]);
});

/** A script that prints more than any file may have, and goes on when it is told to. */
function inTwoParts(): { readonly script: string; readonly goOn: () => void } {
  const path = join(mkdtempSync(join(tmpdir(), 'log-tail-')), 'go');
  return {
    script: `seq 1 ${many}; while ! [ -e ${path} ]; do sleep 0.02; done; echo after`,
    goOn: () => writeFileSync(path, ''),
  };
}

const many = 400_000;

test('where the node begins the file anew, its reader goes over to it and says that lines may be missing', async () => {
  const { script, goOn } = inTwoParts();
  await withLog(script, async ({ fake, pod, tail, lines, said, ended }) => {
    await until('all of it', () => lines.length === many);
    fake.disturbances.rotateLog(pod, 'main');
    goOn();
    await untilSucceeded(fake);
    ended();
    await tail.done;
    assert.deepEqual(lines, [...numbers(many), 'after']);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /^Lines, or the beginning of one, may be missing here/);
  });
});

test('a reader that was behind when the file began anew, and stays at the end of the old one, is sent on', async () => {
  const { script, goOn } = inTwoParts();
  const written = Promise.withResolvers<() => void>();
  const body = async ({ fake, pod, lines, said }: Given): Promise<void> => {
    await until('all of it', async () => (await lastNumber(fake)) === many);
    written.resolve(() => fake.disturbances.rotateLog(pod, 'main'));
    await until('the end of the old file', () => lines.length === many);
    goOn();
    // It has not ended: only who looks at the file finds the line.
    await until('the line in the new file', () => lines.at(-1) === 'after');
    assert.deepEqual(lines, [...numbers(many), 'after']);
    assert.equal(said.length, 1);
  };
  let readers = 0;
  const rotated: Way = async (open) => {
    const rotate = await written.promise;
    const content = await open();
    // The first of it has been sent.
    if ((readers += 1) === 1) rotate();
    return content;
  };
  await withLog(`${script}; sleep 600`, body, rotated);
});

async function lastNumber(fake: FakeKubernetes): Promise<number> {
  const headers = { authorization: 'Bearer token-of-the-tests' };
  const answer = await fetch(`${fake.url}/api/v1/namespaces/default/pods/p/log?tailLines=1`, { headers });
  return Number(await answer.text());
}

test('a log that began anew while nobody read it has the gap told where it is', async () => {
  const { script, goOn } = inTwoParts();
  const body = async ({ fake, pod, tail, lines, said, ended }: Given): Promise<void> => {
    await until('all of it', () => lines.length === many);
    await fake.leave();
    fake.disturbances.rotateLog(pod, 'main');
    goOn();
    await untilSucceeded(fake);
    ended();
    await fake.comeBack();
    await tail.done;
    assert.deepEqual([lines.at(-1), said.length], ['after', 1]);
  };
  await withLog(script, body);
});
