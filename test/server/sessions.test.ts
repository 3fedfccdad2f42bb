/** Sessions that no list knows: by whom they are taken, and what cannot be made by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Fastify, { type FastifyRequest } from 'fastify';
import { Sessions } from '../../src/server/sessions.ts';

const clock = { now: () => 1_000_000 };

/** A request that comes with this cookie. */
async function requestWith(cookie: string): Promise<FastifyRequest> {
  const came = Promise.withResolvers<FastifyRequest>();
  const server = Fastify();
  server.get('/', (request) => (came.resolve(request), 'seen'));
  await server.inject({ url: '/', headers: { cookie } });
  return came.promise;
}

async function cookieOf(sessions: Sessions): Promise<string> {
  return sessions.begin(await requestWith('')).split(';')[0] ?? '';
}

test('servers that share a secret take each other’s sessions, with the same token for forms; others do not', async () => {
  const [one, other] = [new Sessions(clock, false, 'a secret'), new Sessions(clock, false, 'a secret')];
  const request = await requestWith(await cookieOf(one));
  assert.ok(one.of(request) !== null);
  assert.deepEqual(other.of(request), one.of(request));
  assert.equal(new Sessions(clock, false, 'another secret').of(request), null);
  const alone = new Sessions(clock, false, null);
  const own = await requestWith(await cookieOf(alone));
  assert.ok(alone.of(own) !== null);
  assert.equal(new Sessions(clock, false, null).of(own), null, 'it ends with its server');
});

test('neither the end of a session nor its id can be changed by hand', async () => {
  const sessions = new Sessions(clock, false, 'a secret');
  const cookie = await cookieOf(sessions);
  const [name = '', id = ''] = cookie.split('=');
  const [end = '', chance = '', seal = ''] = id.split('.');
  for (const forged of [
    `${(Number.parseInt(end, 36) + 1).toString(36)}.${chance}.${seal}`,
    `${end}.${chance.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'))}.${seal}`,
    `${end}.${chance}.${seal.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'))}`,
    `${end}.${chance}`,
  ])
    assert.equal(sessions.of(await requestWith(`${name}=${forged}`)), null, forged);
  assert.ok(sessions.of(await requestWith(cookie)) !== null);
});

test('a session that was ended stays so', async () => {
  const sessions = new Sessions(clock, false, 'a secret');
  const request = await requestWith(await cookieOf(sessions));
  sessions.end(request);
  assert.equal(sessions.of(request), null);
});
