import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test, type TestContext } from 'node:test';
import type { Forge, ForgeEvent } from '../../../src/forge/forge.ts';
import { createGitHubForge } from '../../../src/forge/github/github.ts';
import { challengeOfChurn, fullReport } from '../reports.ts';
import { secret, valueOf } from './forge-under-test.ts';
import { commitAndPush, git, startHub, type Hub } from './hub.ts';

async function withHub(t: TestContext, kind: 'token' | 'app'): Promise<Hub> {
  const hub = await startHub(kind);
  t.after(() => hub.close());
  return hub;
}

test('a full report is taken by GitHub as status, check run with annotations, and comment', async (t) => {
  const { fake, forge, sha, pullRequest } = await withHub(t, 'app');
  const problems = Array.from({ length: 120 }, (_, at) => ({
    code: 'usage' as const,
    message: `problem ${at}`,
    where: { file: 'a.ts', line: at + 1, column: 1 },
    help: 'Mend it.',
  }));
  const report = { ...fullReport, sha, problems };
  valueOf(await forge.setStatus(report));
  const id = valueOf(await forge.setCheckRun(report, null));
  valueOf(await forge.setCheckRun(report, id));
  valueOf(await forge.setComment(report, pullRequest, null));
  assert.equal(fake.checkRuns(sha).length, 1);
  assert.equal(fake.statuses(sha).at(-1)?.description, 'Step train failed: out of memory.');
  assert.match(fake.comments(pullRequest)[0]?.body ?? '', /champion v7/);
  assert.deepEqual(fake.violations(), []);
});

test('a report beyond every limit is still taken', async (t) => {
  const { fake, forge, sha, pullRequest } = await withHub(t, 'app');
  const problem = {
    code: 'usage' as const,
    message: '😀'.repeat(900),
    where: { file: 'a.ts', line: 1, column: 1 },
    help: 'é'.repeat(900),
  };
  const report = {
    ...fullReport,
    sha,
    summary: '😀 word '.repeat(5000),
    problems: Array.from({ length: 60 }, () => problem),
    challenges: Array.from({ length: 300 }, () => challengeOfChurn),
    steps: Array.from({ length: 300 }, () => ({
      name: 'train',
      state: 'failed',
      durationMs: 1,
      message: 'line of a log\n'.repeat(1000),
      log: null,
    })),
  };
  valueOf(await forge.setStatus(report));
  valueOf(await forge.setCheckRun(report, null));
  valueOf(await forge.setComment(report, pullRequest, null));
  assert.deepEqual(fake.violations(), []);
});

test('tokens that die in the middle are renewed, and Git takes the one that is given out', async (t) => {
  const { fake, forge, sha, work } = await withHub(t, 'app');
  valueOf(await forge.setStatus({ ...fullReport, sha }));
  fake.expireInstallationTokens();
  valueOf(await forge.setStatus({ ...fullReport, sha, state: 'success' }));
  const credentials = await forge.gitCredentials();
  assert.ok(credentials !== null);
  const url = new URL(fake.cloneUrl);
  Object.assign(url, credentials);
  assert.match(await git(work, 'ls-remote', url.href, 'refs/heads/topic'), new RegExp(sha));
  assert.deepEqual(fake.violations(), []);
});

test('two servers that report at once leave one comment', async (t) => {
  const { fake, forge, sha, pullRequest } = await withHub(t, 'token');
  const other = createGitHubForge({
    repository: 'octo/churn',
    apiUrl: fake.url,
    auth: { kind: 'token', token: fake.token },
    webhookSecrets: [secret],
    clock: { now: () => Date.now() },
  });
  const report = { ...fullReport, sha };
  const ids = await Promise.all(
    [forge, valueOf(other)].map(async (one) => valueOf(await one.setComment(report, pullRequest, null))),
  );
  assert.equal(ids[0], ids[1]);
  assert.equal(fake.comments(pullRequest).length, 1);
});

test('a person may what the role says', async (t) => {
  const { forge } = await withHub(t, 'token');
  assert.deepEqual(
    [
      valueOf(await forge.permission('ada')),
      valueOf(await forge.permission('octo')),
      valueOf(await forge.permission('nobody')),
    ],
    ['write', 'admin', 'none'],
  );
});

test('what happens at GitHub arrives signed and is understood; our own comment comes back as nothing', async (t) => {
  const events: ForgeEvent[] = [];
  let forge: Forge | null = null;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
      );
      void (async () => {
        const received = await forge?.receive({ headers, body: Buffer.concat(parts) });
        if (received?.ok === true) events.push(received.value.event);
        response.writeHead(received === undefined || received.ok ? 202 : 401).end();
      })();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const hub = await startHub('app');
  t.after(async () => {
    await hub.close();
    server.closeAllConnections();
    server.close();
  });
  ({ forge } = hub);
  hub.fake.setWebhook(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/hook`);

  const after = await commitAndPush(hub.work, hub.fake.pushUrl, 'topic');
  await hub.fake.hooksDelivered();
  hub.fake.comment(hub.pullRequest, 'ada', '/test weekly-churn');
  await hub.fake.hooksDelivered();
  valueOf(await hub.forge.setComment({ ...fullReport, sha: after }, hub.pullRequest, null));
  valueOf(await hub.forge.setCheckRun({ ...fullReport, sha: after }, null));
  await hub.fake.hooksDelivered();
  const [check] = hub.fake.checkRuns(after);
  hub.fake.rerequestCheckRun(check?.id ?? 0, 'ada');
  await hub.fake.hooksDelivered();

  const types = events.filter(({ type }) => type !== 'ignored').map(({ type }) => type);
  assert.deepEqual([...new Set(types)].sort(), ['comment', 'ping', 'pull-request', 'push', 'rerequested']);
  assert.equal(types.filter((type) => type === 'comment').length, 1);
  assert.ok(events.some((event) => event.type === 'push' && event.after === after && event.ref === 'refs/heads/topic'));
  assert.ok(
    events.some(
      (event) => event.type === 'pull-request' && event.action === 'synchronize' && event.pullRequest.headSha === after,
    ),
  );
  assert.ok(events.some((event) => event.type === 'rerequested' && event.runId === fullReport.runId));
  assert.deepEqual(hub.fake.violations(), []);
});
