import assert from 'node:assert/strict';
import { after } from 'node:test';
import { forgeSuite } from '../../contract/forge.ts';
import { commitAndPush, startHub } from './hub.ts';

for (const kind of ['token', 'app'] as const) {
  // One GitHub for all: each test has a commit and a pull request of its own.
  const hub = await startHub(kind);
  const { fake, forge } = hub;
  await fake.closePullRequest(hub.pullRequest, 'ada');
  after(() => hub.close());
  let branches = 0;
  forgeSuite(`GitHub with ${kind === 'app' ? 'an App' : 'a token'}`, async () => {
    branches += 1;
    const head = `topic-${branches}`;
    const sha = await commitAndPush(hub.work, fake.pushUrl, head);
    const { number } = await fake.openPullRequest({ head, base: 'main', title: 'More data', user: 'ada' });
    return {
      forge,
      sha,
      pullRequest: number,
      admin: 'octo',
      nobody: 'nobody-at-all',
      // GitHub keeps all statuses and shows the last of each context.
      shownResults: () =>
        Promise.resolve([
          ...new Map(
            fake.statuses(sha).map((status) => [status.context, `${status.context} ${status.state}`]),
          ).values(),
        ]),
      shownComments: () => Promise.resolve(fake.comments(number).map(({ body }) => body)),
      shownCheckRuns: () => Promise.resolve(fake.checkRuns(sha).length),
      close: async () => {
        await fake.closePullRequest(number, 'ada');
        assert.deepEqual(fake.violations(), []);
      },
    };
  });
}
