import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { runWait } from '../../runner/wait.ts';
import type { AttemptWork, RunnerResult } from '../../src/executor/executor.ts';
import { attemptOnPaper } from './attempt.ts';

type Condition = Extract<AttemptWork, { kind: 'wait' }>['for'];

async function look(condition: Condition, files: { readonly [name: string]: string } = {}): Promise<RunnerResult> {
  const work = { kind: 'wait' as const, for: condition };
  using attempt = attemptOnPaper(work);
  for (const [name, text] of Object.entries(files)) attempt.file(name, text);
  return await runWait(work, attempt);
}

test('a file is there or not yet', async () => {
  assert.deepEqual(await look({ condition: 'file', path: 'ready' }), {
    kind: 'not-yet',
    reason: 'there is no ready yet',
  });
  assert.deepEqual(await look({ condition: 'file', path: 'ready' }, { ready: 'ok' }), {
    kind: 'succeeded',
    output: { inline: { path: 'ready', bytes: 2 } },
    control: null,
  });
  assert.match(
    JSON.stringify(await look({ condition: 'file', path: 's3://bucket/key' })),
    /invalid.*no path of a file/,
  );
});

test('an address answers as it should, otherwise, or not at all', async () => {
  let status = 503;
  const server = createServer((_, answer) => answer.writeHead(status).end('body'));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
  assert.deepEqual(await look({ condition: 'http', url, status: 200 }), {
    kind: 'not-yet',
    reason: 'it answered 503, and 200 is waited for',
  });
  status = 200;
  assert.deepEqual(await look({ condition: 'http', url, status: 200 }), {
    kind: 'succeeded',
    output: { inline: { url, status: 200 } },
    control: null,
  });
  await new Promise((resolve) => server.close(resolve));
  assert.match(
    JSON.stringify(await look({ condition: 'http', url, status: 200 })),
    /not-yet.*cannot be reached: .*ECONNREFUSED/,
  );
  assert.match(JSON.stringify(await look({ condition: 'http', url: 'file:///etc/passwd', status: 200 })), /invalid/);
});
