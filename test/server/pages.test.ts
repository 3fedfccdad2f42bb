/** The pages of a real system on a real repository, as a client without a program sees them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import type { RunOpened } from '../../src/engine/event.ts';
import type { RunRow } from '../../src/journal/journal.ts';
import { reportRun } from '../../src/conductor/reports/report-writes.ts';
import { logLimits, type LogStore } from '../../src/outputs/outputs.ts';
import { RunReader } from '../../src/server/pages/run-reader.ts';
import { createServer } from '../../src/server/server.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';

const pipelines = `import { group, pipeline, step } from 'contender';
export default pipeline('lines', { description: 'Writes <b>lines</b>.', owner: 'growth & co', tags: ['report', 'nightly'], on: { push: { branches: ['main'] }, schedule: { cron: '0 2 * * 1', timeZone: 'Europe/Berlin' } } }, () => {
  const made = group('make', () => step('file', { run: async (_input, context) => {
    console.log('::group::Lines');
    for (let line = 1; line <= 6000; line += 1) console.log('line ' + line + (line % 1000 === 0 ? ' \\u001b[31m<script>alert(1)</script>\\u001b[0m' : ''));
    console.log('::endgroup::');
    return { file: await context.artifact(new TextEncoder().encode('<script>alert(1)</script>'), 'page.html') };
  } }));
  step('fail', { after: [made], command: ['sh', '-c', 'echo "::error file=a.py,line=3::no <img src=x onerror=alert(1)>"; exit 3'] });
});
`;

let repository: TestRepository;
let system: TestSystem;
let app: FastifyInstance;
let run: RunRow;
const errors: string[] = [];

before(async () => {
  repository = createRepository();
  repository.commit('Begin', { 'README.md': 'hello' });
  system = await openTestSystem(repository, { watch: true });
  app = await createServer({
    ...system,
    apiToken: 'token',
    version: '0',
    log: { error: (fields, message) => errors.push(`${message} ${JSON.stringify(fields)}`) },
  });
  await system.until('the first look', async () =>
    (await system.journal.heads(system.repository)).size > 0 ? true : null,
  );
  repository.commit('Add lines', { '.pipelines/lines.ts': pipelines, '.pipelines/broken.ts': 'export default 3;' });
  run = await system.untilRun('the run', (row) => row.finishedAt !== null);
});
after(async () => {
  await app.close();
  await system.close();
  repository.remove();
  assert.deepEqual(errors, []);
});

async function get(url: string): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  const { statusCode, body, headers } = await app.inject({ method: 'GET', url });
  return { status: statusCode, body, headers };
}

const logAddress = (): string => `/runs/${run.id}/steps/make/file/0/1/log`;

test('a log that was removed for its age is said so wherever it is read, and nothing is where it may be elsewhere', async () => {
  const read: LogStore['read'] = () => Promise.resolve({ lines: [], total: 0, closed: false });
  const day = 24 * 3_600_000;
  const open = (ageMs: number): Promise<FastifyInstance> =>
    createServer({
      ...system,
      logs: { ...system.logs, read },
      clock: { now: () => (run.finishedAt ?? 0) + ageMs },
      logsKeptMs: 30 * day,
      artifactsKeptMs: 90 * day,
      apiToken: 'token',
      version: '0',
      log: { error: () => undefined },
    });
  const [young, old] = [await open(29 * day), await open(30 * day)];
  const said = /removed 30d after the end of the run/;
  const lines = logAddress().replace(/log$/, 'lines?from=1&to=9');
  for (const url of [logAddress(), `${logAddress()}?raw=1`, lines, `/runs/${run.id}?step=make%2Ffile`]) {
    const [early, late] = [await young.inject({ url }), await old.inject({ url })];
    assert.deepEqual([early.statusCode, late.statusCode], [200, 200], url);
    assert.doesNotMatch(early.body, said, url);
    assert.match(late.body, said, url);
  }
  const artifact = await old.inject({ url: `/artifacts/${'0'.repeat(64)}` });
  assert.equal(artifact.statusCode, 404);
  assert.match(artifact.body, /removed 90d after it was made or last used; run the step that made it again/);
  await Promise.all([young.close(), old.close()]);
});

test('the page of a run stands without a program, small, and under the strict policy', async () => {
  const { status, body, headers } = await get(`/runs/${run.id}`);
  assert.equal(status, 200);
  for (const wanted of [
    'lines',
    'failed',
    'make/file',
    'exit code 3',
    'a.py:3',
    'no &lt;img src=x onerror=alert(1)>',
    'Graph',
    'page-data',
  ])
    assert.ok(body.includes(wanted), wanted);
  assert.match(String(headers['content-security-policy']), /script-src 'self'.*style-src 'self'/);
  assert.equal(headers['cache-control'], 'no-store');
  assert.ok(gzipSync(body).length < 60_000);
  assert.equal(body.includes('<img'), false);
});

test('pages are compressed for who understands it', async () => {
  const { rawPayload, headers } = await app.inject({ url: '/runs', headers: { 'accept-encoding': 'gzip, br' } });
  assert.equal(headers['content-encoding'], 'gzip');
  assert.match(gunzipSync(rawPayload).toString(), /<h1>Runs<\/h1>/);
});

test('script, style and icon are kept for good, and under another name when they change', async () => {
  const { body } = await get('/runs');
  const names = [...body.matchAll(/\/assets\/[\w.-]+/g)].map(([name]) => name);
  assert.equal(names.length, 3);
  let bytes = 0;
  for (const name of names) {
    const { statusCode, headers, rawPayload } = await app.inject({ url: name, headers: { 'accept-encoding': 'gzip' } });
    assert.equal(statusCode, 200);
    assert.match(String(headers['cache-control']), /immutable/);
    bytes += rawPayload.length;
  }
  assert.ok(bytes < 45_000, `${bytes} bytes`);
  assert.equal((await get('/assets/contender-other.js')).status, 404);
});

test('a step is chosen by the address, and shows its attempts, output and artifacts', async () => {
  const { body } = await get(`/runs/${run.id}?step=make%2Ffile`);
  assert.match(body, /page\.html/);
  assert.match(body, /5\u202f8\d\d earlier lines/);
  assert.match(body, /\/steps\/make\/file\/0\/1\/log/);
  assert.equal((await get(`/runs/${run.id}?step=nothing&index=99&attempt=-1`)).status, 200);
});

test('an artifact is given to be saved, never shown', async () => {
  const { body } = await get(`/runs/${run.id}?step=make%2Ffile`);
  const [address = ''] = /\/artifacts\/[0-9a-f]{64}\?name=page\.html/.exec(body) ?? [];
  const { status, headers, body: bytes } = await get(address);
  assert.equal(status, 200);
  assert.equal(bytes, '<script>alert(1)</script>');
  assert.equal(headers['content-type'], 'application/octet-stream');
  assert.equal(headers['content-disposition'], 'attachment; filename="page.html"');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['content-security-policy'], "sandbox; default-src 'none'");
  const nasty = await get(`${address.split('?')[0]}?name=${encodeURIComponent('..\r\nset-cookie: x="y')}`);
  assert.equal(nasty.headers['content-disposition'], 'attachment; filename="___set-cookie__x__y"');
  assert.equal((await get(`/artifacts/${'0'.repeat(64)}`)).status, 404);
  assert.equal((await get('/artifacts/..%2f..%2fetc%2fpasswd')).status, 404);
});

test('a log over 5000 lines comes in parts, each with its neighbours', async () => {
  const first = await get(logAddress());
  assert.match(first.body, /Lines 1 to 1\u202f000 of 6\u202f/);
  assert.match(first.body, /id="L1"/);
  assert.match(first.body, /\?from=1001/);
  const later = await get(`${logAddress()}?from=5001`);
  assert.match(later.body, /id="L5001"/);
  assert.match(later.body, /<span class="a-ink-1">&lt;script>alert\(1\)&lt;\/script><\/span>/);
});

test('lines come by range, the text as it was written', async () => {
  const page = JSON.parse((await get(`${logAddress().replace(/log$/, 'lines')}?from=1001&to=1003`)).body);
  assert.equal(page.lines.length, 3);
  assert.equal(page.closed, true);
  assert.ok(page.lines[0].text.startsWith('line 1000 \u001b[31m'));
  const raw = await get(`${logAddress()}?raw=1`);
  assert.equal(raw.headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(raw.headers['content-disposition'], 'attachment; filename="make.file-0-1.log"');
  assert.equal(raw.body.split('\n').length - 1, page.total);
});

test('the server searches all lines, as they read', async () => {
  const { body } = await get(`${logAddress()}?q=${encodeURIComponent('000 <SCRIPT>')}`);
  assert.match(body, /6 lines with “000 &lt;SCRIPT>”/);
  assert.match(body, /\?from=5001#L5001/);
  assert.match((await get(`${logAddress()}?q=nowhere`)).body, /No line has “nowhere” in it/);
});

test('four searches go at once, and the next ones are told to come again', async () => {
  const { promise: gate, resolve: goOn } = Promise.withResolvers<void>();
  const begun = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  let searches = 0;
  const read: LogStore['read'] = async (key, from, to) => {
    // No page of a log has so many lines.
    if (to - from + 1 === logLimits.pageLinesMax) {
      begun[searches]?.resolve();
      searches += 1;
      await gate;
    }
    return system.logs.read(key, from, to);
  };
  const log = { error: (_fields: unknown, message: string) => void errors.push(message) };
  const other = await createServer({ ...system, logs: { ...system.logs, read }, apiToken: 'token', version: '0', log });
  const url = `${logAddress()}?q=nowhere`;
  const four = Array.from({ length: 4 }, () => other.inject({ url }).then(({ statusCode }) => statusCode));
  await Promise.all(begun.map(({ promise }) => promise));
  const refused = await other.inject({ url });
  assert.deepEqual([refused.statusCode, refused.headers['retry-after'], searches], [503, '10', 4]);
  assert.match(refused.body, /4 searches are under way/);
  assert.equal((await other.inject({ url: logAddress() })).statusCode, 200);
  goOn();
  assert.deepEqual(await Promise.all(four), [200, 200, 200, 200]);
  assert.equal((await other.inject({ url })).statusCode, 200);
  await other.close();
});

test('attempts that the journal does not know have no log', async () => {
  for (const path of [
    'make/file/0/2/log',
    'make/file/7/1/log',
    '..%2f..%2fx/0/1/log',
    'make/0/1/log',
    'make/file/0/1/else',
  ]) {
    assert.equal((await get(`/runs/${run.id}/steps/${path}`)).status, 404, path);
  }
});

test('the list of runs filters by its address and names an empty filter', async () => {
  assert.match((await get('/runs')).body, new RegExp(`href="/runs/${run.id}"`));
  assert.match((await get('/')).body, new RegExp(`href="/runs/${run.id}"`));
  assert.match((await get('/runs?pipeline=lines&state=failed&branch=main')).body, new RegExp(`href="/runs/${run.id}"`));
  const empty = await get(`/runs?pipeline=lines&state=success&branch=${encodeURIComponent('"><script>')}`);
  assert.equal(empty.body.includes(`href="/runs/${run.id}"`), false);
  assert.match(
    empty.body,
    /No runs of lines, that are passed, on the branch &quot;>&lt;script>|No runs of lines, that are passed, on the branch "?>?&lt;script>/,
  );
  assert.match((await get(`/runs?before=${run.id}`)).body, /No older runs/);
});

test('pipelines show their last runs, schedules with the next firings, and broken files', async () => {
  const { body } = await get('/pipelines');
  for (const wanted of [
    'lines',
    'Writes &lt;b>lines&lt;/b>.',
    '0 2 * * 1',
    'Europe/Berlin',
    'broken.ts',
    'cannot be used',
    '#1, failed',
  ])
    assert.ok(body.includes(wanted), wanted);
});

test('pipelines say whose they are and what they are about, and are found by it', async () => {
  const links = ['/pipelines?owner=growth+%26+co', '/pipelines?tag=report', '/pipelines?tag=nightly'];
  for (const address of ['/pipelines', `/runs/${run.id}`]) {
    const { body } = await get(address);
    for (const link of links) assert.ok(body.includes(`href="${link}"`), `${link} on ${address}`);
  }
  for (const link of links) {
    const { body } = await get(link);
    assert.ok(body.includes('Start a run of lines') && body.includes('Only those '), link);
  }
  for (const [link, text] of [
    ['/pipelines?owner=ada', /No pipelines of ada/],
    ['/pipelines?owner=growth+%26+co&tag=none', /No pipelines of growth &amp; co, tagged none/],
  ] as const) {
    const { body } = await get(link);
    assert.match(body, text);
    assert.equal(body.includes('Start a run of lines'), false);
  }
});

/** A server on `of` whose repositories throw whatever they are asked. */
async function serverWithoutGit(of: TestSystem): Promise<FastifyInstance> {
  const projects = new Map(
    [...of.projects].map(([name, project]) => {
      const git = new Proxy(project.git, {
        get(_, method) {
          throw new Error(`a page asks Git: ${String(method)}`);
        },
      });
      return [name, { ...project, git }];
    }),
  );
  return createServer({ ...of, projects, apiToken: 'token', version: '0', log: { error: () => undefined } });
}

