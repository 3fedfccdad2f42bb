import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGitHubForge } from '../../../src/forge/github/github.ts';
import { createRateLimiter } from '../../../src/forge/github/rate-limit.ts';
import { emptyReport, headSha } from '../reports.ts';
import { appAuth } from './app-key.ts';
import { errorOf, makeForge, scriptedForge, SettableClock, valueOf } from './forge-under-test.ts';
import { startScriptedServer, type Answer, type Asked } from './scripted-server.ts';

const accepted: Answer = { status: 201, body: { state: 'success' } };
const tokenPath = '/app/installations/99/access_tokens';

test('a status is sent with state, context, description and address', async (t) => {
  const { forge, server } = await scriptedForge(t, () => accepted);
  assert.deepEqual(await forge.setStatus(emptyReport), { ok: true, value: undefined });
  const [asked] = server.asked;
  assert.equal(`${asked?.method} ${asked?.path}`, `POST /repos/octo/churn/statuses/${headSha}`);
  assert.equal(asked?.authorization, 'Bearer token-one');
  assert.deepEqual(asked?.body, {
    state: 'success',
    context: 'contender/weekly-churn',
    description: 'All steps passed.',
    target_url: 'https://ci.example/runs/run-1',
  });
});

test('the same status is not sent again while GitHub shows it, but is when somebody set another', async (t) => {
  let shown = 'success';
  const { forge, server } = await scriptedForge(t, ({ method }) =>
    method === 'POST'
      ? accepted
      : {
          status: 200,
          body: {
            state: shown,
            statuses: [
              {
                context: 'contender/weekly-churn',
                state: shown,
                description: 'All steps passed.',
                target_url: 'https://ci.example/runs/run-1',
              },
            ],
          },
        },
  );
  const posts = (): number => server.asked.filter(({ method }) => method === 'POST').length;
  for (let time = 0; time < 3; time += 1) assert.ok((await forge.setStatus(emptyReport)).ok);
  assert.equal(posts(), 1);
  shown = 'failure';
  assert.ok((await forge.setStatus(emptyReport)).ok);
  assert.equal(posts(), 2);
  assert.ok((await forge.setStatus({ ...emptyReport, state: 'failure' })).ok);
  assert.equal(posts(), 3);
});

test('more statuses than GitHub takes are final, and the message says what goes on', async (t) => {
  const { forge } = await scriptedForge(t, () => ({
    status: 422,
    body: {
      message: 'Validation Failed',
      errors: [
        {
          resource: 'Status',
          code: 'custom',
          message: 'This SHA and context has reached the maximum number of statuses.',
        },
      ],
    },
  }));
  const error = errorOf(await forge.setStatus(emptyReport));
  assert.equal(error.kind, 'final');
  assert.match(error.message, /has 1000 statuses of contender\/weekly-churn/);
});

test('a secondary rate limit closes the door for the time that it names, for every call', async (t) => {
  let refuse = true;
  const { forge, server, clock } = await scriptedForge(t, () =>
    refuse
      ? {
          status: 403,
          headers: { 'retry-after': '42' },
          body: { message: 'You have exceeded a secondary rate limit.' },
        }
      : accepted,
  );
  const error = errorOf(await forge.setStatus(emptyReport));
  assert.deepEqual(
    { kind: error.kind, retryAt: error.kind === 'final' ? 0 : error.retryAt },
    { kind: 'rate-limited', retryAt: clock.time + 42_000 },
  );
  refuse = false;
  assert.equal(errorOf(await forge.permission('ada')).kind, 'rate-limited');
  assert.equal(server.asked.length, 1, 'nothing is asked while the door is closed');
  clock.time += 42_000;
  assert.ok((await forge.setStatus(emptyReport)).ok);
});

