/** The form that starts a run, filled in as a browser without a program would. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createServer } from '../../src/server/server.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';
import { logIn, press, type Member } from './visitors.ts';

const apiToken = 'the-token-of-this-server';
const training = (depth: number): string => `import { pipeline, step } from 'contender';
export default pipeline('training', {
  description: 'Trains <b>one</b> model',
  parameters: {
    depth: ${depth},
    market: { type: 'string', choices: ['de', 'fr'], description: 'Whose customers' },
    dry: false,
    note: 'nothing',
    regions: { type: 'list', items: 'string', default: ['eu', 'us'], choices: ['eu', 'us', 'asia'], description: 'Where.' },
    rows: { type: 'number', default: 10, min: 1 },
  },
}, ({ parameters }) => {
  step('train', { command: ['echo', parameters.market] });
});
`;

let repository: TestRepository;
let system: TestSystem;
let app: FastifyInstance;
let member: Member;
let address: string;

before(async () => {
  repository = createRepository();
  repository.commit('Begin', { '.pipelines/training.ts': training(3) });
  system = await openTestSystem(repository, { watch: true });
  const log = { error: (_fields: object, message: string) => assert.fail(message) };
  app = await createServer({ ...system, apiToken, version: '0', log });
  member = await logIn(app, apiToken);
  address = `/pipelines/start?${new URLSearchParams({ repository: system.repository, pipeline: 'training' })}`;
  const { journal, repository: name } = system;
  await system.until('the first commit is compiled', async () => {
    const head = await journal.head(name, 'main');
    return head === null ? null : journal.versions(name, head);
  });
});
after(async () => {
  await app.close();
  await system.close();
  repository.remove();
});

const fields = (changes: Readonly<Record<string, string>>): Record<string, string> => ({
  key: 'a-key',
  repository: system.repository,
  pipeline: 'training',
  revision: 'main',
  date: '2026-01-05',
  'parameter.depth': '7',
  'parameter.market': 'fr',
  'parameter.dry': 'true',
  'parameter.note': '',
  'parameter.regions': 'asia, eu',
  ...changes,
});

test('the list of pipelines leads to the form, which has a field for each parameter', async () => {
  const list = await app.inject({ url: '/pipelines' });
  assert.ok(list.body.includes(`href="${address.replaceAll('&', '&amp;')}"`), list.body);
  const { body } = await app.inject({ url: address, headers: { cookie: member.cookie } });
  assert.match(body, /<input type="number" step="any" name="parameter.depth" value="3"\/>/);
  assert.match(body, /<select name="parameter.market" required>.*?<option value>.*?<option value="de">/);
  assert.match(body, /<option value="false" selected>/);
  assert.match(body, /Whose customers/);
  assert.match(
    body,
    /Where. A list of strings, each one of eu, us, asia; between commas, or as JSON.<[^>]*><input name="parameter.regions"[^>]*value="eu,us"/,
  );
  assert.match(body, /<input type="number" step="any" min="1" name="parameter.rows"/);
  assert.ok(body.includes('Trains &lt;b>one&lt;/b> model'), body);
});

test('who has not logged in sees what there is, and can start nothing', async () => {
  const { body } = await app.inject({ url: address });
  assert.doesNotMatch(body, /<form method="post" action="\/pipelines\/start"/);
  assert.match(body, /Log in to start training/);
  const refused = await press(app, '/pipelines/start', { cookie: '', formToken: 'none' }, fields({}));
  assert.equal(refused.statusCode, 401);
});

test('it starts the run that was asked for, and the same page twice starts one', async () => {
  const answers = [
    await press(app, '/pipelines/start', member, fields({})),
    await press(app, '/pipelines/start', member, fields({})),
  ];
  const [first, second] = answers.map(({ headers }) => headers.location);
  assert.deepEqual([answers[0]?.statusCode, first], [303, second]);
  const run = await system.journal.run(String(first).replace('/runs/', ''));
  assert.ok(run !== null);
  assert.deepEqual(run.opened.parameters, {
    depth: 7,
    market: 'fr',
    dry: true,
    note: '',
    regions: ['asia', 'eu'],
    rows: 10,
  });
  assert.equal(run.opened.logicalDate, Date.UTC(2026, 0, 5));
  assert.deepEqual(run.opened.trigger, { kind: 'manual', actor: 'a person' });
});

test('a field that is left out has its default', async () => {
  const answer = await press(
    app,
    '/pipelines/start',
    member,
    fields({ key: 'other', 'parameter.depth': '', date: '' }),
  );
  const run = await system.journal.run(String(answer.headers.location).replace('/runs/', ''));
  assert.equal(run?.opened.parameters['depth'], 3);
});

test('what is wrong is said above the form, which keeps what was filled in', async () => {
  for (const [change, message] of [
    [{ revision: 'no-such-branch' }, /no-such-branch/],
    [{ 'parameter.depth': 'deep' }, /the parameter (&quot;|")depth(&quot;|") must be a number/],
    [{ 'parameter.regions': 'eu,mars' }, /regions(&quot;|") holds (&quot;|")mars/],
    [{ 'parameter.market': '' }, /the parameter (&quot;|")market(&quot;|")/],
    [{ date: '2026-02-31' }, /date: /],
  ] as const) {
    const { statusCode, body } = await press(app, '/pipelines/start', member, fields({ key: 'wrong', ...change }));
    assert.equal(statusCode, 422, body);
    assert.match(/role="alert">([^<]*)</.exec(body)?.[1] ?? '', message);
    assert.match(body, /name="parameter.note"[^>]* value\/>/);
    for (const value of Object.values(change))
      assert.ok(body.includes(value === '' ? '<option value>' : `"${value}"`), value);
  }
});

test('a pipeline that is not there, and a form that is not whole, are said so', async () => {
  const unknown = await app.inject({ url: address.replace('training', 'nothing') });
  assert.equal(unknown.statusCode, 404);
  assert.match(unknown.body, /There is no pipeline nothing/);
  assert.equal((await press(app, '/pipelines/start', member, fields({ key: '' }))).statusCode, 400);
  assert.equal((await press(app, '/pipelines/start', member, fields({ pipeline: 'x' }))).statusCode, 404);
});