test('pages with pipelines ask nothing of Git', async () => {
  const other = await serverWithoutGit(system);
  for (const url of ['/', '/runs', '/pipelines', `/pipelines/start?repository=${system.repository}&pipeline=lines`]) {
    const { statusCode, body } = await other.inject({ url });
    assert.deepEqual([url, statusCode], [url, 200]);
    assert.match(body, /lines/);
  }
  await other.close();
});

test('pages stand, and say why they are empty, while the first fetch gets no answer', async (t) => {
  let asked = false;
  const silent = createHttpServer(() => (asked = true)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const far = createRepository();
  const settings = `repositories: [{ name: far, url: 'http://127.0.0.1:${port}' }]\n`;
  writeFileSync(join(far.folder, 'contender.yaml'), settings);
  const waiting = await openTestSystem(far, { watch: true });
  const other = await serverWithoutGit(waiting);
  t.after(async () => {
    silent.closeAllConnections();
    silent.close();
    await other.close();
    await waiting.close();
    far.remove();
  });
  await waiting.until('the first fetch', () => Promise.resolve(asked ? true : null));
  const body = async (url: string): Promise<string> => (await other.inject({ url })).body;
  assert.match(await body('/'), /No runs yet.*Not looked at yet: far\./s);
  assert.match(await body('/pipelines'), /has not been looked at yet/);
  assert.match(await body('/pipelines/start?repository=far&pipeline=x'), /has not been looked at yet/);
});

test('a system without models says so, and an unknown one is not found', async () => {
  assert.match((await get('/models')).body, /No models yet/);
  assert.equal((await get('/models/churn')).status, 404);
});

/** The forge has not taken the reports of that run, the newest for its commit. */
async function refuseReports(opened: RunOpened): Promise<void> {
  const { journal } = system;
  const rows = reportRun(opened, 1, 0).flatMap((row) => (row.write === 'outbox' ? [{ ...row, dueAt: 8e12 }] : []));
  await journal.commit([rows]);
  for (const { key } of rows) {
    const sequence = (await journal.outboxRow(key))?.sequence ?? 0;
    await journal.commit([
      [{ write: 'outbox-failed', key, sequence, at: 1, error: 'Bad <b>credentials', dueAt: 8e12 }],
    ]);
  }
}

test('what the forge has not taken of the reports of a run is told on its page, which is not at rest until then', async () => {
  const reader = new RunReader({ ...system, apiToken: 'token', version: '0', log: { error: () => undefined } });
  const selection = { step: null, index: null, attempt: null };
  await system.until('all is reported', async () => ((await reader.read(run.id, selection))?.settled ? true : null));
  await system.journal.commit([reportRun(run.opened, 8e12, 0)]);
  assert.doesNotMatch((await get(`/runs/${run.id}`)).body, /not delivered/);
  assert.equal((await reader.read(run.id, selection))?.settled, false);
  await refuseReports(run.opened);
  const { body } = await get(`/runs/${run.id}`);
  assert.match(
    body,
    /commit status, check run: not delivered<\/strong>, tried again at <time[^]*: Bad &lt;b>credentials/,
  );
  assert.equal((await reader.read(run.id, selection))?.settled, false);
  await refuseReports({ ...run.opened, runId: 'another' });
  assert.doesNotMatch((await get(`/runs/${run.id}`)).body, /not delivered/, 'of a newer run of the commit');
  assert.equal((await reader.read(run.id, selection))?.settled, true);
});

test('what is not there is told in the same dress, to commands in JSON', async () => {
  const page = await get('/runs/nothing');
  assert.equal(page.status, 404);
  assert.match(page.body, /<h1>Not found<\/h1>/);
  assert.match((await get('/%3Cscript%3E')).body, /Not found/);
  assert.deepEqual(JSON.parse((await get('/api/v1/nothing')).body), { error: 'not found' });
});

test('the stream of a run that is over says it all once and ends', async () => {
  const { body, headers } = await get(`/runs/${run.id}/events`);
  assert.match(String(headers['content-type']), /^text\/event-stream/);
  const names = [...body.matchAll(/^event: (\w+)$/gm)].map((match) => match[1]);
  assert.deepEqual(names, ['view', 'log', 'end']);
  const id = /^id: (.+)$/m.exec(body)?.[1] ?? '';
  const again = await app.inject({ url: `/runs/${run.id}/events`, headers: { 'last-event-id': id } });
  assert.equal(again.statusCode, 204);
  assert.equal((await get('/runs/nothing/events')).status, 404);
});