test('429, a message without a time, and a spent hour are rate limits; a plain 403 is a refusal', async (t) => {
  const cases: [Answer, string, number | null][] = [
    [{ status: 429, body: {} }, 'rate-limited', 60_000],
    [{ status: 403, body: { message: 'You have exceeded a secondary rate limit.' } }, 'rate-limited', 60_000],
    [{ status: 403, body: { message: 'You have triggered an abuse detection mechanism.' } }, 'rate-limited', 60_000],
    [
      {
        status: 403,
        headers: {
          'x-ratelimit-remaining': '0',
          'x-ratelimit-reset': '1700000300',
          date: new Date(1_700_000_000_000).toUTCString(),
        },
        body: {},
      },
      'rate-limited',
      300_000,
    ],
    [{ status: 403, body: { message: 'Resource not accessible by integration' } }, 'refused', null],
  ];
  for (const [answer, kind, pause] of cases) {
    const { forge, clock } = await scriptedForge(t, () => answer);
    const error = errorOf(await forge.setStatus(emptyReport));
    assert.equal(error.kind, kind, JSON.stringify(answer));
    if (pause !== null) assert.equal(error.kind === 'final' ? 0 : error.retryAt, clock.time + pause);
  }
});

test('an answer in between makes the next unnamed pause short again', async (t) => {
  let refuse = true;
  const { forge, clock } = await scriptedForge(t, () => (refuse ? { status: 429, body: {} } : accepted));
  const pause = async (pipeline: string): Promise<number> => {
    const error = errorOf(await forge.setStatus({ ...emptyReport, pipeline }));
    return error.kind === 'final' ? 0 : (error.retryAt ?? 0) - clock.time;
  };
  assert.equal(await pause('a'), 60_000);
  clock.time += 60_000;
  assert.equal(await pause('b'), 120_000);
  clock.time += 120_000;
  refuse = false;
  assert.ok((await forge.setStatus(emptyReport)).ok);
  refuse = true;
  assert.equal(await pause('c'), 60_000);
});

test('the last call of an hour is answered and the next one waits for the reset', async (t) => {
  const { forge, server, clock } = await scriptedForge(t, () => ({
    ...accepted,
    headers: {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '1700000300',
      date: new Date(1_700_000_000_000).toUTCString(),
    },
  }));
  assert.ok((await forge.setStatus(emptyReport)).ok);
  const error = errorOf(await forge.setStatus({ ...emptyReport, pipeline: 'other' }));
  assert.equal(error.kind === 'final' ? 0 : error.retryAt, clock.time + 300_000);
  assert.equal(server.asked.length, 1);
});

test('the 61st write of a minute is held back without a call, also across forges that share a limiter', async (t) => {
  const clock = new SettableClock();
  const limiter = createRateLimiter(clock);
  const { server, forge } = await scriptedForge(t, () => accepted, { limiter, clock });
  const other = makeForge({ repository: 'octo/other', apiUrl: server.url, limiter, clock });
  const results = [];
  for (let count = 0; count < 61; count += 1) {
    results.push(await (count % 2 === 0 ? forge : other).setStatus({ ...emptyReport, pipeline: `p${count}` }));
  }
  assert.ok(results.slice(0, 60).every(({ ok }) => ok));
  const last = results[60];
  assert.ok(last !== undefined);
  assert.deepEqual(errorOf(last).kind, 'rate-limited');
  assert.equal(server.asked.length, 60);
});

test('server errors, dead connections, silence and stalled bodies are unreachable: worth another try', async (t) => {
  const answers: Answer[] = [
    { status: 500, body: { message: 'oops' } },
    { status: 502, body: '<html>Bad gateway</html>', headers: { 'content-type': 'text/html' } },
    { status: 503 },
    { status: 200, manner: 'broken' },
    { status: 200, manner: 'silent' },
    { status: 201, manner: 'stalled' },
    { status: 201, body: 'not json' },
    { status: 201, body: '<html>log in to the hotel</html>', headers: { 'content-type': 'text/html' } },
    { status: 201, body: {} },
    { status: 204 },
  ];
  for (const answer of answers) {
    const { forge } = await scriptedForge(t, () => answer, { timeoutMs: 100 });
    const error = errorOf(await forge.setStatus(emptyReport));
    assert.equal(error.kind, 'unreachable', `${JSON.stringify(answer)}: ${error.message}`);
  }
  assert.equal(errorOf(await makeForge().setStatus(emptyReport)).kind, 'unreachable', 'nobody listens');
});

