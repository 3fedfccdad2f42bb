/** What the pipelines of docs/examples do, wherever their steps run. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Run } from '../../src/engine/run.ts';
import { objectKeys, startObjectServer, type ObjectServer } from '../support/object-server.ts';
import { openExample, outputsOf, statesOf, textOf, type Example, type Place } from './example.ts';

/** Registers the tests; of each suite they are one story, in their order. */
export function examplesDoWhatTheySay(where: string, open: () => Promise<Place>, skip: string | false = false): void {
  suite(`weekly churn, ${where}`, { skip }, () => weeklyChurn(open));
  suite(`full training, ${where}`, { skip }, () => fullTraining(open));
}

const monday = '2026-11-09';
const sunday = '2026-11-15';

function weeklyChurn(open: () => Promise<Place>): void {
  let example: Example;
  let parameters: Readonly<Record<string, string>> = {};
  /** Of the run that was asked for while the first one was waiting. */
  let nextId = '';
  let firstEndedAt = Number.POSITIVE_INFINITY;

  before(async () => {
    const place = await open();
    if (place.image !== null) parameters = { image: place.image };
    example = await openExample('weekly-churn', {
      place,
      environment: (toldAt) => ({ CONTENDER_NOTIFY_ML_TEAM_URL: toldAt }),
    });
  });
  after(() => example.close());

  const reached = {
    'wait-for-daily-features': 'success',
    customers: 'success',
    features: 'success',
    train: 'success',
    evaluate: 'success',
    decide: 'success',
  };

  test('it waits for the features of its Sunday; the first model is deployed and becomes champion', async () => {
    const runId = await example.start('weekly-churn', monday, parameters);
    nextId = await example.start('weekly-churn', monday, parameters);
    const { conductor } = example.system;
    await example.system.until('a look for the features', async () =>
      conductor.waiting(runId, 'wait-for-daily-features').some(({ looks }) => looks > 0) ? true : null,
    );
    const { 'wait-for-daily-features': waiting, ...rest } = statesOf(await example.system.read(runId));
    assert.equal(waiting, 'deferred');
    assert.deepEqual([...new Set(Object.values(rest))], ['none']);

    await example.ended(await example.start('daily-features', sunday));
    const run = await example.ended(runId);
    firstEndedAt = run.finishedAt ?? firstEndedAt;
    assert.equal(run.state, 'success', run.reason ?? '');
    triedOnce(run);
    assert.deepEqual(statesOf(run), { ...reached, deploy: 'success', keep: 'skipped', summary: 'success' });
    assert.equal(await example.champion('churn'), 1);
    const [summary] = outputsOf(run, 'summary');
    assert.equal(summary?.['outcome'], 'deployed');
    assert.match(
      textOf(summary?.['text']),
      /^Week of 2026-11-09: deployed, trained on 1800 customers\. ROC AUC is 0\.881/,
    );

    // The very model that was trained is what was promoted and deployed.
    const [trained] = outputsOf(run, 'train');
    assert.deepEqual((await example.evaluation(runId)).artifact, trained?.['model']);
    const [deployed] = outputsOf(run, 'deploy');
    const release = await released(example, deployed?.['release']);
    assert.deepEqual(release['sha'], run.opened.sha);
  });

  test('there is one run at a time: another one began when the first had ended', async () => {
    const begun = await example.system.until('the beginning of the next run', async () => {
      const { steps } = await example.system.read(nextId);
      return steps.get('customers')?.instances?.[0]?.attempts[0];
    });
    assert.ok(begun.startedAt >= firstEndedAt, `${begun.startedAt} is before ${firstEndedAt}`);
    await example.system.conductor.ask(nextId, {
      type: 'cancel',
      by: 'mona',
      reason: 'It would train the same again.',
    });
    await example.ended(nextId);
  });

  test('a worse model is not deployed: the other branch runs, the summary too, and the champion stays', async () => {
    example.change('training/features.mts', /, 'complaints'\];/, '];');
    const runId = await example.start('weekly-churn', monday, parameters);
    const run = await example.ended(runId);
    assert.equal(run.state, 'success', run.reason ?? '');
    triedOnce(run);
    assert.deepEqual(statesOf(run), { ...reached, deploy: 'skipped', keep: 'success', summary: 'success' });
    const [summary] = outputsOf(run, 'summary');
    assert.deepEqual([summary?.['outcome'], summary?.['verdict']], ['not deployed', 'worse']);
    assert.match(textOf(summary?.['text']), /ROC AUC fell from 0\.881 to 0\.809/);
    const { state, reason } = await example.evaluation(runId);
    assert.equal(state, 'refused');
    assert.match(reason ?? '', /worse than the champion/);
    assert.equal(await example.champion('churn'), 1);
  });

  test('broken data stop at the gate: nothing is trained, the champion stays, and somebody is told', async () => {
    example.change('data/customers.csv', /\n2001,[^]*$/, '\n');
    const runId = await example.start('weekly-churn', monday, parameters);
    const run = await example.ended(runId);
    assert.equal(run.state, 'failed');
    const { 'wait-for-daily-features': waited, customers, ...rest } = statesOf(run);
    assert.deepEqual([waited, customers], ['success', 'failed']);
    assert.deepEqual([...new Set(Object.values(rest))], ['skipped']);
    assert.equal(Object.keys(rest).length, 7);
    assert.match(run.reason ?? '', /2000/);
    assert.equal(await example.champion('churn'), 1);

    // Neither a deployment nor a verdict against a model is news; a run that failed is.
    const [news, ...more] = await example.told(1);
    assert.deepEqual([news?.['event'], more], ['run-failed', []]);
    assert.match(JSON.stringify(news?.['reason']), /2000/);
  });
}

