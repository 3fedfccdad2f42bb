import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { commentMarker } from '../../../src/forge/report-text.ts';
import { emptyReport } from '../reports.ts';
import { appAuth } from './app-key.ts';
import { errorOf, makeForge, scriptedForge, valueOf, type Scripted } from './forge-under-test.ts';
import type { Answer, Asked } from './scripted-server.ts';

interface StoredComment {
  readonly id: number;
  readonly created_at: string;
  body: string;
  readonly user: { readonly login: string; readonly id: number };
}

const contender = { login: 'contender', id: 7 };
const stranger = { login: 'mallory', id: 666 };
const marker = commentMarker(emptyReport.pipeline);

/** The comments of one pull request, as GitHub keeps them. */
function commentServer(comments: StoredComment[], author = contender): (asked: Asked) => Answer {
  let lastId = 100;
  return ({ method, path, query, body }) => {
    if (path === '/user') return { status: 200, body: contender };
    if (path === '/app') return { status: 200, body: { slug: 'contender-ci' } };
    if (path.endsWith('/access_tokens'))
      return { status: 201, body: { token: 'x', expires_at: '2099-01-01T00:00:00Z' } };
    const text = typeof body === 'object' && body !== null && 'body' in body ? String(body.body) : '';
    if (method === 'POST') {
      lastId += 1;
      const created = { id: lastId, created_at: '2026-01-05T10:00:00Z', body: text, user: author };
      comments.push(created);
      return { status: 201, body: created };
    }
    if (method === 'GET') {
      const page = Number(query.get('page'));
      return { status: 200, body: comments.slice((page - 1) * 100, page * 100) };
    }
    const at = comments.findIndex(({ id }) => path.endsWith(`/comments/${id}`));
    const found = comments[at];
    if (found === undefined) return { status: 404, body: { message: 'Not Found' } };
    if (method === 'DELETE') comments.splice(at, 1);
    else found.body = text;
    return method === 'DELETE' ? { status: 204 } : { status: 200, body: found };
  };
}

function stored(id: number, body: string, user = contender): StoredComment {
  return { id, created_at: '2026-01-05T09:00:00Z', body, user };
}

async function withComments(t: TestContext, comments: StoredComment[]): Promise<Scripted> {
  return scriptedForge(t, commentServer(comments));
}

test('the first report comments, the next ones edit that comment, with its id and without', async (t) => {
  const comments: StoredComment[] = [];
  const { forge, server } = await withComments(t, comments);
  const id = valueOf(await forge.setComment(emptyReport, 5, null));
  assert.equal(id, '101');
  assert.equal(valueOf(await forge.setComment({ ...emptyReport, summary: 'Second.' }, 5, id)), id);
  assert.equal(server.asked.at(-1)?.method, 'PATCH');
  assert.equal(valueOf(await forge.setComment({ ...emptyReport, summary: 'Third.' }, 5, null)), id);
  assert.equal(comments.length, 1);
  assert.ok(comments[0]?.body.startsWith(marker) && comments[0].body.includes('Third.'));
});

test('another pipeline has a comment of its own, and those that report nothing share one', async (t) => {
  const comments: StoredComment[] = [];
  const { forge } = await withComments(t, comments);
  for (const pipeline of ['weekly', 'weekly-churn', 'churn'])
    assert.ok((await forge.setComment({ ...emptyReport, pipeline }, 5, null)).ok);
  assert.equal(comments.length, 3);
  const changes = { pipeline: null, sha: emptyReport.sha, changes: [] };
  for (const id of [null, null]) assert.ok((await forge.setComment(changes, 5, id)).ok);
  assert.equal(comments.length, 4, 'one for those without');
});

test('a comment of somebody else with our marker is left alone, as is ours that only quotes it', async (t) => {
  const comments = [stored(1, `${marker}\nfaked`, stranger), stored(2, `They said ${marker}`)];
  const { forge } = await withComments(t, comments);
  assert.equal(valueOf(await forge.setComment(emptyReport, 5, null)), '101');
  assert.deepEqual(
    comments.map(({ id, body }) => [id, body.includes('All steps passed.')]),
    [
      [1, false],
      [2, false],
      [101, true],
    ],
  );
});

test('an account is told by its number: a login that changed hands is somebody else', async (t) => {
  const comments = [stored(1, marker, { login: 'contender', id: 8 })];
  const { forge } = await withComments(t, comments);
  assert.equal(valueOf(await forge.setComment(emptyReport, 5, null)), '101');
});