test('what somebody can mend is refused, with what to look at, and the rest is final', async (t) => {
  for (const [status, kind, hint] of [
    [400, 'final', /400/],
    [401, 'refused', /still valid/],
    [403, 'refused', /permissions/],
    [404, 'refused', /exist/],
    [422, 'final', /422/],
    [451, 'final', /451/],
  ] as const) {
    const { forge } = await scriptedForge(t, () => ({ status, body: { message: 'no' } }));
    const error = errorOf(await forge.setStatus(emptyReport));
    assert.equal(error.kind, kind);
    assert.match(error.message, hint);
  }
});

test('a token goes to no other host: a redirect elsewhere ends the call, one within the host is followed', async (t) => {
  const elsewhere = await startScriptedServer(() => accepted);
  t.after(() => elsewhere.close());
  const away = await scriptedForge(t, () => ({
    status: 307,
    headers: { location: `${elsewhere.url}/repos/octo/churn/statuses/${headSha}` },
  }));
  assert.equal(errorOf(await away.forge.setStatus(emptyReport)).kind, 'final');
  assert.equal(elsewhere.asked.length, 0);

  const renamed = await scriptedForge(t, ({ path }) =>
    path.startsWith('/repositories/')
      ? accepted
      : { status: 307, headers: { location: `/repositories/1/statuses/${headSha}` } },
  );
  assert.ok((await renamed.forge.setStatus(emptyReport)).ok);
  assert.deepEqual(
    renamed.server.asked.map(({ method }) => method),
    ['POST', 'POST'],
  );

  const circle = await scriptedForge(t, ({ path }) => ({ status: 307, headers: { location: path } }));
  assert.equal(errorOf(await circle.forge.setStatus(emptyReport)).kind, 'final');
  assert.equal(circle.server.asked.length, 4);
});

test('what is no commit or pull request is never sent', async (t) => {
  const { forge, server } = await scriptedForge(t, () => accepted);
  for (const sha of ['', 'main', '../../x', headSha.toUpperCase(), `${headSha}0`, headSha.slice(1)]) {
    assert.equal(errorOf(await forge.setStatus({ ...emptyReport, sha })).kind, 'final');
    assert.equal(errorOf(await forge.pullRequestsOf(sha)).kind, 'final');
  }
  for (const number of [0, -1, 1.5, Number.NaN, 2 ** 60])
    assert.equal(errorOf(await forge.pullRequest(number)).kind, 'final');
  for (const login of ['', '..', '../x', 'a/b', 'a b', '[bot]'])
    assert.equal(valueOf(await forge.permission(login)), 'none');
  assert.equal(server.asked.length, 0);
});

/** An App's GitHub: tokens are numbered, and those in `dead` are refused. */
function appServer(dead: ReadonlySet<string>, expiresAt: string): (asked: Asked) => Answer {
  let given = 0;
  return ({ path, authorization }) => {
    if (path === '/repos/octo/churn/installation') return { status: 200, body: { id: 99 } };
    if (path === tokenPath) {
      given += 1;
      return { status: 201, body: { token: `installation-${given}`, expires_at: expiresAt } };
    }
    return dead.has(authorization.replace('Bearer ', ''))
      ? { status: 401, body: { message: 'Bad credentials' } }
      : accepted;
  };
}

const never = '2099-01-01T00:00:00Z';

