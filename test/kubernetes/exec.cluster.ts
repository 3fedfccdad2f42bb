/** Commands in containers that run, and what is sent to them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { receiveScript } from '../../src/executor/debug/scripts.ts';
import { execIn } from '../../src/executor/kubernetes/exec.ts';
import { makeNamespace, podOf, type Namespace } from './namespace.ts';
import { asGiven } from './settings.ts';

let namespace: Namespace;
before(async () => {
  namespace = await makeNamespace();
  await namespace.create(podOf('there', { command: ['sleep', '600'] }, { terminationGracePeriodSeconds: 1 }));
  await namespace.waitFor('pod/there', '{.status.phase}', 'Running');
});
after(() => namespace.remove());

async function said(script: string, input: AsyncIterable<Uint8Array> | null): Promise<readonly [number, string]> {
  let text = '';
  const listen = (): Writable =>
    new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
  const code = await execIn(asGiven, {
    namespace: namespace.name,
    pod: 'there',
    container: 'main',
    command: ['sh', '-c', script],
    signal: AbortSignal.timeout(120_000),
    streams: { kind: 'streams', input, output: listen(), errors: listen() },
  });
  return [code, text];
}

test('what is sent is received, however late it comes', async () => {
  const late = async function* (): AsyncGenerator<Uint8Array> {
    await pause(2000);
    yield Buffer.from('late, and ');
    await pause(200);
    yield Buffer.from('all there');
  };
  assert.deepEqual(await said(receiveScript('/tmp/late', 19), late()), [0, '']);
  assert.deepEqual(await said('cat /tmp/late; exit 3', null), [3, 'late, and all there']);
});