const marker = `evenings/${sunday}/_SUCCESS`;

function fullTraining(open: () => Promise<Place>): void {
  let example: Example;
  let store: ObjectServer;
  const lake = new Map<string, string>();

  before(async () => {
    store = await startObjectServer('eu-central-1');
    store.buckets.set('lake', lake);
    const secrets = { accessKeyId: 'LAKE_ID', secretAccessKey: 'LAKE_KEY' };
    example = await openExample('full-training', {
      place: await open(),
      settings: { objectStores: { lake: { endpoint: store.url, region: 'eu-central-1', secrets } } },
      environment: (toldAt) => ({
        CONTENDER_SECRET_LAKE_ID: objectKeys.accessKeyId,
        CONTENDER_SECRET_LAKE_KEY: objectKeys.secretAccessKey,
        CONTENDER_SECRET_TEAM_URL: toldAt,
      }),
    });
  });
  after(async () => {
    await example.close();
    await store.close();
  });

  /** Of a run that came to an evaluation. */
  const statesWith = (deploy: 'success' | 'skipped'): object => ({
    upload: 'success',
    'data-preparation/check': 'success',
    'data-preparation/split': 'success',
    search: 'success',
    train: 'success',
    choose: 'success',
    evaluate: 'success',
    'worth-deploying': 'success',
    deploy,
    tell: 'success',
  });

  /** Starts nothing before the upload is there; gives the end of a run that searches among networks of these sizes. */
  const searched = async (sizes: readonly number[], deploy: 'success' | 'skipped'): Promise<string> => {
    example.change('training/search.mts', /sizes = \[[^\]]*\]/, `sizes = [${sizes.join(', ')}]`);
    const runId = await example.start('full-training', sunday);
    if (!lake.has(marker)) await upload(example, store, runId, () => lake.set(marker, ''));
    const run = await example.ended(runId);
    assert.equal(run.state, 'success', run.reason ?? '');
    triedOnce(run);
    assert.deepEqual(statesOf(run), statesWith(deploy));
    bestIsChosen(run, sizes);
    assert.deepEqual((await example.evaluation(runId)).artifact, outputsOf(run, 'choose')[0]?.['model']);
    return runId;
  };

  /** What the team was told of the last of so many runs. */
  const lastTold = async (count: number): Promise<string> => {
    const told = await example.told(count);
    assert.equal(told.length, count, 'once for each run');
    return textOf(told.at(-1)?.['text']);
  };

  test('it waits for the upload; the best of the networks misses an accuracy of 0.90, and is not deployed', async () => {
    const runId = await searched([1, 2], 'skipped');
    const { state, reason } = await example.evaluation(runId);
    assert.equal(state, 'refused');
    assert.match(reason ?? '', /^Accuracy is 0\.893, which misses the threshold of at least 0\.9/);
    assert.equal(await example.champion('finishes'), null);
    assert.match(
      await lastTold(1),
      /not deployed; the best network has 2 units and learning rate 0\.1\. Accuracy is 0\.893/,
    );
  });

  test('the first that reaches it is deployed and becomes champion, and the team is told', async () => {
    const runId = await searched([4], 'success');
    assert.equal((await example.evaluation(runId)).state, 'promoted');
    assert.equal(await example.champion('finishes'), 1);
    assert.match(await lastTold(2), /: deployed; the best network has 4 units .* Accuracy is 0\.921/);
  });

  test('one that gains too little is not deployed, and the team is told why', async () => {
    const runId = await searched([8], 'skipped');
    const { state, reason } = await example.evaluation(runId);
    assert.equal(state, 'refused');
    assert.match(reason ?? '', /^Accuracy rose from 0\.921 to 0\.922 .* the difference may be chance/);
    assert.equal(await example.champion('finishes'), 1);
    assert.match(await lastTold(3), /not deployed; .* may be chance/);
  });

  test('one that gains more than 0.005 takes its place', async () => {
    const runId = await searched([8, 16], 'success');
    const { state, verdict } = await example.evaluation(runId);
    assert.equal(state, 'promoted');
    assert.match(JSON.stringify(verdict), /Accuracy rose from 0\.921 to 0\.946 .* above the required \+0\.005/);
    assert.equal(await example.champion('finishes'), 2);
    assert.match(await lastTold(4), /: deployed; the best network has 16 units/);
  });

  test('broken data stop in the preparation; the champion stays, and the team is told', async () => {
    example.change('data/evenings.csv', /\n1001,[^]*$/, '\n');
    const run = await example.ended(await example.start('full-training', sunday));
    assert.equal(run.state, 'failed');
    const { upload, 'data-preparation/check': check, tell, ...rest } = statesOf(run);
    assert.deepEqual([upload, check, tell], ['success', 'failed', 'success']);
    assert.deepEqual([...new Set(Object.values(rest))], ['skipped']);
    assert.equal(await example.champion('finishes'), 2);
    assert.equal(await lastTold(5), `Training of ${sunday}: it did not come to an evaluation.`);
  });
}