test('an App finds its installation, signs for a token of this repository with the least rights, and keeps it 50 minutes', async (t) => {
  const { forge, server, clock } = await scriptedForge(t, appServer(new Set(), never), { auth: appAuth });
  const send = async (pipeline: string): Promise<string | undefined> => {
    assert.ok((await forge.setStatus({ ...emptyReport, pipeline })).ok);
    return server.asked.at(-1)?.authorization;
  };
  assert.equal(await send('a'), 'Bearer installation-1');
  assert.deepEqual(
    server.asked.map(({ path }) => path),
    ['/repos/octo/churn/installation', tokenPath, `/repos/octo/churn/statuses/${headSha}`],
  );
  assert.match(server.asked[0]?.authorization ?? '', /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
  assert.deepEqual(server.asked[1]?.body, {
    repositories: ['churn'],
    permissions: { contents: 'read', statuses: 'write', checks: 'write', pull_requests: 'write', metadata: 'read' },
  });
  assert.deepEqual(await forge.gitCredentials(), { username: 'x-access-token', password: 'installation-1' });
  const start = clock.time;
  clock.time = start + 50 * 60_000 - 1;
  assert.equal(await send('b'), 'Bearer installation-1');
  clock.time = start + 50 * 60_000;
  assert.equal(await send('c'), 'Bearer installation-2');
  clock.time = start + 50 * 60_000 + 1;
  assert.equal(await send('d'), 'Bearer installation-2');
});

test('a token that dies early is renewed before, and a wrong clock does not ask with every call', async (t) => {
  const clock = new SettableClock();
  const { forge, server } = await scriptedForge(t, appServer(new Set(), new Date(clock.time + 600_000).toISOString()), {
    auth: { ...appAuth, installationId: 99 },
    clock,
  });
  const tokens = (): number => server.asked.filter(({ path }) => path === tokenPath).length;
  await forge.setStatus({ ...emptyReport, pipeline: 'a' });
  clock.time += 540_000;
  await forge.setStatus({ ...emptyReport, pipeline: 'b' });
  assert.equal(tokens(), 2);
  // Now GitHub's times lie in our past.
  clock.time += 10_000_000;
  for (const pipeline of ['c', 'd', 'e']) await forge.setStatus({ ...emptyReport, pipeline });
  assert.equal(tokens(), 3);
});

test('a refused App token is renewed once, for all calls that met it', async (t) => {
  const { forge, server } = await scriptedForge(t, appServer(new Set(['installation-1']), never), {
    auth: { ...appAuth, installationId: 99 },
  });
  const results = await Promise.all(['a', 'b', 'c'].map((pipeline) => forge.setStatus({ ...emptyReport, pipeline })));
  assert.ok(results.every(({ ok }) => ok));
  assert.equal(server.asked.filter(({ path }) => path === tokenPath).length, 2);
});

test('a refusal that comes late, when the token was renewed already, asks for no third one', async (t) => {
  const serve = appServer(new Set(['installation-1']), never);
  const renewed = Promise.withResolvers<void>();
  const { forge, server } = await scriptedForge(
    t,
    async (asked) => {
      const late = (asked.body as { context?: string } | null)?.context === 'contender/late';
      if (late && asked.authorization === 'Bearer installation-1') await renewed.promise;
      return serve(asked);
    },
    { auth: { ...appAuth, installationId: 99 } },
  );
  const late = forge.setStatus({ ...emptyReport, pipeline: 'late' });
  assert.ok((await forge.setStatus({ ...emptyReport, pipeline: 'soon' })).ok);
  renewed.resolve();
  assert.ok((await late).ok);
  assert.equal(server.asked.filter(({ path }) => path === tokenPath).length, 2);
});

test('when the fresh token is refused too, that is said and nothing goes round in circles', async (t) => {
  const { forge, server } = await scriptedForge(t, appServer(new Set(['installation-1', 'installation-2']), never), {
    auth: { ...appAuth, installationId: 99 },
  });
  assert.equal(errorOf(await forge.setStatus(emptyReport)).kind, 'refused');
  assert.equal(server.asked.filter(({ path }) => path.includes('/statuses/')).length, 2);
});

test('an App that is not installed, or lacks a permission, is told in words', async (t) => {
  const { forge } = await scriptedForge(t, () => ({ status: 404, body: { message: 'Not Found' } }), { auth: appAuth });
  const error = errorOf(await forge.setStatus(emptyReport));
  assert.equal(error.kind, 'refused');
  assert.match(error.message, /find the installation of the App/);
  await assert.rejects(forge.gitCredentials(), /find the installation/);
});

test('options that cannot work are refused when the forge is made', () => {
  const options = {
    repository: 'octo/churn',
    apiUrl: 'https://api.github.com',
    auth: { kind: 'token', token: 't' },
    webhookSecrets: ['s'],
    clock: new SettableClock(),
  } as const;
  assert.ok(createGitHubForge(options).ok);
  for (const apiUrl of [
    'https://ghe.example/api/v3',
    'http://127.0.0.1:3000',
    'http://localhost/api/v3',
    'http://[::1]:80',
  ])
    assert.ok(createGitHubForge({ ...options, apiUrl }).ok, apiUrl);
  for (const apiUrl of [
    '',
    'api.github.com',
    'http://api.github.com',
    'http://127.0.0.1.evil.example',
    'ftp://x',
    'https://user:pass@host',
    'https://host/?a=b',
  ]) {
    assert.equal(errorOf(createGitHubForge({ ...options, apiUrl })).code, 'github-config-invalid', apiUrl);
  }
  for (const repository of [
    '',
    'octo',
    'octo/churn/x',
    'octo/..',
    './churn',
    'octo/ churn',
    'octo/churn?x',
    '/churn',
  ]) {
    assert.equal(errorOf(createGitHubForge({ ...options, repository })).code, 'github-config-invalid', repository);
  }
  for (const token of ['', ' ', 'a\nb', 'ä'])
    assert.equal(
      errorOf(createGitHubForge({ ...options, auth: { kind: 'token', token } })).code,
      'github-config-invalid',
    );
  for (const auth of [
    { ...appAuth, appId: 0 },
    { ...appAuth, appId: Number.NaN },
    { ...appAuth, privateKey: 'secret' },
  ] as const) {
    const problem = errorOf(createGitHubForge({ ...options, auth }));
    assert.equal(problem.code, 'github-config-invalid');
    assert.doesNotMatch(problem.message, /secret/);
  }
});

test('addresses for people follow from the address of the API', () => {
  const of = (apiUrl: string): string | null => makeForge({ apiUrl }).commitUrl(headSha);
  assert.equal(of('https://api.github.com'), `https://github.com/octo/churn/commit/${headSha}`);
  assert.equal(of('https://api.tenant.ghe.com/'), `https://tenant.ghe.com/octo/churn/commit/${headSha}`);
  assert.equal(of('https://ghe.example/api/v3'), `https://ghe.example/octo/churn/commit/${headSha}`);
  assert.equal(
    makeForge({ apiUrl: 'https://api.github.com' }).pullRequestUrl(5),
    'https://github.com/octo/churn/pull/5',
  );
});

test('who may what is asked at that moment, and whoever is unknown may nothing', async (t) => {
  const { forge, server } = await scriptedForge(t, ({ path }) => {
    const login = path.split('/').at(-2) ?? '';
    return ['admin', 'write', 'read', 'none', 'strange'].includes(login)
      ? { status: 200, body: { permission: login } }
      : { status: 404, body: { message: 'Not Found' } };
  });
  for (const [login, expected] of [
    ['admin', 'admin'],
    ['write', 'write'],
    ['read', 'read'],
    ['none', 'none'],
    ['strange', 'none'],
    ['nobody', 'none'],
    ['dependabot[bot]', 'none'],
  ] as const) {
    assert.equal(valueOf(await forge.permission(login)), expected);
  }
  assert.equal(server.asked[0]?.path, '/repos/octo/churn/collaborators/admin/permission');
});
