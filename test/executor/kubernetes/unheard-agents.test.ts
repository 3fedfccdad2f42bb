/** Agents that do not get to their server: whose fault that is called, and what the log has of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { podPatience } from '../../../src/executor/kubernetes/pod-end.ts';
import { shell, specOf, until } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { openHarbour } from './harbour.ts';
import { createTime } from './server-time.ts';
import { tellOf } from './under-faults.ts';

/** Where agents are led instead of to their server. */
async function openElsewhere(status: number): Promise<{ port: number; asked: () => number; close: () => void }> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(status).end('no token of mine');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, asked: () => asked, close: () => void server.close() };
}

/** `body` is given an attempt that is placed, with the clock of the server to go on. */
async function ledElsewhere(
  status: number,
  body: (elsewhere: { readonly asked: () => number; readonly pass: (ms: number) => Promise<void> }) => Promise<void>,
): Promise<{ readonly said: string; readonly url: string; readonly log: readonly string[] }> {
  const elsewhere = await openElsewhere(status);
  const fake = await startClusterWithRunner();
  const settings = settingsFor(fake);
  const time = createTime(() => tellOf(fake));
  const listen = { ...settings.listen, behind: async () => elsewhere.port };
  const harbour = await openHarbour({ ...settings, ...time, listen });
  try {
    const spec = specOf(shell('echo begun'));
    await harbour.executor.start(spec);
    await body({ asked: elsewhere.asked, pass: time.pass });
    const { outcome } = await harbour.finished(spec.attemptId);
    const said = outcome.kind === 'failed' ? `${outcome.cause}: ${outcome.message}` : outcome.kind;
    return { said, url: harbour.agentUrl, log: await harbour.log(spec.attemptId) };
  } finally {
    await harbour.close();
    await fake.close();
    elsewhere.close();
  }
}

test('an agent that is led to another server is a start that failed, and the log has its last words', async () => {
  const { said, url, log } = await ledElsewhere(401, async () => undefined);
  assert.match(said, /^start: its agent ended with exit code 3 .*contender cluster check/);
  assert.ok(said.includes(`before the server at ${url} had let it begin`), said);
  assert.ok(log.includes('Its agent said last:'), log.join('\n'));
  assert.ok(log.includes('  It is given up: no token of mine'), log.join('\n'));
});

test('an agent that no server answers is told with the address when its time to start is over', async () => {
  const { said, url, log } = await ledElsewhere(503, async ({ asked, pass }) => {
    await until('its second question', () => asked() > 1);
    await pass(podPatience.startMs);
  });
  assert.match(said, /^start: its agent on \w+ has not reached the server .*contender cluster check/);
  assert.ok(said.includes(`at ${url} in 9`), said);
  assert.ok(
    log.some((line) => line.startsWith('  The server does not answer (503')),
    log.join('\n'),
  );
});