test('of several comments of ours the oldest stays and the others go', async (t) => {
  const comments = [
    stored(1, 'hello', stranger),
    stored(3, `${marker}\nb`),
    stored(2, `${marker}\na`),
    stored(4, `${marker}\nc`),
  ];
  const { forge } = await withComments(t, comments);
  assert.equal(valueOf(await forge.setComment(emptyReport, 5, null)), '2');
  assert.deepEqual(
    comments.map(({ id }) => id),
    [1, 2],
  );
});

test('a comment that somebody deleted is made anew', async (t) => {
  const comments: StoredComment[] = [];
  const { forge } = await withComments(t, comments);
  assert.equal(valueOf(await forge.setComment(emptyReport, 5, '55')), '101');
  assert.equal(valueOf(await forge.setComment(emptyReport, 5, 'not-an-id')), '101');
  assert.equal(comments.length, 1);
});

test('reports at once in one server are written one after the other: one comment, never a rival', async (t) => {
  const comments: StoredComment[] = [];
  const { forge, server } = await withComments(t, comments);
  const ids = await Promise.all(
    Array.from({ length: 5 }, async () => valueOf(await forge.setComment(emptyReport, 5, null))),
  );
  assert.deepEqual(
    ids,
    Array.from({ length: 5 }, () => '101'),
  );
  assert.equal(comments.length, 1);
  assert.equal(server.asked.filter(({ method }) => method === 'POST').length, 1);
});

test('two servers that both found none leave one comment, whichever looks last', async (t) => {
  const comments: StoredComment[] = [];
  const serve = commentServer(comments);
  let listed = 0;
  const bothListed = Promise.withResolvers<void>();
  const { forge, server } = await scriptedForge(t, async (asked) => {
    if (asked.method !== 'GET' || !asked.path.endsWith('/comments') || listed >= 2) return serve(asked);
    // Each sees the pull request before either has written.
    const empty = serve(asked);
    listed += 1;
    if (listed === 2) bothListed.resolve();
    await bothListed.promise;
    return empty;
  });
  const other = makeForge({ apiUrl: server.url });
  const ids = await Promise.all([forge, other].map(async (one) => valueOf(await one.setComment(emptyReport, 5, null))));
  assert.equal(server.asked.filter(({ method }) => method === 'POST').length, 2, 'both wrote');
  assert.deepEqual(
    comments.map(({ id }) => id),
    [101],
  );
  assert.deepEqual(ids, ['101', '101']);
});

test('the comment is found on the tenth page, and the eleventh is not read', async (t) => {
  for (const [before, expected] of [
    [998, '5000'],
    [999, '5000'],
    [1000, '101'],
  ] as const) {
    const comments = [
      ...Array.from({ length: before }, (_, at) => stored(at + 1000, 'chat', stranger)),
      stored(5000, marker),
    ];
    const { forge, server } = await withComments(t, comments);
    assert.equal(valueOf(await forge.setComment(emptyReport, 5, null)), expected);
    assert.ok(server.asked.length <= 20, `${server.asked.length} calls`);
  }
});

test('an App knows its comments by its bot name', async (t) => {
  const bot = { login: 'contender-ci[bot]', id: 9 };
  const comments = [stored(1, marker, contender), stored(2, marker, bot)];
  const { forge } = await scriptedForge(t, commentServer(comments, bot), { auth: { ...appAuth, installationId: 99 } });
  assert.equal(valueOf(await forge.setComment(emptyReport, 5, null)), '2');
  assert.equal(comments[0]?.body, marker);
});

test('a comment that could not be written is an error, and the next try finds what the lost answer made', async (t) => {
  const comments: StoredComment[] = [];
  const serve = commentServer(comments);
  let lost = true;
  const { forge } = await scriptedForge(t, (asked) => {
    const answer = serve(asked);
    if (asked.method !== 'POST' || !lost) return answer;
    lost = false;
    return { status: 502 };
  });
  assert.equal(errorOf(await forge.setComment(emptyReport, 5, null)).kind, 'unreachable');
  assert.equal(valueOf(await forge.setComment(emptyReport, 5, null)), '101');
  assert.equal(comments.length, 1);
});

test('without knowing who we are, nothing is adopted, deleted or doubled', async (t) => {
  const comments = [stored(1, marker)];
  const serve = commentServer(comments);
  const { forge } = await scriptedForge(t, (asked) =>
    asked.path === '/user' ? { status: 403, body: { message: 'Resource not accessible' } } : serve(asked),
  );
  assert.equal(errorOf(await forge.setComment(emptyReport, 5, null)).kind, 'refused');
  assert.deepEqual(comments, [stored(1, marker)]);
});
