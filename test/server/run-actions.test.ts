/** The buttons on the page of a run, pressed as a browser without a program would. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Sha } from '../../src/git/git.ts';
import type { RunRow } from '../../src/journal/journal.ts';
import { createServer } from '../../src/server/server.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';
import { modelPipeline } from '../flow/pipelines.ts';
import { fromOwnPage, logIn, press, submit, type Member } from './visitors.ts';

const apiToken = 'the-token-of-this-server';
const slow = `import { pipeline, step } from 'contender';
export default pipeline('slow', { on: { push: { branches: ['main'] } }, parameters: { depth: { type: 'number', default: 3 } } }, () => {
  step('wait', { command: ['sleep', '600'] });
});
`;
const refusing = `import { pipeline, step } from 'contender';
export default pipeline('refusing', { on: { push: { branches: ['main'] } }, overlap: 'forbid' }, () => {
  step('wait', { command: ['sleep', '600'] });
});
`;
const breaking = `import { pipeline, step } from 'contender';
export default pipeline('breaking', { on: { push: { branches: ['main'] } } }, () => {
  const good = step('good', { command: ['true'] });
  step('bad', { after: good, command: ['false'] });
});
`;
const asking = `import { approval, pipeline, step } from 'contender';
export default pipeline('asking', { on: { push: { branches: ['main'] } } }, () => {
  const release = approval('release', { message: 'Release it?' });
  step('deploy', { after: release, command: ['true'] });
});
`;

const churn = modelPipeline({ name: 'churn', noise: 0.1, promote: 'on-approval' });

const tidying = `import { pipeline, step } from 'contender';
export default pipeline('tidying', { on: { push: { branches: ['main'] } } }, () => {
  step('wait', { command: ['sleep', '600'] });
  step('tidy', { finally: true, command: ['sleep', '600'] });
});
`;

let repository: TestRepository;
let system: TestSystem;
let app: FastifyInstance;
let member: Member;
let first: RunRow;
let sha: Sha;

before(async () => {
  repository = createRepository();
  sha = repository.commit('Begin', {
    '.pipelines/slow.ts': slow,
    '.pipelines/refusing.ts': refusing,
    '.pipelines/breaking.ts': breaking,
    '.pipelines/asking.ts': asking,
    '.pipelines/tidying.ts': tidying,
    '.pipelines/churn.ts': churn,
  });
  system = await openTestSystem(repository, { watch: false });
  const log = { error: (_fields: object, message: string) => assert.fail(message) };
  app = await createServer({ ...system, apiToken, version: '0', log });
  member = await logIn(app, apiToken);
  const project = system.projects.get(system.repository);
  await project?.git.fetch();
  const started = await system.conductor.runManually({
    repository: system.repository,
    pipeline: 'slow',
    sha,
    actor: 'ada',
    logicalDate: Date.UTC(2026, 0, 5),
    parameters: { depth: 7 },
    key: 'first',
  });
  assert.ok(started.ok, JSON.stringify(started));
  first = await system.untilRun('the first run', ({ id }) => id === started.value);
});
after(async () => {
  await app.close();
  await system.close();
  repository.remove();
});

async function page(id: string, cookie = ''): Promise<string> {
  return (await app.inject({ url: `/runs/${id}`, headers: { cookie } })).body;
}

test('who has not logged in is offered nothing but the login, and can do nothing', async () => {
  const body = await page(first.id);
  assert.doesNotMatch(body, /method="post"/);
  assert.match(body, new RegExp(`href="/login\\?to=%2Fruns%2F${first.id}"[^>]*>Log in to cancel it`));
  assert.equal((await submit(app, `/runs/${first.id}/cancel`, {})).statusCode, 401);
  const guessed = await submit(
    app,
    `/runs/${first.id}/cancel`,
    { token: 'x' },
    { ...fromOwnPage, cookie: member.cookie },
  );
  assert.equal(guessed.statusCode, 403);
  assert.match(guessed.body, /The form is not of this session/);
  assert.equal((await system.journal.run(first.id))?.state, 'running');
});

test('a run under way has one button, and pressing it cancels the run', async () => {
  const body = await page(first.id, member.cookie);
  assert.match(body, />Cancel run</);
  assert.doesNotMatch(body, /Run again/);
  const answer = await press(app, `/runs/${first.id}/cancel`, member);
  assert.deepEqual([answer.statusCode, answer.headers.location], [303, `/runs/${first.id}`]);
  const ended = await system.untilRun('the end', ({ id, state }) => id === first.id && state === 'cancelled');
  assert.match(ended.reason ?? '', /cancelled by a person: with the button on its page/);
  assert.equal((await press(app, `/runs/${first.id}/cancel`, member)).statusCode, 303, 'too late is no mistake');
});

test('of a run that is being cancelled, another button ends its finally-steps', async () => {
  const request = { repository: system.repository, pipeline: 'tidying', sha, actor: 'ada', logicalDate: null };
  const started = await system.conductor.runManually({ ...request, parameters: {}, key: 'tidying' });
  assert.ok(started.ok, JSON.stringify(started));
  const address = `/runs/${started.value}/cancel`;
  const places = async (): Promise<readonly string[]> =>
    (await system.journal.events(started.value)).flatMap((event) =>
      event.type === 'attempt-running' ? [event.step] : [],
    );
  while ((await places()).length < 1) await pause(20);
  await press(app, address, member);
  while ((await places()).length < 2) await pause(20);
  const body = await page(started.value, member.cookie);
  assert.doesNotMatch(body, />Cancel run</);
  assert.match(body, /name="finally" value="yes"[^]*>Cancel finally-steps</);
  await press(app, address, member);
  assert.equal((await system.journal.run(started.value))?.state, 'cancelling', 'the button of a page from before');
  await press(app, address, member, { finally: 'yes' });
  const ended = await system.untilRun('its end', ({ id, finishedAt }) => id === started.value && finishedAt !== null);
  assert.equal(ended.state, 'cancelled');
  const requests = (await system.journal.events(started.value)).filter(({ type }) => type.includes('cancel-requested'));
  assert.deepEqual(
    requests.map(({ type }) => type),
    ['cancel-requested', 'finally-cancel-requested'],
  );
});

test('a run that is over can be run again: its commit, moment and parameters, once for each page', async () => {
  const body = await page(first.id, member.cookie);
  assert.match(body, new RegExp(`>Run again at ${sha.slice(0, 7)}<`));
  assert.doesNotMatch(body, /Cancel run/);
  const [, key = ''] = /name="key" value="([\w-]+)"/.exec(body) ?? [];
  const address = `/runs/${first.id}/rerun`;
  const twice = [
    await press(app, address, member, { key, steps: 'all' }),
    await press(app, address, member, { key, steps: 'all' }),
  ];
  const [again, same] = twice.map(({ headers }) => headers.location);
  assert.deepEqual([again, twice.map(({ statusCode }) => statusCode)], [same, [303, 303]]);
  const { opened } = await system.untilRun('the second run', ({ id }) => again === `/runs/${id}`);
  const { logicalDate, parameters } = first.opened;
  assert.deepEqual([opened.sha, opened.logicalDate, opened.parameters], [sha, logicalDate, parameters]);
  const [, other = ''] = /name="key" value="([\w-]+)"/.exec(await page(first.id, member.cookie)) ?? [];
  assert.notEqual(other, key);
  const third = await press(app, address, member, { key: other, steps: 'all' });
  assert.equal(third.statusCode, 422);
  assert.match(third.body, /under way/);
  assert.equal((await press(app, `${again}/cancel`, member)).statusCode, 303);
  await system.untilRun('its end', ({ id, state }) => again === `/runs/${id}` && state === 'cancelled');
});

test('a model that waits for a person has a button for who has logged in, and the command for who has not', async () => {
  const request = { repository: system.repository, pipeline: 'churn', sha, actor: 'ada', logicalDate: null };
  const started = await system.conductor.runManually({ ...request, parameters: {}, key: 'churn' });
  assert.ok(started.ok, JSON.stringify(started));
  await system.untilRun('its end', ({ id, state }) => id === started.value && state === 'success');
  assert.match(await page(started.value), /Log in to promote it<[^]*contender promote churn#1 --model churn/);
  const button = new RegExp(`name="model" value="churn"[^]*>Promote churn of ${sha.slice(0, 7)}<`);
  assert.match(await page(started.value, member.cookie), button);
  const address = `/runs/${started.value}/promote`;
  assert.equal((await submit(app, address, { model: 'churn' })).statusCode, 401);
  const other = await press(app, address, member, { model: 'other' });
  assert.deepEqual([other.statusCode, /no model &quot;other&quot;|no model "other"/.test(other.body)], [422, true]);
  const pressed = await press(app, address, member, { model: 'churn' });
  assert.deepEqual([pressed.statusCode, pressed.headers.location], [303, `/runs/${started.value}`]);
  await system.until('it is champion', async () =>
    (await system.journal.evaluations({ runId: started.value, state: 'promoted', limit: 1 })).at(0),
  );
  assert.doesNotMatch(await page(started.value, member.cookie), button);
  assert.equal((await press(app, address, member, { model: 'churn' })).statusCode, 422, 'once');
});

test('a run that may not start says why, and one that is not there is not found', async () => {
  const { repository: name } = system;
  const request = { repository: name, pipeline: 'refusing', sha, actor: 'ada', logicalDate: null };
  const running = await system.conductor.runManually({ ...request, parameters: {}, key: 'refusing' });
  assert.ok(running.ok);
  const refused = await press(app, `/runs/${running.value}/rerun`, member, { key: 'again', steps: 'all' });
  assert.equal(refused.statusCode, 422);
  assert.match(refused.body, /under way|forbid/);
  assert.equal((await press(app, `/runs/${running.value}/rerun`, member, { key: '', steps: 'all' })).statusCode, 400);
  assert.equal((await press(app, `/runs/${running.value}/rerun`, member, { key: 'a', steps: 'some' })).statusCode, 400);
  assert.equal((await press(app, '/runs/nothing/cancel', member)).statusCode, 404);
  assert.equal((await press(app, '/runs/nothing/rerun', member, { key: 'a', steps: 'all' })).statusCode, 404);
});

test('of a run that failed, what failed is tried again, and the rest is reused', async () => {
  const request = { repository: system.repository, pipeline: 'breaking', sha, actor: 'ada', logicalDate: null };
  const started = await system.conductor.runManually({ ...request, parameters: {}, key: 'breaking' });
  assert.ok(started.ok, JSON.stringify(started));
  await system.untilRun('the failure', ({ id, state }) => id === started.value && state === 'failed');
  const body = await page(started.value, member.cookie);
  assert.match(body, />Retry failed \(1\)<[^]*>Run again at /);
  const answer = await press(app, `/runs/${started.value}/rerun`, member, { key: 'retry', steps: 'failed' });
  assert.equal(answer.statusCode, 303);
  const again = await system.untilRun('the retry', ({ id, finishedAt }) => {
    return answer.headers.location === `/runs/${id}` && finishedAt !== null;
  });
  const events = await system.journal.events(again.id);
  assert.deepEqual(
    events.flatMap((event) => (event.type === 'step-reused' ? [event.step] : [])),
    ['good'],
  );
  assert.match(
    await page(`${started.value}?step=bad`, member.cookie),
    new RegExp(`>Run again from bad at ${sha.slice(0, 7)}<`),
  );
  assert.doesNotMatch(await page(`${started.value}?step=bad`), /Run again from/);
  const fields = { key: 'retry', steps: 'from', from: 'bad' };
  const from = await press(app, `/runs/${started.value}/rerun`, member, fields);
  assert.notEqual(from.headers.location, answer.headers.location, 'another button of the same page asks for more');
  const next = await system.untilRun('the run from the step', ({ id }) => from.headers.location === `/runs/${id}`);
  const { trigger } = next.opened;
  assert.deepEqual(trigger.kind === 'rerun' && trigger.steps, { from: 'bad' });
  const wrong = await press(app, `/runs/${started.value}/rerun`, member, { ...fields, from: 'nothing' });
  assert.deepEqual([wrong.statusCode, wrong.body.includes('there is no step')], [422, true]);
  assert.equal(
    (await press(app, `/runs/${started.value}/rerun`, member, { key: 'retry', steps: 'from' })).statusCode,
    400,
  );
});

test('a run is run again at the head of its branch', async () => {
  const body = await page(first.id, member.cookie);
  assert.match(body, />Run again at the head of <bdi>the default branch<\/bdi><\/button>/);
  const head = repository.commit('Go on', { 'README.md': 'on' });
  const answer = await press(app, `/runs/${first.id}/rerun`, member, { key: 'head', steps: 'all', head: 'yes' });
  assert.equal(answer.statusCode, 303, answer.body);
  const again = await system.untilRun('the run at head', ({ id }) => answer.headers.location === `/runs/${id}`);
  assert.deepEqual([again.opened.sha, again.opened.parameters], [head, first.opened.parameters]);
});

test('what waits for a person is decided on its page, once, and a rejection says why', async () => {
  const request = { repository: system.repository, pipeline: 'asking', sha, actor: 'ada', logicalDate: null };
  const started = await system.conductor.runManually({ ...request, parameters: {}, key: 'asking' });
  assert.ok(started.ok, JSON.stringify(started));
  const address = `/runs/${started.value}`;
  while (!(await page(started.value)).includes('Waits for your decision')) await pause(20);
  assert.match(
    await page(started.value),
    /Log in to decide<\/a>, or decide in a terminal[^]*contender approve asking#/,
  );
  const body = await page(started.value, member.cookie);
  assert.match(body, new RegExp(`>Approve release at ${sha.slice(0, 7)}<[^]*>Reject release<`));
  const decide = (fields: Record<string, string>): ReturnType<typeof press> =>
    press(app, `${address}/decide`, member, { step: 'release', reason: '', ...fields });
  assert.equal((await decide({ decision: 'maybe' })).statusCode, 400);
  const silent = await decide({ decision: 'reject' });
  assert.equal(silent.statusCode, 422);
  assert.match(silent.body, /needs a reason/);
  assert.equal((await decide({ decision: 'approve', step: 'deploy' })).statusCode, 404);
  const approved = await decide({ decision: 'approve', reason: 'the slices look good' });
  assert.deepEqual([approved.statusCode, approved.headers.location], [303, address]);
  assert.equal((await decide({ decision: 'reject', reason: 'too late' })).statusCode, 409);
  const ended = await system.untilRun('the end', ({ id, finishedAt }) => id === started.value && finishedAt !== null);
  assert.equal(ended.state, 'success');
});
