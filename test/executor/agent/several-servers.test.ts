/** Two servers behind one address, as a service of Kubernetes has them: it chooses one for each connection, and knows no more. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { createLink } from '../../../src/executor/agent/link.ts';
import { createAgentServer } from '../../../src/server/agent-server.ts';
import { command, specOf } from '../workshop.ts';
import { openBureau } from './bureau.ts';

interface Service {
  readonly url: string;
  /** Of each connection, which server has it. */
  readonly given: number[];
  close(): void;
}

/** Gives connections to the servers in turn. */
async function openService(urls: readonly string[]): Promise<Service> {
  const given: number[] = [];
  const sockets = new Set<Socket>();
  const service = createServer((from) => {
    const turn = given.length % urls.length;
    given.push(turn);
    const to = connect(Number(new URL(urls[turn] ?? '').port), '127.0.0.1');
    for (const socket of [from, to]) sockets.add(socket.on('error', () => undefined));
    from.pipe(to).pipe(from);
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  return {
    url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
    given,
    close() {
      service.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test('an agent that a service leads to a server which stands by comes to the one that conducts', async () => {
  const bureau = await openBureau();
  const standby = createAgentServer({ desk: () => null, log: { error: () => undefined } });
  const service = await openService([await standby.listen({ host: '127.0.0.1', port: 0 }), bureau.url]);
  try {
    const token = bureau.open({ type: 'attempt', spec: specOf(command('true')) });
    const said: string[] = [];
    const link = createLink({
      url: service.url,
      token,
      say: (text) => void said.push(text),
      // Until the connection is free to be used again.
      pause: () => moment(50),
      patienceMs: 60_000,
    });
    const begun = await link.json<object>('POST', 'begin', {
      agent: randomBytes(32).toString('base64url'),
      place: null,
    });
    assert.ok('token' in begun);
    assert.match(said.join('\n'), /503/);
    assert.deepEqual(service.given, [0, 1]);
  } finally {
    service.close();
    await standby.close();
    await bureau.close();
  }
});