/** Lets it look in vain, and nothing else begin; then the object is there. */
async function upload(example: Example, store: ObjectServer, runId: string, put: () => void): Promise<void> {
  await example.system.until('a look for the upload', async () =>
    example.system.conductor.waiting(runId, 'upload').some(({ looks }) => looks > 0) ? true : null,
  );
  assert.deepEqual(store.asked, [`HEAD /lake/${marker}`]);
  const { upload, ...rest } = statesOf(await example.system.read(runId));
  assert.equal(upload, 'deferred');
  assert.deepEqual([...new Set(Object.values(rest))], ['none']);
  put();
}

/** Nothing was tried again: a retry would hide what went wrong the first time. */
function triedOnce(run: Run): void {
  for (const [name, { instances }] of run.steps)
    for (const { attempts } of instances ?? [])
      assert.ok(attempts.length <= 1, `${name} needed one attempt: ${JSON.stringify(attempts)}`);
}

/** There is a fit for each of the settings that the search made, and the one that is best on other rows was chosen. */
function bestIsChosen(run: Run, sizes: readonly number[]): void {
  const made = outputsOf(run, 'search')[0]?.['settings'];
  const expected = sizes.flatMap((units) => [0.03, 0.1].map((learningRate) => ({ units, learningRate, epochs: 40 })));
  assert.deepEqual(made, expected);
  const fits = outputsOf(run, 'train');
  assert.deepEqual(
    fits.map(({ settings }) => settings),
    expected,
  );
  const [chosen] = outputsOf(run, 'choose');
  assert.equal(chosen?.['validated'], Math.max(...fits.map(({ validated }) => Number(validated))));
}

/** What a deployment kept. */
async function released(example: Example, artifact: unknown): Promise<Readonly<Record<string, unknown>>> {
  const { $artifact } = artifact as { readonly $artifact: string };
  const bytes = await example.system.artifacts.getBytes($artifact);
  assert.ok(bytes !== null);
  return JSON.parse(Buffer.from(bytes).toString()) as Readonly<Record<string, unknown>>;
}
