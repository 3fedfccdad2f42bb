import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { forgeLimits, type ForgeEvent } from '../../../src/forge/forge.ts';
import { createGitHubForge } from '../../../src/forge/github/github.ts';
import { errorOf, makeForge, scriptedForge, SettableClock, sign, signedDelivery, valueOf } from './forge-under-test.ts';

const sha = (digit: string): string => digit.repeat(40);
const repository = { full_name: 'octo/churn', id: 1 };
const person = { login: 'ada', type: 'User' };
const push = { ref: 'refs/heads/main', before: sha('a'), after: sha('b'), repository, sender: person };

const pullRequest = {
  number: 5,
  state: 'open',
  title: 'Train on | more <b>data</b>',
  merged: false,
  merge_commit_sha: sha('c'),
  user: person,
  updated_at: '2026-01-05T10:00:00Z',
  head: { sha: sha('d'), ref: 'more-data', repo: { id: 1 } },
  base: { sha: sha('e'), ref: 'main', repo: { id: 1 } },
};

async function eventOf(name: string, payload: unknown): Promise<ForgeEvent> {
  return valueOf(await makeForge().receive(signedDelivery(name, payload))).event;
}

async function keyOf(name: string, payload: unknown): Promise<string | null> {
  return valueOf(await makeForge().receive(signedDelivery(name, payload))).semanticKey;
}

