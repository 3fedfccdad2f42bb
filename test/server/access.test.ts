/** Who may do what: every route of the table against everybody who could come, and the sessions of those who log in. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { access, type Permission } from '../../src/server/access.ts';
import { createServer } from '../../src/server/server.ts';
import { sessionLimits } from '../../src/server/sessions.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';
import { fromOwnPage, logIn, press, submit, type Member } from './visitors.ts';

const apiToken = 'the-token-of-this-server';
let repository: TestRepository;
let system: TestSystem;
let app: FastifyInstance;
let now = Date.UTC(2026, 0, 5);

function open(publicUrl: string | null, behindProxy = false): Promise<FastifyInstance> {
  const log = { error: (_fields: object, message: string) => assert.fail(message) };
  return createServer({ ...system, clock: { now: () => now }, apiToken, version: '0', publicUrl, behindProxy, log });
}

before(async () => {
  repository = createRepository();
  system = await openTestSystem(repository, { watch: false });
});
beforeEach(async () => {
  now += 60_000;
  await app?.close();
  app = await open(null);
});
after(async () => {
  await app.close();
  await system.close();
  repository.remove();
});

test('a route without a row in the table is not registered, and every row is a route', async () => {
  for (const name of Object.keys(access)) {
    const [method = '', url = ''] = name.split(' ');
    assert.ok(app.hasRoute({ method, url }), name);
  }
  for (const method of ['GET', 'POST'])
    assert.throws(() => app.route({ method, url: '/forgotten', handler: () => '' }), /has no row in the table/);
});

interface Coming {
  readonly headers: Readonly<Record<string, string>>;
  readonly formToken: string;
}

/** Who is let through by which permission; all others are told 401 or 403. */
const letThrough: Readonly<Record<Permission, readonly string[]>> = {
  open: [
    'anybody',
    'bearer',
    'wrong bearer',
    'member',
    'member of no form',
    'member led here',
    'own page',
    'own origin',
  ],
  signed: [
    'anybody',
    'bearer',
    'wrong bearer',
    'member',
    'member of no form',
    'member led here',
    'own page',
    'own origin',
  ],
  token: ['bearer'],
  form: ['member', 'member of no form', 'own page', 'own origin'],
  member: ['member'],
};

