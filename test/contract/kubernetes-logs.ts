/** The logs of containers. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Log, type LogOptions } from '@kubernetes/client-node';
import {
  busybox,
  create,
  isOver,
  podOf,
  podWith,
  refusalOf,
  statusOf,
  untilAsked,
  untilPod,
  type Given,
  type Use,
} from './kubernetes-suite.ts';

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z$/;

async function logOf({ config, namespace }: Given, name: string, options: LogOptions = {}): Promise<string> {
  const stream = new PassThrough();
  await new Log(config).log(namespace, name, 'main', stream, options);
  return text(stream);
}

const untilOver = async (given: Given, name: string): Promise<void> => {
  const { status } = await untilPod(given, name, isOver);
  assert.equal(status?.phase, 'Succeeded', JSON.stringify(status));
};

/** What a failure says of a long line is how long it was. */
const counted = (log: string): string => log.replaceAll(/x{2,}/g, (many) => `x*${many.length}`);

const refusal = async (asked: Promise<unknown>): Promise<string> => {
  const { code, status } = await refusalOf(asked);
  const message = typeof status === 'object' && status !== null && 'message' in status ? String(status.message) : '';
  return `${code} ${message}`;
};

export function logs(use: Use): void {
  use('a log is read whole, in part, and with times', async (given) => {
    await create(given, podOf('lines', { command: ['sh', '-c', "printf 'a\\nb\\nc\\nlast'"] }));
    await untilOver(given, 'lines');
    assert.equal(await logOf(given, 'lines'), 'a\nb\nc\nlast');
    assert.equal(await logOf(given, 'lines', { tailLines: 2 }), 'c\nlast');
    assert.equal(await logOf(given, 'lines', { limitBytes: 5 }), 'a\nb\nc');
    const timed = await logOf(given, 'lines', { timestamps: true });
    const times = timed.split('\n').map((line) => line.split(' ')[0] ?? '');
    for (const one of times) assert.match(one, time);
    assert.deepEqual(times, times.toSorted());
    assert.deepEqual(
      timed.split('\n').map((line) => line.split(' ')[1]),
      ['a', 'b', 'c', 'last'],
    );
    assert.equal(await logOf(given, 'lines', { timestamps: true, tailLines: 1 }), timed.split('\n')[3]);
    // Exact to the second alone: what was written in the same one comes again.
    const second = times[3]?.slice(0, 19) ?? '';
    const again = timed.split('\n').filter((line) => line.slice(0, 19) >= second);
    assert.equal(await logOf(given, 'lines', { timestamps: true, sinceTime: times[3] ?? '' }), again.join('\n'));
    const later = new Date(Date.parse(times[3] ?? '') + 2000).toISOString();
    assert.equal(await logOf(given, 'lines', { sinceTime: later }), '');
  });

  use('a log has the bytes as they were, but for the return before the end of a line', async (given) => {
    await create(given, podOf('bytes', { command: ['sh', '-c', "printf '\\377\\000\\r\\n\\ra\\n \\303\\274\\n'"] }));
    await untilOver(given, 'bytes');
    const { config, namespace } = given;
    const stream = new PassThrough();
    const chunks: Buffer[] = [];
    await new Log(config).log(namespace, 'bytes', 'main', stream, {});
    for await (const chunk of stream) chunks.push(Buffer.from(chunk));
    assert.equal(Buffer.concat(chunks).toString('hex'), 'ff000a0d610a20c3bc0a');
  });

  use('a line that is long stays one line, with one time', async (given) => {
    await create(
      given,
      podOf('long', { command: ['sh', '-c', 'head -c 100000 /dev/zero | tr "\\0" x; echo; echo next'] }),
    );
    await untilOver(given, 'long');
    assert.equal(counted(await logOf(given, 'long')), 'x*100000\nnext\n');
    const timed = counted(await logOf(given, 'long', { timestamps: true }));
    const words = timed.split('\n').map((line) => line.split(' '));
    for (const [at = ''] of words.slice(0, 2)) assert.match(at, time);
    assert.deepEqual(
      words.map((line) => line.slice(1)),
      [['x*100000'], ['next'], []],
    );
  });

  use('a log that is followed comes as it is written, and ends with its container', async (given) => {
    const { api, namespace, config } = given;
    await create(given, podOf('followed', { command: untilAsked('echo bye; exit 0') }));
    await untilPod(given, 'followed', ({ status }) => status?.phase === 'Running');
    const stream = new PassThrough();
    await new Log(config).log(namespace, 'followed', 'main', stream, { follow: true });
    const rest: string[] = [];
    for await (const chunk of stream) {
      const isFirst = rest.push(String(chunk)) === 1;
      if (isFirst) await api.deleteNamespacedPod({ namespace, name: 'followed' });
    }
    assert.equal(rest.join(''), 'ready\nbye\n');
  });

  use('before a container has begun there is no log, and why is told', async (given) => {
    const { api, namespace } = given;
    await create(given, podOf('imageless-log', { image: 'nothing-of-the-kind:local' }));
    await untilPod(given, 'imageless-log', (pod) => statusOf(pod)?.state?.waiting?.reason === 'ErrImageNeverPull');
    const told = 'container "main" in pod "imageless-log" is waiting to start: ErrImageNeverPull';
    assert.equal(await refusal(api.readNamespacedPodLog({ namespace, name: 'imageless-log' })), `400 ${told}`);
    const initContainers = [busybox({ name: 'init', command: ['sleep', '1000'] })];
    const more = { initContainers, terminationGracePeriodSeconds: 1 };
    await create(given, podOf('initializing', { command: ['true'] }, more));
    await untilPod(given, 'initializing', (pod) => statusOf(pod, 'init')?.state?.running !== undefined);
    const waiting = 'container "main" in pod "initializing" is waiting to start: PodInitializing';
    const asked = api.readNamespacedPodLog({ namespace, name: 'initializing', container: 'main' });
    assert.equal(await refusal(asked), `400 ${waiting}`);
    for (const name of ['imageless-log', 'initializing']) await api.deleteNamespacedPod({ namespace, name });
  });

  use('a log is of one container, which is to be named where there are several', async (given) => {
    const { api, namespace } = given;
    const name = 'two-logs';
    await create(
      given,
      podWith(name, [
        { name: 'a', command: ['echo', 'of a'] },
        { name: 'b', command: ['echo', 'of b'] },
      ]),
    );
    await untilOver(given, name);
    assert.equal(await api.readNamespacedPodLog({ namespace, name, container: 'b' }), 'of b\n');
    const choice = 'a container name must be specified for pod two-logs, choose one of: [a b]';
    assert.equal(await refusal(api.readNamespacedPodLog({ namespace, name })), `400 ${choice}`);
    const wrong = await refusal(api.readNamespacedPodLog({ namespace, name, container: 'c' }));
    assert.equal(wrong, '400 container c is not valid for pod two-logs');
  });

  use('options of a log that cannot be are refused', async (given) => {
    const { api, namespace } = given;
    await create(given, podOf('optional', { command: ['true'] }));
    await untilOver(given, 'optional');
    const name = 'optional';
    assert.equal(
      await refusal(api.readNamespacedPodLog({ namespace, name, tailLines: -1 })),
      '422 PodLogOptions "optional" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    );
    assert.equal(
      await refusal(api.readNamespacedPodLog({ namespace, name, limitBytes: 0 })),
      '422 PodLogOptions "optional" is invalid: limitBytes: Invalid value: 0: must be greater than 0',
    );
    assert.equal(
      await refusal(api.readNamespacedPodLog({ namespace, name, previous: true })),
      '400 previous terminated container "main" in pod "optional" not found',
    );
  });
}
