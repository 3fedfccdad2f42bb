/** Where no webhook ever arrives, looking at GitHub finds the same things. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { modelPipeline, quickPipeline } from './pipelines.ts';

let it: GitHubSystem;

before(async () => {
  it = await openGitHubSystem({
    poll: '100ms',
    files: { '.pipelines/old.ts': quickPipeline('old', `{ push: { branches: ['**'] } }`) },
  });
});
after(() => it.close());
beforeEach(() => it.passes(60_000));

const churn = '.pipelines/churn.ts';

test('what was there before the first look runs nothing', async () => {
  assert.deepEqual(await it.system.journal.runs({ limit: 10 }), []);
});

test('a push, a pull request and its merge are found without webhooks', async () => {
  const first = await it.push('main', 'A first model', { [churn]: modelPipeline({ name: 'churn', noise: 0.7 }) });
  await it.evaluation(first, 'promoted');
  const sha = await it.push('better', 'A better model', { [churn]: modelPipeline({ name: 'churn', noise: 0.5 }) });
  const { number } = await it.github.openPullRequest({ head: 'better', base: 'main', title: 'Better', user: 'grace' });
  await it.evaluation(sha, 'reported');
  await it.comment(number, 'churn', /becomes champion when/);
  const merge = await it.github.mergePullRequest(number, 'grace');
  await it.evaluation(sha, 'promoted');
  assert.equal((await it.champion('churn'))?.version, 2);
  assert.match((await it.settled(merge, 'churn')).description ?? '', /not trained again/);
});

test('a merge is found behind any number of models that no merge decides on', async () => {
  // A pipeline that hears no push has the look alone to tell it of the merge.
  const hidden = modelPipeline({ name: 'hidden', noise: 0.5 }).replace(/push: \{.*?\}, /, '');
  const sha = await it.push('hidden', 'Add it', { '.pipelines/hidden.ts': hidden });
  const { number } = await it.github.openPullRequest({ head: 'hidden', base: 'main', title: 'It', user: 'grace' });
  const row = await it.evaluation(sha, 'reported');
  const [other] = await it.system.journal.evaluations({ model: 'churn', state: 'promoted', limit: 1 });
  assert.ok(other !== undefined);
  const later = Array.from({ length: 200 }, (_, at) => {
    const step = `never-${at}`;
    const evaluation = { ...other, id: `${other.runId}/${step}`, step, pullRequest: 1, at: row.at + 1 };
    return [{ write: 'evaluation', evaluation: { ...evaluation, policy: 'never', state: 'reported' } } as const];
  });
  await it.system.journal.commit(later);
  await it.github.mergePullRequest(number, 'grace');
  await it.evaluation(sha, 'promoted');
  assert.equal((await it.champion('hidden'))?.version, 1);
});

test('what was said once is not said again at every look', async () => {
  const broken = `import { pipeline } from 'contender';\nexport default pipeline('sore', { on: { pullRequest: true } }, () => nothing());\n`;
  const sha = await it.push('sore', 'Break it', { '.pipelines/sore.ts': broken });
  const { number } = await it.github.openPullRequest({ head: 'sore', base: 'main', title: 'Sore', user: 'grace' });
  await it.comment(number, 'sore', /sore\.ts:2/);
  assert.equal((await it.settled(sha, 'sore')).state, 'error');
  await it.settled(sha, 'old');
  await it.system.until('everything to be delivered', async () => {
    await it.passes(1000);
    return it.delivered();
  });
  const writes = (): number => it.github.requests().filter(({ method }) => method !== 'GET').length;
  const looks = (): number =>
    it.github.requests().filter(({ endpoint }) => endpoint?.endsWith('{repo}/pulls') === true).length;
  const [said, looked] = [writes(), looks()];
  await it.system.until('three more looks', async () => (looks() >= looked + 3 ? true : null));
  assert.equal(writes(), said);
});

test('a look finds that a pull request is to go to another branch', async () => {
  const sha = await it.push('wide', 'A new pipeline', {
    '.pipelines/wide.ts': quickPipeline('wide', '{ push: null }'),
  });
  await it.git('push', '--quiet', 'origin', 'HEAD:refs/heads/release');
  const head = await it.push('wide', 'Say so', { 'wide.txt': sha });
  const { number } = await it.github.openPullRequest({ head: 'wide', base: 'main', title: 'Wide', user: 'grace' });
  const shared = (text: RegExp): Promise<unknown> =>
    it.system.until(`a comment with ${text}`, async () => {
      await it.passes(1000);
      return it.github.comments(number).find(({ body }) => text.test(body)) ?? null;
    });
  await shared(/wide: new/);
  await it.github.retargetPullRequest(number, 'release', 'grace');
  await shared(/no pipeline/i);
  assert.equal(it.github.comments(number).length, 1);
  await it.settled(head, 'old');
});

test('a webhook and a look that find the same push are one run', async () => {
  const sha = await it.push('race', 'Change it', { 'race.txt': '' });
  it.hooks(true);
  await Promise.all([it.deliver(it.hook('push', sha)), it.deliver(it.hook('push', sha), 'another')]);
  await it.settled(sha, 'old');
  await it.handled();
  const runs = await it.system.journal.runs({ sha, limit: 10 });
  assert.deepEqual(
    runs.map(({ opened }) => opened.pipeline),
    ['old'],
  );
});