test('each route lets in whom its row names, and nobody else', async () => {
  const { cookie, formToken } = await logIn(app, apiToken);
  const visitors: Readonly<Record<string, Coming>> = {
    anybody: { headers: {}, formToken: '' },
    bearer: { headers: { authorization: `Bearer ${apiToken}` }, formToken: '' },
    'wrong bearer': { headers: { authorization: 'Bearer another' }, formToken: '' },
    member: { headers: { ...fromOwnPage, cookie }, formToken },
    'member of no form': { headers: { ...fromOwnPage, cookie }, formToken: 'another' },
    'member led here': {
      headers: { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example', cookie },
      formToken,
    },
    'own page': { headers: fromOwnPage, formToken },
    'own origin': { headers: { host: 'here:8080', origin: 'http://here:8080' }, formToken },
  };
  const wrong: string[] = [];
  for (const [name, permission] of Object.entries(access)) {
    const [method = '', url = ''] = name.split(' ');
    for (const [who, { headers, formToken: token }] of Object.entries(visitors)) {
      if (name === 'POST /logout' && who === 'member') continue;
      // Sooner, a try to log in would be one too many.
      if (url === '/login') now += 60_000;
      const answer = await app.inject({
        method: method === 'POST' ? 'POST' : 'GET',
        url: url.replaceAll(/:\w+|\*/g, 'nothing'),
        headers: { ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}), ...headers },
        ...(method === 'POST' ? { payload: new URLSearchParams({ token, 'api-token': apiToken }).toString() } : {}),
      });
      const entered = answer.statusCode !== 401 && answer.statusCode !== 403;
      if (entered !== letThrough[permission].includes(who)) wrong.push(`${name}, ${who}: ${answer.statusCode}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no route of the API takes a body that reaches prototypes, is nested without end or is no JSON', async () => {
  const levels = 100_000;
  const bodies = [
    ['application/json', '{"__proto__": {"by": "mona"}}', 400],
    ['application/json', '{"constructor": {"prototype": {"by": "mona"}}}', 400],
    ['application/json', '{"\\u005f_proto__": {"by": "mona"}}', 400],
    ['application/json', `${'{"by":['.repeat(levels)}${']}'.repeat(levels)}`, 400],
    ['application/json', '{"by": "mona"', 400],
    ['application/json;charset', '{"__proto__": {"by": "mona"}}', 400],
    ['application/jsonx', '{"by": "mona"}', 415],
    ['text/plain', '{"by": "mona"}', 400],
    ['application/x-www-form-urlencoded', 'by=mona', 415],
  ] as const;
  const wrong: string[] = [];
  for (const [name, permission] of Object.entries(access))
    for (const [contentType, payload, status] of permission === 'token' ? bodies : []) {
      const url = name.replace('POST ', '').replaceAll(/:\w+/g, 'nothing');
      const headers = { authorization: `Bearer ${apiToken}`, 'content-type': contentType };
      const answer = await app.inject({ method: 'POST', url, headers, payload });
      if (answer.statusCode !== status)
        wrong.push(`${name}, ${payload.slice(0, 40)} (${contentType}): ${answer.statusCode}`);
    }
  assert.deepEqual(wrong, []);
});

test('the cookie of a session is read by no script, sent by no other site, and over https bound to the host', async () => {
  const set = async (server: FastifyInstance): Promise<string> =>
    String((await submit(server, '/login', { 'api-token': apiToken })).headers['set-cookie']);
  const life = `Max-Age=${sessionLimits.lifeMs / 1000}`;
  assert.match(await set(app), new RegExp(`^contender=[\\w-]{22}; Path=/; ${life}; HttpOnly; SameSite=Lax$`));
  const secure = await open('https://contender.example');
  assert.match(
    await set(secure),
    new RegExp(`^__Host-contender=[\\w-]{22}; Path=/; ${life}; HttpOnly; SameSite=Lax; Secure$`),
  );
  await secure.close();
});

const isIn = async ({ cookie }: Pick<Member, 'cookie'>): Promise<boolean> =>
  (await app.inject({ url: '/runs', headers: { cookie } })).body.includes('Log out');

test('a session ends by itself after twelve hours, or two without a request, by its button, and with the next login of its browser', async () => {
  const first = await logIn(app, apiToken);
  const second = await logIn(app, apiToken, first.cookie);
  assert.notEqual(second.cookie, first.cookie);
  assert.notEqual(second.formToken, first.formToken);
  assert.deepEqual([await isIn(first), await isIn(second)], [false, true]);
  const out = await press(app, '/logout', second, { to: '/pipelines' });
  assert.deepEqual([out.statusCode, out.headers.location], [303, '/pipelines']);
  assert.match(String(out.headers['set-cookie']), /^contender=; .*Max-Age=0/);
  assert.equal(await isIn(second), false);
  const third = await logIn(app, apiToken);
  const beganAt = now;
  while (now < beganAt + sessionLimits.lifeMs - sessionLimits.idleMs) {
    now += sessionLimits.idleMs - 1;
    assert.equal(await isIn(third), true);
  }
  now = beganAt + sessionLimits.lifeMs - 1;
  assert.equal(await isIn(third), true);
  now += 1;
  assert.equal(await isIn(third), false);
  assert.equal((await press(app, '/logout', third)).statusCode, 401);
  const fourth = await logIn(app, apiToken);
  now += sessionLimits.idleMs;
  assert.equal(await isIn(fourth), false);
  assert.equal(await isIn({ cookie: 'contender=; contender=x; a=b' }), false);
});

async function attempt(token: string, remoteAddress = '192.0.2.1', forwardedFor = '', server = app): Promise<number> {
  const { statusCode } = await server.inject({
    method: 'POST',
    url: '/login',
    remoteAddress,
    headers: {
      ...fromOwnPage,
      'content-type': 'application/x-www-form-urlencoded',
      ...(forwardedFor === '' ? {} : { 'x-forwarded-for': forwardedFor }),
    },
    payload: new URLSearchParams({ 'api-token': token }).toString(),
  });
  return statusCode;
}

test('behind a proxy the address that it saw counts, and what came before it does not', async () => {
  const proxied = await open(null, true);
  const from = (addresses: string): Promise<number> => attempt('wrong', '10.0.0.1', addresses, proxied);
  for (let at = 0; at < 5; at += 1) assert.equal(await from(`198.51.100.${at}, 192.0.2.1`), 401);
  assert.equal(await from('198.51.100.9, 192.0.2.1'), 429);
  assert.equal(await from('192.0.2.2'), 401);
  await proxied.close();
  for (let at = 0; at < 5; at += 1) assert.equal(await attempt('wrong', '192.0.2.1', `198.51.100.${at}`), 401);
  assert.equal(await attempt('wrong', '192.0.2.1', '198.51.100.9'), 429);
});

test('a session outlives its server and is known to the others, but not to one with another token', async () => {
  const member = await logIn(app, apiToken);
  const log = { error: (_fields: object, message: string) => assert.fail(message) };
  const next = await open(null);
  const other = await createServer({
    ...system,
    clock: { now: () => now },
    apiToken: 'another one',
    version: '0',
    log,
  });
  const shows = async (server: FastifyInstance): Promise<string> =>
    (await server.inject({ url: '/runs', headers: { cookie: member.cookie } })).body;
  assert.ok((await shows(next)).includes(member.formToken));
  assert.doesNotMatch(await shows(other), /Log out/);
  await press(next, '/logout', member);
  assert.equal(await isIn(member), false, 'ended at one of them, it is ended at all');
  await Promise.all([next.close(), other.close()]);
});

test('five tries a minute from one address, right ones too', async () => {
  for (let at = 0; at < 5; at += 1) assert.equal(await attempt('wrong'), 401);
  assert.equal(await attempt(apiToken), 429);
  assert.equal(await attempt(apiToken, '192.0.2.2'), 303);
  now += 59_999;
  assert.equal(await attempt(apiToken), 429);
  now += 1;
  assert.equal(await attempt(apiToken), 303);
});

test('after the login one is where one was, and never elsewhere', async () => {
  for (const [to, there] of [
    ['/runs/1?step=a#step', '/runs/1?step=a#step'],
    ['https://evil.example/', '/runs'],
    ['//evil.example/', '/runs'],
    ['/\\evil.example/', '/runs'],
    ['/\t/evil.example/', '/runs'],
    ['/.//evil.example/', '/runs'],
    ['/..//evil.example/', '/runs'],
    ['/%2e//evil.example/', '/runs'],
    ['/runs/..//evil.example/', '/runs'],
    ['/runs//1', '/runs//1'],
    ['javascript:alert(1)', '/runs'],
    ['', '/runs'],
  ] as const) {
    now += 60_000;
    assert.equal((await submit(app, '/login', { 'api-token': apiToken, to })).headers.location, there, to);
    const page = await app.inject({ url: `/login?${new URLSearchParams({ to })}` });
    assert.match(page.body, new RegExp(`name="to" value="${there.replaceAll('?', '\\?')}"`));
  }
});
