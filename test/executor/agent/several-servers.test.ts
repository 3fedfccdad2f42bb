/** Two servers behind one address, as a service of Kubernetes has them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import type { AgentResult, Begun } from '../../../src/executor/agent/contract.ts';
import { createLink, type Link } from '../../../src/executor/agent/link.ts';
import type { Desk } from '../../../src/executor/desk/desk.ts';
import { createAgentServer } from '../../../src/server/agent-server.ts';
import { openService } from '../../support/service.ts';
import { command, specOf } from '../workshop.ts';
import { openBureau, type Bureau } from './bureau.ts';

interface Given {
  readonly bureau: Bureau;
  /** Which its agent is started with. */
  readonly token: string;
  readonly link: Link;
  /** What the agent said of its requests. */
  readonly said: readonly string[];
  /** Of each connection, whether it led to the first server. */
  readonly given: () => readonly boolean[];
}

/** The address leads to a server with this desk first, and then to the one of the bureau. */
async function behindOneAddress(
  deskOf: (bureau: Bureau) => Desk | null,
  body: (given: Given) => Promise<void>,
): Promise<void> {
  const bureau = await openBureau();
  const first = createAgentServer({ desk: () => deskOf(bureau), log: { error: () => undefined } });
  const ports = [await first.listen({ host: '127.0.0.1', port: 0 }), bureau.url].map((url) =>
    Number(new URL(url).port),
  );
  const service = await openService(ports);
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
  try {
    await body({ bureau, token, link, said, given: () => service.given.map((port) => port === ports[0]) });
  } finally {
    link.close();
    service.close();
    await first.close();
    await bureau.close();
  }
}

const begin = (link: Link): Promise<Begun> =>
  link.json('POST', 'begin', { agent: randomBytes(32).toString('base64url'), place: null });

test('an agent that a service leads to a server which stands by comes to the one that conducts', async () => {
  await behindOneAddress(
    () => null,
    async ({ link, said, given }) => {
      assert.ok('token' in (await begin(link)));
      assert.match(said.join('\n'), /503/);
      assert.deepEqual(given(), [true, false]);
    },
  );
});

test('what a server takes while its lease runs out is told to the next one too', async () => {
  await behindOneAddress(
    (bureau) => (bureau.results.length === 0 ? bureau.desk() : null),
    async ({ bureau, token, link, said, given }) => {
      link.use((await begin(bureau.link(token))).token);
      const result: AgentResult = { type: 'attempt', outcome: { kind: 'skipped', reason: 'nothing new' }, usage: null };
      await link.json('POST', 'result', result);
      assert.deepEqual(bureau.results, [result]);
      assert.match(said.join('\n'), /503/);
      assert.deepEqual(given(), [true, false]);
    },
  );
});
