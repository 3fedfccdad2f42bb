/** Looks at addresses: what is there, and where a look may not go. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { lookAtAddress } from '../../src/sensors/http.ts';
import { demandReach, isInternal } from '../../src/sensors/reach.ts';
import type { Reach, Sight } from '../../src/sensors/sensors.ts';

interface Served {
  readonly url: string;
  readonly connections: () => number;
  close(): Promise<void>;
}

async function serve(listener: RequestListener): Promise<Served> {
  const server = createServer(listener);
  let connections = 0;
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function look(url: string, status = 200, reach: Reach = 'internal'): Promise<Sight> {
  return lookAtAddress({ kind: 'http', url, status, reach });
}

test('an address answers as it should, otherwise, or not at all', async () => {
  let status = 503;
  const server = await serve((_, answer) => answer.writeHead(status).end('body'));
  const url = `${server.url}/health`;
  assert.deepEqual(await look(url), { kind: 'not-yet', reason: 'it answered 503, and 200 is waited for' });
  status = 200;
  assert.deepEqual(await look(url), { kind: 'seen', output: { url, status: 200 } });
  await server.close();
  assert.match(JSON.stringify(await look(url)), /not-yet.*cannot be reached: .*ECONNREFUSED/);
});

test('an answer without end is not read', async () => {
  const server = await serve((_, answer) => {
    answer.writeHead(200);
    const write = (): void => {
      if (!answer.destroyed) answer.write(Buffer.alloc(64 * 1024), write);
    };
    write();
  });
  assert.equal((await look(server.url)).kind, 'seen');
  await server.close();
});

test('a redirect is followed three times, and one that is waited for is not', async () => {
  let asked = 0;
  const server = await serve((request, answer) => {
    asked += 1;
    const left = Number(request.url?.slice(1));
    if (left === 0) answer.writeHead(200).end();
    else answer.writeHead(302, { location: `/${left - 1}` }).end();
  });
  assert.equal((await look(`${server.url}/3`)).kind, 'seen');
  assert.deepEqual(await look(`${server.url}/4`), {
    kind: 'not-yet',
    reason: 'it answered 302, and 200 is waited for',
  });
  asked = 0;
  assert.equal((await look(`${server.url}/3`, 302)).kind, 'seen');
  assert.equal(asked, 1);
  await server.close();
});

test('where clouds keep their credentials is never looked at, however it is written', async () => {
  const hosts = ['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '[::ffff:169.254.169.254]'];
  for (const host of [...hosts, '0.0.0.0', '[fd00:ec2::254]', '[fe80::1]', '224.0.0.1'])
    assert.match(JSON.stringify(await look(`http://${host}/latest/`)), /impossible.*never looked at/, host);
});

test('code that is not trusted is led nowhere inside of the network', async () => {
  let asked = 0;
  const server = await serve((_, answer) => {
    asked += 1;
    answer.end();
  });
  const { port } = new URL(server.url);
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '127.1'])
    assert.match(
      JSON.stringify(await look(`http://${host}:${port}/`, 200, 'public')),
      /impossible.*(?:inside of the network|never looked at)/,
      host,
    );
  assert.equal(asked, 0);
  await server.close();
});

test('an address leads from this network to nowhere that it must not', async () => {
  const server = await serve((_, answer) => answer.writeHead(302, { location: 'http://169.254.169.254/' }).end());
  assert.match(JSON.stringify(await look(server.url)), /impossible.*169\.254\.169\.254 is an address that is never/);
  await server.close();
});

test('what is no address, or holds a password, is said at once', async () => {
  for (const url of ['file:///etc/passwd', 'nonsense', 'ftp://a/b'])
    assert.match(JSON.stringify(await look(url)), /impossible.*is no address that begins with http/, url);
  const reason = 'the address of example.org holds a user or a password';
  assert.deepEqual(await look('https://ada:secret@example.org/'), { kind: 'impossible', reason });
});

const inside = ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd12::1', '64:ff9b::a00:1'];
const outside = ['8.8.8.8', '172.32.0.1', '192.169.0.1', '100.128.0.1', '2606:4700::1111', '1.1.1.1'];

test('the addresses inside of a network are known, in both versions', () => {
  assert.deepEqual([...inside, ...outside].filter(isInternal), inside);
  for (const address of outside) assert.doesNotThrow(() => demandReach('example.org', address, 'public'));
  assert.throws(() => demandReach('rebound.example', '10.0.0.1', 'public'), /rebound\.example is 10\.0\.0\.1, which/);
});

test('looks share their connections, unless more comes after the headers than anybody reads', async () => {
  const long = 'x'.repeat(1024 * 1024);
  const server = await serve((request, answer) => answer.writeHead(503).end(request.url === '/long' ? long : 'no'));
  for (let index = 0; index < 5; index += 1) await look(`${server.url}/${index}`);
  assert.equal(server.connections(), 1);
  await look(`${server.url}/long`);
  await look(`${server.url}/after`);
  assert.equal(server.connections(), 2);
  await server.close();
});

test('a connection that was made for trusted code serves no other', async () => {
  let asked = 0;
  const server = await serve((_, answer) => {
    asked += 1;
    answer.writeHead(503).end();
  });
  const url = server.url.replace('127.0.0.1', 'localhost');
  await look(url);
  assert.match(JSON.stringify(await look(url, 200, 'public')), /impossible.*inside of the network/);
  assert.equal(asked, 1);
  await server.close();
});

test('a connection that the other side has closed meanwhile is no answer', async () => {
  const known = new WeakSet<Socket>();
  const server = await serve((request, answer) => {
    if (known.has(request.socket)) request.socket.destroy();
    else answer.writeHead(200).end();
    known.add(request.socket);
  });
  for (let index = 0; index < 3; index += 1) assert.equal((await look(`${server.url}/${index}`)).kind, 'seen');
  await server.close();
});
