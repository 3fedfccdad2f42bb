/** Requests of an agent while its server goes in the middle of an answer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLink, type Link } from '../../../src/executor/agent/link.ts';
import { unpack } from '../../../src/executor/agent/unpack.ts';

const cleanUps: (() => void)[] = [];
after(() => {
  for (const cleanUp of cleanUps) cleanUp();
});

interface Asked {
  readonly link: Link;
  readonly said: string[];
  readonly pauses: number[];
  requests: number;
}

async function asking(answer: (response: ServerResponse, request: number) => void): Promise<Asked> {
  const server = createServer((_request, response) => answer(response, (asked.requests += 1)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => server.close().closeAllConnections());
  const [said, pauses]: [string[], number[]] = [[], []];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const link = createLink({ url, token: 't', pause: async (ms) => pauses.push(ms), say: (text) => said.push(text) });
  const asked: Asked = { link, said, pauses, requests: 0 };
  return asked;
}

/** Sends a part of what it has announced, and goes. */
function breakOff(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': 1000 });
  response.write('{"part":', () => response.destroy());
}

test('an answer that is broken off is asked for again, and what reads it begins anew', async () => {
  const asked = await asking((response, request) => (request < 3 ? breakOff(response) : response.end('whole')));
  const reads: string[] = [];
  const taken = await asked.link.ask('GET', 'source', async (answer) => {
    reads.push('begun');
    const text = await answer.text();
    reads.push(text);
    return text;
  });
  assert.equal(taken, 'whole');
  assert.deepEqual(reads, ['begun', 'begun', 'begun', 'whole']);
  assert.deepEqual(asked.pauses, [250, 500]);
  assert.match(
    asked.said.join('\n'),
    /^The server does not answer \(it broke off its answer: .+\): it is asked again\.$/,
  );
});

test('JSON that is broken off is asked for again', async () => {
  const asked = await asking((response, request) => (request < 2 ? breakOff(response) : response.end('{"total":3}')));
  assert.deepEqual(await asked.link.json('POST', 'log', {}), { total: 3 });
});

test('of a server that stays away it is said again and again, so that whoever looks sees that the agent does not hang', async () => {
  const asked = await asking((response, request) => response.writeHead(request < 20 ? 503 : 200).end('{}'));
  await asked.link.json('POST', 'alive', {});
  assert.equal(
    asked.pauses.reduce((sum, ms) => sum + ms, 0),
    210_750,
  );
  assert.equal(asked.said.length, 5);
});

test('a server that breaks off every answer is given up', async () => {
  const asked = await asking(breakOff);
  await assert.rejects(
    asked.link.ask('GET', 'source', (answer) => answer.text()),
    /^Error: the server broke off its answer 20 times: /,
  );
  assert.equal(asked.requests, 20);
});

test('what the reader itself finds wrong is not asked for again', async () => {
  const asked = await asking((response) => response.end('bytes'));
  const read = async (answer: Response): Promise<never> => {
    await answer.text();
    throw new Error('no room on the disk');
  };
  await assert.rejects(asked.link.ask('GET', 'source', read), /^Error: no room on the disk$/);
  await assert.rejects(
    asked.link.ask('GET', 'source', async () => Promise.reject(new Error('not even begun'))),
    /^Error: not even begun$/,
  );
  assert.deepEqual([asked.requests, asked.pauses], [2, []]);
});

test('nothing there is null, and is not read', async () => {
  const asked = await asking((response) => response.writeHead(404).end());
  assert.equal(await asked.link.ask('GET', 'artifacts/0', () => assert.fail()), null);
});

test('what the reader finds wrong while the rest still comes is its own fault too', async () => {
  const asked = await asking((response) => response.end(Buffer.alloc(2048, 'x')));
  const folder = mkdtempSync(join(tmpdir(), 'unpacked-'));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  const reading = asked.link.ask('GET', 'checkpoint', async ({ body }) => body && unpack(body, folder));
  await assert.rejects(reading, /TAR|checksum|archive/i);
  assert.equal(asked.requests, 1);
});