test('the vector of GitHub documentation proves the body', async () => {
  const body = Buffer.from('Hello, World!');
  assert.equal(sign(body), 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17');
  // Proven, and only then found to be no JSON.
  const received = await makeForge().receive(signedDelivery('push', 'Hello, World!'));
  assert.deepEqual(errorOf(received), { kind: 'malformed', message: 'the body is not JSON' });
});

test('a push tells branch, commits and actor, and a key without the delivery id', async () => {
  const delivery = valueOf(await makeForge().receive(signedDelivery('push', push)));
  assert.deepEqual(delivery, {
    id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    name: 'push',
    repository: 'octo/churn',
    semanticKey: `octo/churn push refs/heads/main ${sha('a')} ${sha('b')}`,
    event: { type: 'push', ref: 'refs/heads/main', before: sha('a'), after: sha('b'), actor: 'ada' },
  });
});

test('a branch that is deleted has no commit after, one that is created none before, with or without commits', async () => {
  assert.deepEqual(await eventOf('push', { ...push, after: sha('0') }), {
    type: 'push',
    ref: 'refs/heads/main',
    before: sha('a'),
    after: null,
    actor: 'ada',
  });
  const created = { ...push, before: sha('0'), created: true, head_commit: null };
  assert.deepEqual(await eventOf('push', created), {
    type: 'push',
    ref: 'refs/heads/main',
    before: null,
    after: sha('b'),
    actor: 'ada',
  });
});

test('a push of notes is ignored, one to the merge queue is not', async () => {
  assert.equal((await eventOf('push', { ...push, ref: 'refs/notes/contender' })).type, 'ignored');
  assert.equal((await eventOf('push', { ...push, ref: 'refs/heads/gh-readonly-queue/main/pr-5-abc' })).type, 'push');
});

test('a merge group is the push of its branch, and its end the deletion', async () => {
  const ref = 'refs/heads/gh-readonly-queue/main/pr-5-abc';
  const group = { head_sha: sha('b'), head_ref: ref, base_sha: sha('a'), base_ref: 'refs/heads/main' };
  const told = { merge_group: group, repository, sender: person };
  const read = { type: 'push', ref, actor: 'ada' };
  assert.deepEqual(await eventOf('merge_group', { action: 'checks_requested', ...told }), {
    ...read,
    before: null,
    after: sha('b'),
  });
  assert.deepEqual(await eventOf('merge_group', { action: 'destroyed', reason: 'dequeued', ...told }), {
    ...read,
    before: sha('b'),
    after: null,
  });
  assert.equal((await eventOf('merge_group', { action: 'renamed', ...told })).type, 'ignored');
  assert.equal((await eventOf('merge_group', { action: 'destroyed', merge_group: {}, repository })).type, 'ignored');
});

test('a pull request is read with its branches, and a fork is told by the repository id', async () => {
  const expected = {
    type: 'pull-request',
    action: 'opened',
    actor: 'ada',
    pullRequest: {
      number: 5,
      state: 'open',
      merged: false,
      mergeSha: null,
      headSha: sha('d'),
      headBranch: 'more-data',
      baseBranch: 'main',
      baseSha: sha('e'),
      fork: false,
      author: 'ada',
      title: 'Train on | more <b>data</b>',
    },
  };
  assert.deepEqual(
    await eventOf('pull_request', { action: 'opened', pull_request: pullRequest, repository, sender: person }),
    expected,
  );
  for (const repo of [{ id: 2 }, null]) {
    const event = await eventOf('pull_request', {
      action: 'opened',
      pull_request: { ...pullRequest, head: { ...pullRequest.head, repo } },
      repository,
      sender: person,
    });
    assert.equal(event.type === 'pull-request' && event.pullRequest.fork, true);
  }
});

test('an edit of a pull request counts where its base branch is another one', async () => {
  const edited = { action: 'edited', pull_request: pullRequest, repository, sender: person };
  const base = { ref: { from: 'release' }, sha: { from: sha('f') } };
  const event = await eventOf('pull_request', { ...edited, changes: { base } });
  assert.deepEqual(event.type === 'pull-request' && [event.action, event.pullRequest.baseBranch], ['edited', 'main']);
  for (const changes of [{ title: { from: 'Train' } }, undefined])
    assert.equal((await eventOf('pull_request', { ...edited, changes })).type, 'ignored');
});

test('a merged pull request tells the merge commit', async () => {
  const closed = {
    action: 'closed',
    pull_request: { ...pullRequest, state: 'closed', merged: true, merged_at: '2026-01-05T11:00:00Z' },
    repository,
    sender: person,
  };
  const event = await eventOf('pull_request', closed);
  assert.equal(event.type === 'pull-request' && event.pullRequest.mergeSha, sha('c'));
});

test('two closings of one pull request have two keys, two deliveries of one closing have one', async () => {
  const closed = (updated: string): unknown => ({
    action: 'closed',
    pull_request: { ...pullRequest, state: 'closed', updated_at: updated },
    repository,
    sender: person,
  });
  assert.equal(
    await keyOf('pull_request', closed('2026-01-05T10:00:00Z')),
    await keyOf('pull_request', closed('2026-01-05T10:00:00Z')),
  );
  assert.notEqual(
    await keyOf('pull_request', closed('2026-01-05T10:00:00Z')),
    await keyOf('pull_request', closed('2026-01-05T12:00:00Z')),
  );
});

const comment = {
  action: 'created',
  issue: { number: 5, pull_request: {} },
  comment: { id: 77, body: '/test', user: person },
  repository,
  sender: person,
};

test('a new comment on a pull request is an event, an edited one and one on an issue are not', async () => {
  assert.deepEqual(await eventOf('issue_comment', comment), {
    type: 'comment',
    pullRequest: 5,
    commentId: '77',
    body: '/test',
    actor: 'ada',
    actorIsBot: false,
  });
  assert.equal((await eventOf('issue_comment', { ...comment, action: 'edited' })).type, 'ignored');
  assert.equal((await eventOf('issue_comment', { ...comment, issue: { number: 5 } })).type, 'ignored');
});

test('a bot is named as one, and our own comments never come back', async () => {
  const bot = { login: 'renovate[bot]', type: 'Bot' };
  const event = await eventOf('issue_comment', { ...comment, sender: bot, comment: { ...comment.comment, user: bot } });
  assert.equal(event.type === 'comment' && event.actorIsBot, true);
  const own = await eventOf('issue_comment', {
    ...comment,
    comment: { ...comment.comment, body: '<!-- contender:weekly-churn -->\n\n/test' },
  });
  assert.deepEqual(own, { type: 'ignored', reason: 'it is our own doing' });
});

test('an event of another repository is refused, and one that means nothing is ignored with the reason', async () => {
  const elsewhere = signedDelivery('push', { ...push, repository: { full_name: 'octo/other' } });
  assert.deepEqual(errorOf(await makeForge().receive(elsewhere)), {
    kind: 'elsewhere',
    message: 'the delivery is about octo/other, and this address is for octo/churn',
  });
  assert.deepEqual(await eventOf('push', { ...push, repository: null }), {
    type: 'ignored',
    reason: 'it concerns no repository of ours',
  });
  assert.equal((await eventOf('push', { ...push, repository: { full_name: 'Octo/Churn' } })).type, 'push');
  assert.deepEqual(await eventOf('star', { repository, sender: person }), {
    type: 'ignored',
    reason: 'star events mean nothing here',
  });
  assert.equal((await eventOf('constructor', { repository, sender: person })).type, 'ignored');
  assert.deepEqual(await eventOf('ping', { zen: 'Keep it logically awesome.' }), { type: 'ping' });
});

test('a payload that is no object, or has another shape, is ignored and never thrown', async () => {
  for (const payload of [
    null,
    1,
    'text',
    [],
    {},
    { repository },
    { repository, ref: 7 },
    { repository, action: {} },
    { repository: [] },
  ]) {
    for (const name of ['push', 'pull_request', 'issue_comment', 'check_run', 'check_suite']) {
      assert.equal(
        (await eventOf(name, JSON.stringify(payload))).type,
        'ignored',
        `${name} ${JSON.stringify(payload)}`,
      );
    }
  }
});

test('nothing unsigned is read: another secret, another body, no signature, another scheme, no UTF-8', async () => {
  const forge = makeForge();
  const body = Buffer.from(JSON.stringify(push));
  const good = signedDelivery('push', push);
  const strange = Buffer.from([0x7b, 0xff, 0x7d]);
  const deliveries = [
    { ...good, headers: { ...good.headers, 'x-hub-signature-256': sign(body, 'another') } },
    { ...good, body: Buffer.concat([body, Buffer.from(' ')]) },
    { ...good, headers: { ...good.headers, 'x-hub-signature-256': undefined } },
    { ...good, headers: { ...good.headers, 'x-hub-signature-256': '' } },
    { ...good, headers: { ...good.headers, 'x-hub-signature-256': sign(body).slice('sha256='.length) } },
    { ...good, headers: { ...good.headers, 'x-hub-signature-256': sign(body).toUpperCase() } },
    { ...good, headers: { ...good.headers, 'x-hub-signature-256': `${sign(body)} ` } },
    { body: Buffer.alloc(0), headers: { ...good.headers, 'x-hub-signature-256': sign('') } },
    { body: strange, headers: { ...good.headers, 'x-hub-signature-256': sign(strange) } },
  ];
  for (const delivery of deliveries) {
    assert.deepEqual(errorOf(await forge.receive(delivery)), {
      kind: 'unsigned',
      message: 'the signature does not prove this delivery',
    });
  }
});

test('bytes that only read like the signed ones are not the signed ones', async () => {
  const body = Buffer.from(JSON.stringify({ zen: 'a \ufffd b' }));
  const signature = { 'x-hub-signature-256': sign(body) };
  const good = signedDelivery('ping', body.toString());
  assert.equal((await makeForge().receive({ ...good, body })).ok, true);
  const at = body.indexOf(0xef);
  const look = Buffer.concat([body.subarray(0, at), Buffer.from([0xff]), body.subarray(at + 3)]);
  assert.equal(look.toString(), body.toString());
  assert.equal((await makeForge().receive({ body: look, headers: { ...good.headers, ...signature } })).ok, false);
  const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]);
  assert.equal((await makeForge().receive({ body: marked, headers: { ...good.headers, ...signature } })).ok, false);
});

