/** What the panel of a step and the API tell of the steps of a run that is under way. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createServer } from '../../src/server/server.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';

const pipelines = `import { approval, map, pipeline, step } from 'contender';
export default pipeline('parts', { on: { push: { branches: ['main'] } } }, () => {
  const each = map({ n: [0, 1] }, ({ n }) => step('each', { cache: true, retries: 1, retryDelay: '0s', input: { n }, run: ({ n }) => {
    if (n === 1) throw new Error('no good');
    return { n };
  } }), { concurrency: 1 });
  const never = step('never', { after: [each], command: ['true'] });
  const release = approval('release', { message: 'Release it?' });
  step('deploy', { after: [release], command: ['true'] });
  step('tidy', { finally: true, command: ['true'] });
});
`;

let repository: TestRepository;
let system: TestSystem;
let app: FastifyInstance;
let runId: string;

before(async () => {
  repository = createRepository();
  repository.commit('Begin', { 'README.md': 'hello' });
  system = await openTestSystem(repository, { watch: true });
  const log = { error: (_fields: object, message: string) => assert.fail(message) };
  app = await createServer({ ...system, apiToken: 'token', version: '0', log });
  await system.until('the first look', async () =>
    (await system.journal.heads(system.repository)).size > 0 ? true : null,
  );
  repository.commit('Add parts', { '.pipelines/parts.ts': pipelines });
  ({ id: runId } = await system.untilRun('the run', () => true));
  await system.until('the mapped step to end', async () =>
    (await system.read(runId)).steps.get('each')?.state === 'failed' ? true : null,
  );
});
after(async () => {
  await app.close();
  await system.close();
  repository.remove();
});

/** The panel of a step, as text. */
async function panelOf(step: string): Promise<string> {
  const { body } = await app.inject({ url: `/runs/${runId}?step=${step}` });
  const [panel = ''] = /<section class="card step".*?<\/section>/s.exec(body) ?? [];
  return panel;
}

test('the panel of a step that has not been started says what it waits for, or why it never will be', async () => {
  for (const [step, why] of [
    ['deploy', 'waits for release'],
    ['release', 'waits for a decision: Release it?'],
    ['tidy', 'waits until all other steps have ended'],
    ['never', 'all_success: each is failed'],
  ] as const) {
    const panel = await panelOf(step);
    assert.ok(panel.includes(`<p class="reason">${why}`), panel);
    assert.doesNotMatch(panel, /It has not been started/);
  }
});

async function get(path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const { statusCode, body } = await app.inject({ url: `/api/v1/runs/${path}` });
  const parsed: unknown = JSON.parse(body);
  assert.ok(typeof parsed === 'object' && parsed !== null);
  return { status: statusCode, body: { ...parsed } };
}

/** The fields of each record of a list. */
function pick(list: unknown, ...fields: readonly string[]): unknown[][] {
  assert.ok(Array.isArray(list));
  return list.map((each: unknown) =>
    fields.map((field) => Object.entries(each ?? {}).find(([key]) => key === field)?.[1]),
  );
}

test('a run in the API has its steps, with what each of them waits for', async () => {
  const { status, body } = await get(runId);
  assert.equal(status, 200);
  assert.equal(body['waits'], null);
  assert.deepEqual(pick(body['steps'], 'step', 'kind', 'state', 'reason', 'waits', 'attempts'), [
    ['each', 'function', 'failed', 'Error: no good', null, 3],
    ['never', 'command', 'upstream_failed', 'all_success: each is failed', null, 0],
    ['release', 'approval', 'deferred', 'Release it?', 'waits for a decision: Release it?', 0],
    ['deploy', 'command', 'none', null, 'waits for release', 0],
    ['tidy', 'command', 'none', null, 'waits until all other steps have ended', 0],
  ]);
  assert.deepEqual(pick(body['steps'], 'counts')[0], [
    [
      { state: 'failed', count: 1 },
      { state: 'success', count: 1 },
    ],
  ]);
});

test('a step in the API has its instances, page by page or of one state, with their attempts and what the cache had', async () => {
  const { status, body } = await get(`${runId}/steps/each?limit=1`);
  assert.equal(status, 200);
  assert.deepEqual([body['step'], body['instancesTotal']], ['each', 2]);
  assert.deepEqual(pick(body['instances'], 'index', 'state', 'reusedFrom', 'attemptsTotal'), [[0, 'success', null, 1]]);
  const next = await get(`${runId}/steps/each?after=0&limit=1`);
  assert.deepEqual(pick(next.body['instances'], 'index'), [[1]]);
  const failed = await get(`${runId}/steps/each?state=failed`);
  assert.deepEqual(pick(failed.body['instances'], 'index'), [[1]]);
  const [attempts] = pick(failed.body['instances'], 'attempts').flat();
  assert.deepEqual(pick(attempts, 'number', 'state', 'cause', 'message'), [
    [1, 'failed', 'code', 'Error: no good'],
    [2, 'failed', 'code', 'Error: no good'],
  ]);
  for (const [cache, startedAt] of pick(attempts, 'cache', 'startedAt')) {
    assert.match(JSON.stringify(cache), /missed/);
    assert.equal(typeof startedAt, 'number');
  }
});

test('a step that is not there, and a page that cannot be, are said so', async () => {
  const [message, help] = ['the run has no such step', `GET /api/v1/runs/${runId} lists its steps.`];
  assert.deepEqual(await get(`${runId}/steps/nothing`), {
    status: 404,
    body: { error: `${message} (${help})`, problem: { code: 'step-unknown', message, where: null, help } },
  });
  assert.equal((await get('01none/steps/each')).status, 404);
  assert.equal((await get(`${runId}/steps/each?limit=101`)).status, 400);
});
