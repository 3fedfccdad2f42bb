import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { asking, failing, good, slow } from '../cli/pipelines.ts';
import { createProject, type Running, type Sandbox } from '../cli/sandbox.ts';

const token = 'a-token-that-is-long-enough';
const secret = 'webhook-secret';
const webhookBytesMax = 25 * 1024 * 1024;

let sandbox: Sandbox;
let server: Running;
let url = '';

before(async () => {
  sandbox = createProject({
    '.pipelines/good.ts': good,
    '.pipelines/failing.ts': failing,
    '.pipelines/slow.ts': slow,
    '.pipelines/asking.ts': asking,
    // One repository is plain, the others are on a GitHub that does not answer, one of them under another name there.
    'contender.yaml': `executor: { slots: 7 }
pools: { gpu: { slots: 2 } }
repositories:
  - { name: work, url: ., poll: 1h }
  - { name: mona/churn, url: ., poll: 1h, github: { repository: mona/churn, apiUrl: 'http://127.0.0.1:9' } }
  - { name: fraud, url: ., poll: 1h, github: { repository: mona/fraud-model, apiUrl: 'http://127.0.0.1:9' } }
`,
  });
  server = sandbox.start(['serve', '--port', '0'], {
    environment: {
      CONTENDER_API_TOKEN: token,
      CONTENDER_GITHUB_TOKEN: 'ghp_none',
      CONTENDER_WEBHOOK_SECRET: secret,
    },
  });
  url = (await server.until(/is at (\S+), watching/))[1] ?? '';
});
after(() => sandbox.remove());

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function ask(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { body, headers = { authorization: `Bearer ${token}` } } = options;
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parsed: unknown = await response.json();
  assert.ok(typeof parsed === 'object' && parsed !== null);
  return { status: response.status, body: { ...parsed } };
}