test('no signature with one changed digit and no body with one changed bit is taken', async () => {
  const forge = makeForge();
  const good = signedDelivery('push', { ...push, commits: [] });
  const signature = good.headers['x-hub-signature-256'] ?? '';
  for (let at = 'sha256='.length; at < signature.length; at += 1) {
    const other = signature.charAt(at) === '0' ? '1' : '0';
    const changed = `${signature.slice(0, at)}${other}${signature.slice(at + 1)}`;
    assert.equal(
      (await forge.receive({ ...good, headers: { ...good.headers, 'x-hub-signature-256': changed } })).ok,
      false,
    );
  }
  for (let at = 0; at < good.body.length; at += 1) {
    const body = Uint8Array.from(good.body);
    body[at] = (body[at] ?? 0) ^ 1;
    assert.equal((await forge.receive({ ...good, body })).ok, false);
  }
});

test('two secrets are both taken while they are exchanged, a third is refused at creation, as are none and an empty one', async () => {
  const forge = makeForge({ webhookSecrets: ['old', 'new'] });
  const body = Buffer.from(JSON.stringify(push));
  for (const key of ['old', 'new']) {
    const delivery = signedDelivery('push', push, { 'x-hub-signature-256': sign(body, key) });
    assert.equal((await forge.receive(delivery)).ok, true, key);
  }
  const create = (webhookSecrets: string[]) =>
    createGitHubForge({
      repository: 'o/r',
      apiUrl: 'https://api.github.com',
      auth: { kind: 'token', token: 't' },
      clock: new SettableClock(),
      webhookSecrets,
    });
  assert.equal(create(['a']).ok, true);
  assert.equal(create(['a', 'b']).ok, true);
  assert.equal(errorOf(create(['a', 'b', 'c'])).code, 'github-config-invalid');
  for (const none of [[], [''], [' '], ['a', '']]) assert.equal(errorOf(create(none)).code, 'github-secret-missing');
});

