/** What the panel of a step and the API tell of the steps of a run that is under way. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createServer } from '../../src/server/server.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';

const pipelines = `import { approval, map, pipeline, step } from 'contender';
export default pipeline('parts', { on: { push: { branches: ['main'] } } }, () => {
  const each = map({ n: [0, 1, 2] }, ({ n }) => step('each', { cache: true, retries: 1, retryDelay: '0s', input: { n }, run: ({ n }) => {
    if (n === 1) throw new Error('no good');
    return { n };
  } }));
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
    (await system.read(runId)).steps.get('never')?.state === 'upstream_failed' ? true : null,
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