/** Starts the pipeline and waits for the state. */
async function start(pipeline: string, state: string): Promise<string> {
  const { status, body } = await ask('POST', '/api/v1/runs', { body: { repository: 'work', pipeline } });
  assert.equal(status, 201, JSON.stringify(body));
  const id = String(body['id']);
  for (const endsAt = performance.now() + 120_000; ;) {
    if ((await ask('GET', `/api/v1/runs/${id}`)).body['state'] === state) return id;
    assert.ok(performance.now() < endsAt, `${id} is not ${state}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('slots are told with who holds them, of the executor first', async () => {
  const { status, body } = await ask('GET', '/api/v1/pools', { headers: {} });
  assert.equal(status, 200);
  assert.deepEqual(body['pools'], [
    { pool: null, slots: 7, taken: 0, waiting: 0 },
    { pool: 'gpu', slots: 2, taken: 0, waiting: 0 },
  ]);
});

test('a run is started with the token, read without it, and the same key is the same run', async () => {
  const request = { repository: 'work', pipeline: 'good', date: '2026-11-16', parameters: { depth: 5 }, key: 'once' };
  const first = await ask('POST', '/api/v1/runs', { body: request });
  const second = await ask('POST', '/api/v1/runs', { body: request });
  assert.equal(first.status, 201);
  assert.deepEqual(second.body, first.body);
  const read = await ask('GET', `/api/v1/runs/${String(first.body['id'])}`, { headers: {} });
  assert.equal(read.status, 200);
  assert.deepEqual([read.body['pipeline'], read.body['repository'], read.body['number']], ['good', 'work', 1]);
});

test('without the token, or with another, nothing can be changed', async () => {
  const run = { repository: 'work', pipeline: 'good' };
  for (const headers of [
    {},
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer wrong' },
    { authorization: token },
  ]) {
    assert.equal((await ask('POST', '/api/v1/runs', { body: run, headers })).status, 401);
    assert.equal((await ask('POST', '/api/v1/runs/some/cancel', { body: {}, headers })).status, 401);
    for (const what of ['rerun', 'promote'])
      assert.equal((await ask('POST', `/api/v1/runs/some/${what}`, { body: {}, headers })).status, 401);
    // Nobody learns what a good request would be.
    assert.equal((await ask('POST', '/api/v1/runs', { body: { nonsense: 1 }, headers })).status, 401);
  }
});

test('a run is cancelled once; one that ended, or is not there, is said so', async () => {
  const id = await start('slow', 'running');
  assert.equal((await ask('POST', `/api/v1/runs/${id}/cancel`)).status, 202);
  const failed = await start('failing', 'failed');
  const ended = await ask('POST', `/api/v1/runs/${failed}/cancel`, { body: { reason: 'too late' } });
  assert.equal(ended.status, 409);
  assert.deepEqual(problemOf(ended.body), ['run-not-asked', 'the run ended already: failed']);
  for (const [method, path] of [
    ['POST', '/api/v1/runs/01none/cancel'],
    ['GET', '/api/v1/runs/01none'],
  ] as const) {
    const none = await ask(method, path, method === 'POST' ? { body: {} } : {});
    assert.deepEqual([none.status, ...problemOf(none.body)], [404, 'run-unknown', 'no such run: 01none']);
  }
  assert.equal((await ask('GET', '/api/v1/nothing')).status, 404);
});

test('a run is run again, whole or from a step, and the same key is the same run', async () => {
  const id = await start('good', 'success');
  const path = `/api/v1/runs/${id}/rerun`;
  const whole = await ask('POST', path);
  assert.equal(whole.status, 201, JSON.stringify(whole.body));
  const again = String(whole.body['id']);
  const read = await ask('GET', `/api/v1/runs/${again}`, { headers: {} });
  assert.deepEqual([read.body['trigger'], read.body['rerunOf']], ['rerun', id]);
  for (const endsAt = performance.now() + 120_000; ;) {
    if ((await ask('GET', `/api/v1/runs/${again}`)).body['state'] === 'success') break;
    assert.ok(performance.now() < endsAt, `${again} is not done`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const request = { from: 'second', key: 'once' };
  const first = await ask('POST', path, { body: request });
  assert.equal(first.status, 201, JSON.stringify(first.body));
  assert.deepEqual((await ask('POST', path, { body: request })).body, first.body);
  const refusals: readonly (readonly [path: string, body: object, status: number, said: RegExp])[] = [
    [path, { failed: true, from: 'second' }, 400, /failed or from, not both/],
    [path, { more: 1 }, 400, /more/],
    [path, { from: 'nowhere' }, 422, /there is no step "nowhere"; there: first, second/],
    ['/api/v1/runs/01none/rerun', {}, 404, /no such run/],
    ['/api/v1/runs/01none/promote', {}, 404, /no such run/],
    [`/api/v1/runs/${id}/promote`, {}, 422, /the run evaluated no model/],
    [`/api/v1/runs/${id}/promote`, { model: 1 }, 400, /model/],
  ];
  for (const [refused, body, status, said] of refusals) {
    const answer = await ask('POST', refused, { body });
    assert.equal(answer.status, status, JSON.stringify([body, answer.body]));
    assert.match(String(answer.body['error']), said);
  }
});

/** Code and message of the problem that an answer carries. */
function problemOf(body: { readonly [name: string]: unknown }): readonly unknown[] {
  const { code, message } = body['problem'] as { readonly code: string; readonly message: string };
  return [code, message];
}

/** Asks until the step waits: a run begins before its first step has ended. */
async function untilWaiting(id: string): Promise<void> {
  for (const endsAt = performance.now() + 120_000; ;) {
    const page = await (await fetch(`${url}/runs/${id}`)).text();
    if (page.includes('Waits for your decision')) return;
    assert.ok(performance.now() < endsAt, `${id} does not wait`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('an approval is decided once; what waits for nothing, or is not there, is said so', async () => {
  const id = await start('asking', 'running');
  await untilWaiting(id);
  const at = (step: string, what: string): string => `/api/v1/runs/${id}/steps/${step}/${what}`;
  assert.equal((await ask('POST', at('go%2Frelease', 'approve'), { headers: {} })).status, 401);
  assert.equal((await ask('POST', at('go%2Frelease', 'reject'), { body: { by: 'ada' } })).status, 400);
  const none = await ask('POST', at('train', 'approve'));
  const said = '"train" is no approval; its approvals: go/release';
  assert.deepEqual([none.status, ...problemOf(none.body)], [404, 'step-unknown', said]);
  assert.equal((await ask('POST', at('go%2Frelease', 'approve'), { body: { by: 'ada', reason: 'good' } })).status, 202);
  const second = await ask('POST', at('go%2Frelease', 'reject'), { body: { by: 'eve', reason: 'bad' } });
  assert.equal(second.status, 409);
  assert.match(String(second.body['error']), /"go\/release" was approved by ada already|the run ended already/);
  assert.equal((await ask('POST', '/api/v1/runs/01none/steps/x/approve')).status, 404);
});

test('what can be read and not be carried out is 422 with the reason, what cannot be read is 400', async () => {
  const refusals: readonly (readonly [body: object, status: number, said: RegExp])[] = [
    [{ pipeline: 'good' }, 422, /name one of the repositories: work, mona\/churn, fraud/],
    [{ repository: 'work', pipeline: 'nope' }, 422, /there is no pipeline "nope"/],
    [{ repository: 'work', pipeline: 'good', revision: 'nowhere' }, 422, /nowhere/],
    [{ repository: 'work', pipeline: 'good', revision: '--upload-pack=sh' }, 422, /upload-pack/],
    [{ repository: 'work', pipeline: 'good', parameters: { depth: 'deep' } }, 422, /depth/],
    [{ repository: 'work', pipeline: 'good', date: '2026-02-30' }, 400, /date/],
    [{ repository: 'work', pipeline: 'good', more: 1 }, 400, /more/],
    [{}, 400, /pipeline/],
  ];
  for (const [body, status, said] of refusals) {
    const answer = await ask('POST', '/api/v1/runs', { body });
    assert.equal(answer.status, status, JSON.stringify([body, answer.body]));
    assert.match(String(answer.body['error']), said);
  }
  assert.equal((await ask('GET', '/api/v1/runs?limit=0')).status, 400);
  assert.equal((await ask('GET', '/api/v1/runs?nonsense=1')).status, 400);
});

test('a body over 1 MiB is refused before it is read', async () => {
  const { status } = await ask('POST', '/api/v1/runs', { body: { pipeline: 'x'.repeat(1024 * 1024) } });
  assert.equal(status, 413);
});

test('data events are told with the token, decided on at once, and listed', async () => {
  const at = '2026-11-15T02:00:00Z';
  const tell = (body: object): Promise<Answer> => ask('POST', '/api/v1/events', { body });
  const first = await tell({ dataset: 's3://lake/churn', digest: 'one', at, key: 'monday', by: 'mona' });
  assert.deepEqual([first.status, first.body['state'], first.body['by']], [201, 'news', 'mona']);
  assert.equal(first.body['at'], Date.parse(at));
  const same = await tell({ dataset: 's3://lake/churn', digest: 'one' });
  assert.equal(same.body['state'], 'same');
  const again = await tell({ dataset: 's3://lake/churn', digest: 'two', key: 'monday' });
  assert.deepEqual(again.body, first.body);
  const { body } = await ask('GET', '/api/v1/events?dataset=s3://lake/churn', { headers: {} });
  assert.deepEqual(body['events'], [same.body, first.body]);
  assert.equal((await tell({ dataset: 'with space' })).status, 400);
  assert.equal((await ask('POST', '/api/v1/events', { body: { dataset: 'x' }, headers: {} })).status, 401);
});

test('openapi.json describes each route, with schemas that are valid', async () => {
  const { status, body } = await ask('GET', '/api/v1/openapi.json', { headers: {} });
  assert.equal(status, 200);
  assert.equal(body['openapi'], '3.1.0');
  const paths = entriesOf(body['paths']);
  const routes = paths.flatMap(([path, methods]) => entriesOf(methods).map(([method]) => `${method} ${path}`));
  assert.deepEqual(routes.toSorted(), [
    'get /api/v1/backfills',
    'get /api/v1/backfills/{id}',
    'get /api/v1/events',
    'get /api/v1/pools',
    'get /api/v1/runs',
    'get /api/v1/runs/{id}',
    'get /api/v1/runs/{id}/steps/{step}',
    'get /healthz',
    'get /ready',
    'post /api/v1/backfills',
    'post /api/v1/backfills/{id}/cancel',
    'post /api/v1/events',
    'post /api/v1/runs',
    'post /api/v1/runs/{id}/cancel',
    'post /api/v1/runs/{id}/promote',
    'post /api/v1/runs/{id}/rerun',
    'post /api/v1/runs/{id}/steps/{step}/approve',
    'post /api/v1/runs/{id}/steps/{step}/reject',
  ]);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  let schemas = 0;
  for (const schema of schemasOf(body)) {
    ajv.compile(schema);
    schemas += 1;
  }
  assert.ok(schemas > 15, `${schemas} schemas`);
});

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function* schemasOf(value: unknown): Generator<object> {
  for (const [key, inner] of entriesOf(value)) {
    if (key === 'schema' && typeof inner === 'object' && inner !== null) yield inner;
    else yield* schemasOf(inner);
  }
}

test('the server answers to its own names only, and webhooks under any', async () => {
  const statusFor = (path: string, host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(url + path, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.once('error', reject).end();
    });
  assert.equal(await statusFor('/api/v1/runs', 'localhost:1234'), 200);
  assert.equal(await statusFor('/api/v1/runs', 'rebound.example.com'), 421);
  assert.equal(await statusFor('/webhooks/none', 'tunnel.example.com'), 404);
});

function signed(body: Buffer, key = secret): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-github-event': 'ping',
    'x-github-delivery': crypto.randomUUID(),
    'x-hub-signature-256': `sha256=${createHmac('sha256', key).update(body).digest('hex')}`,
  };
}

async function deliver(path: string, body: Buffer, headers: Record<string, string>): Promise<number> {
  const response = await fetch(url + path, { method: 'POST', body: new Uint8Array(body), headers });
  await response.arrayBuffer();
  return response.status;
}

test('a webhook that proves itself is kept; one that does not, or is for nobody here, is refused', async () => {
  const body = Buffer.from(JSON.stringify({ zen: 'Keep it.', repository: { full_name: 'mona/churn' } }));
  assert.equal(await deliver('/webhooks/mona/churn', body, signed(body)), 202);
  assert.equal(await deliver('/webhooks/mona/churn', body, signed(body, 'wrong')), 401);
  assert.equal(await deliver('/webhooks/mona/churn', body, { 'content-type': 'application/json' }), 401);
  assert.equal(await deliver('/webhooks/mona/other', body, signed(body)), 404);
  // A repository without forge hears no webhooks.
  assert.equal(await deliver('/webhooks/work', body, signed(body)), 404);
  const foreign = Buffer.from(JSON.stringify({ repository: { full_name: 'mona/other' } }));
  assert.equal(await deliver('/webhooks/mona/churn', foreign, signed(foreign)), 404);
  // The address says how it is called here, and the delivery how on GitHub.
  const named = Buffer.from(JSON.stringify({ repository: { full_name: 'Mona/fraud-model' } }));
  assert.equal(await deliver('/webhooks/fraud', named, signed(named)), 202);
});

/** A delivery whose body never comes, or no more of it than this; the status is that of an answer that did not wait for the end. */
function begin(
  path: string,
  headers: Record<string, string>,
  part = Buffer.alloc(0),
): { readonly status: Promise<number>; readonly end: () => void } {
  const answered = Promise.withResolvers<number>();
  const sent = request(url + path, { method: 'POST', headers }, (response) => {
    answered.resolve(response.statusCode ?? 0);
    sent.destroy();
  });
  sent.once('error', answered.reject).flushHeaders();
  if (part.length > 0) sent.write(part);
  return { status: answered.promise, end: () => sent.destroy() };
}

test('a delivery that is larger than GitHub sends, signed by nobody or for nobody here is refused before it is read', async () => {
  const proved = signed(Buffer.alloc(0));
  const { 'x-hub-signature-256': _signature, ...unsigned } = proved;
  for (const [path, headers, status] of [
    ['/webhooks/mona/churn', { ...proved, 'content-length': String(webhookBytesMax + 1) }, 413],
    ['/webhooks/mona/churn', { ...unsigned, 'content-length': '1000' }, 401],
    ['/webhooks/mona/churn', { ...proved, 'x-hub-signature-256': 'sha256=no', 'content-length': '1000' }, 401],
    ['/webhooks/none', { ...proved, 'content-length': '1000' }, 404],
  ] as const)
    assert.equal(await begin(path, headers).status, status, `${path} ${status}`);
});

test('of five large deliveries the slowest gives way, and whoever only began one keeps nobody out', async () => {
  const headers = { ...signed(Buffer.alloc(0)), 'transfer-encoding': 'chunked' };
  const idle = Array.from({ length: 8 }, () => begin('/webhooks/mona/churn', headers));
  const whole = Buffer.alloc(2 * 1024 * 1024, ' ');
  whole.write(JSON.stringify({ zen: 'Large.', repository: { full_name: 'mona/churn' } }));
  assert.equal(await deliver('/webhooks/mona/churn', whole, signed(whole)), 202);
  const slow = Array.from({ length: 5 }, () => begin('/webhooks/mona/churn', headers, Buffer.alloc(1024 * 1024 + 1)));
  assert.equal(await Promise.race(slow.map(({ status }) => status)), 503);
  // Those that send nothing more only get slower.
  let status = 503;
  while (status === 503) status = await deliver('/webhooks/mona/churn', whole, signed(whole));
  assert.equal(status, 202);
  const body = Buffer.from(JSON.stringify({ zen: 'Small.', repository: { full_name: 'mona/churn' } }));
  assert.equal(await deliver('/webhooks/mona/churn', body, signed(body)), 202);
  const ended = [...idle, ...slow].map(({ status, end }) => {
    end();
    return status.catch(() => null);
  });
  await Promise.all(ended);
});

test('a body that declares no length is read up to what GitHub sends', async () => {
  const headers = { ...signed(Buffer.alloc(0)), 'transfer-encoding': 'chunked' };
  assert.equal(await begin('/webhooks/mona/churn', headers, Buffer.alloc(webhookBytesMax + 1)).status, 413);
});

test('answers carry a strict content policy, and the log no token', async () => {
  const response = await fetch(`${url}/api/v1/runs`);
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.ok(!server.said().includes(token), 'the token stands in no log');
});