test('25 MiB are taken and one byte more is refused before anything is computed', async () => {
  const forge = makeForge();
  const padded = (bytes: number): string => `{"zen":"${'x'.repeat(bytes - '{"zen":""}'.length)}"}`;
  for (const [bytes, expected] of [
    [forgeLimits.webhookBytesMax - 1, 'ping'],
    [forgeLimits.webhookBytesMax, 'ping'],
    [forgeLimits.webhookBytesMax + 1, 'too-large'],
  ] as const) {
    const received = await forge.receive(signedDelivery('ping', padded(bytes)));
    assert.equal(received.ok ? received.value.event.type : received.error.kind, expected);
  }
});

test('header names come in any case; a missing id or name, and a form, are malformed', async () => {
  const forge = makeForge();
  const good = signedDelivery('push', push);
  const upper = Object.fromEntries(Object.entries(good.headers).map(([name, value]) => [name.toUpperCase(), value]));
  assert.equal((await forge.receive({ ...good, headers: upper })).ok, true);
  for (const change of [
    { 'x-github-delivery': undefined },
    { 'x-github-event': undefined },
    { 'content-type': 'application/x-www-form-urlencoded' },
  ]) {
    assert.equal(errorOf(await forge.receive({ ...good, headers: { ...good.headers, ...change } })).kind, 'malformed');
  }
});

test('every recorded payload of GitHub is read or ignored', async () => {
  interface Example {
    readonly action?: string;
    readonly repository?: { readonly full_name: string };
  }
  const groups: { name: string; examples: Example[] }[] = createRequire(import.meta.url)('@octokit/webhooks-examples');
  const types = new Map<string, number>();
  let count = 0;
  for (const { name, examples } of groups) {
    for (const payload of examples) {
      const forge = makeForge({ repository: payload.repository?.full_name ?? 'octo/churn' });
      const { event } = valueOf(await forge.receive(signedDelivery(name, payload)));
      assert.ok(
        event.type !== 'ignored' || !event.reason.includes('cannot be read'),
        `${name} ${String(payload.action)}: ${JSON.stringify(event)}`,
      );
      types.set(event.type, (types.get(event.type) ?? 0) + 1);
      count += 1;
    }
  }
  assert.ok(count >= 326, `${count} payloads`);
  assert.ok(
    (types.get('push') ?? 0) >= 5 && (types.get('pull-request') ?? 0) >= 5 && (types.get('ping') ?? 0) >= 1,
    JSON.stringify([...types]),
  );
});

test('a thousand deliveries at once keep their own meaning', async () => {
  const forge = makeForge();
  const received = await Promise.all(
    Array.from({ length: 1000 }, async (_, number) => {
      const after = number.toString(16).padStart(40, '0').replace(/^0/, 'f');
      const event = valueOf(
        await forge.receive(
          signedDelivery(
            number % 2 === 0 ? 'push' : 'pull_request',
            number % 2 === 0
              ? { ...push, after }
              : { action: 'opened', pull_request: { ...pullRequest, number }, repository, sender: person },
          ),
        ),
      ).event;
      return event.type === 'push'
        ? event.after === after
        : event.type === 'pull-request' && event.pullRequest.number === number;
    }),
  );
  assert.ok(received.every(Boolean));
});

test('the own comments and pushes of an App are ignored, its pull requests are not, and others are heard while GitHub is away', async (t) => {
  const { appAuth } = await import('./app-key.ts');
  const { forge } = await scriptedForge(
    t,
    ({ path }) => (path === '/app' ? { status: 200, body: { slug: 'contender-ci' } } : { status: 404 }),
    { auth: appAuth },
  );
  const bot = { login: 'contender-ci[bot]', type: 'Bot' };
  const events = async (payloadName: string, payload: object): Promise<string> =>
    valueOf(await forge.receive(signedDelivery(payloadName, { ...payload, sender: bot }))).event.type;
  assert.equal(await events('push', push), 'ignored');
  assert.equal(await events('issue_comment', { ...comment, comment: { ...comment.comment, user: bot } }), 'ignored');
  assert.equal(
    await events('pull_request', { action: 'opened', pull_request: pullRequest, repository }),
    'pull-request',
  );

  const away = makeForge({ auth: appAuth });
  assert.equal(
    valueOf(await away.receive(signedDelivery('push', { ...push, sender: { login: 'other[bot]', type: 'Bot' } }))).event
      .type,
    'push',
  );
});

test('a check run or suite that is asked for again names commit and run, when it is of our App', async () => {
  const { appAuth } = await import('./app-key.ts');
  const forge = makeForge({ auth: appAuth });
  const run = {
    id: 9,
    head_sha: sha('d'),
    external_id: 'run-1',
    completed_at: '2026-01-05T10:00:00Z',
    app: { id: appAuth.appId },
  };
  const again = async (name: string, payload: object): Promise<ForgeEvent> =>
    valueOf(await forge.receive(signedDelivery(name, { repository, sender: person, ...payload }))).event;
  assert.deepEqual(await again('check_run', { action: 'rerequested', check_run: run }), {
    type: 'rerequested',
    sha: sha('d'),
    runId: 'run-1',
    actor: 'ada',
  });
  assert.deepEqual(
    await again('check_suite', {
      action: 'rerequested',
      check_suite: { id: 3, head_sha: sha('d'), app: { id: appAuth.appId } },
    }),
    { type: 'rerequested', sha: sha('d'), runId: null, actor: 'ada' },
  );
  assert.equal(
    (await again('check_run', { action: 'rerequested', check_run: { ...run, app: { id: 1 } } })).type,
    'ignored',
  );
  assert.equal((await again('check_run', { action: 'created', check_run: run })).type, 'ignored');
});
