/** The chapters: a first model, a worse one, a better one, broken data, a schedule. */
import { changeBroken, changeBetter, changeSlower, changeWorse, type Change } from './changes.ts';
import type { Comment, Status } from './github/github.ts';
import {
  championOf,
  context,
  Disappointment,
  expect,
  settledStatus,
  until,
  type Champion,
  type Narrator,
} from './story.ts';
import { engineer, fullName, type Stage } from './stage.ts';

export interface Chapter {
  readonly title: string;
  tell(stage: Stage, narrator: Narrator): Promise<void>;
}

const model = 'birdstrikes';

/** The last part of the link that a status carries: the run's id. */
function runIdOf(status: Status): string {
  return (status.targetUrl ?? '').replace(/^.*\/runs\//, '');
}

async function commitAll(stage: Stage, message: string): Promise<string> {
  await stage.git('add', '--all');
  await stage.git('commit', '--quiet', '-m', message);
  return stage.git('rev-parse', 'HEAD');
}

/** Branch, change, push, pull request; gives the number, the commit and its status once it is settled. */
async function propose(
  stage: Stage,
  branch: string,
  title: string,
  change: Change,
): Promise<{ number: number; sha: string; status: Status; comment: Comment }> {
  await stage.git('fetch', '--quiet', 'origin');
  await stage.git('checkout', '--quiet', '-B', branch, 'origin/main');
  await change(stage.clone);
  const sha = await commitAll(stage, title);
  await stage.git('push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
  const { number } = await stage.github.openPullRequest({ head: branch, base: 'main', title, user: engineer });
  const status = await settledStatus(stage, sha);
  const comment = await until(`the comment on #${number}`, () =>
    stage.github.comments(number).find((each) => each.body.includes(sha.slice(0, 7)) && !each.body.includes('Running')),
  );
  const checkRun = await until(`the check run on ${sha.slice(0, 7)}`, () =>
    stage.github.checkRuns(sha).find((run) => run.name === context && run.status === 'completed'),
  );
  expect(
    checkRun.conclusion === (status.state === 'success' ? 'success' : 'failure'),
    `the check run says ${checkRun.conclusion}, the status ${status.state}`,
  );
  expect(
    stage.github.comments(number).length === 1,
    `#${number} has ${stage.github.comments(number).length} comments, not one`,
  );
  return { number, sha, status, comment };
}

function pullUrl(stage: Stage, number: number): string {
  return `${stage.github.webUrl}/${fullName}/pull/${number}`;
}

async function mustBeChampion(stage: Stage): Promise<Champion> {
  const champion = await championOf(stage, model);
  if (champion === null) throw new Disappointment(`${model} has no champion`);
  return champion;
}

const firstModel: Chapter = {
  title: 'A push to main trains the first model',
  async tell(stage, narrator) {
    const sha = await commitAll(stage, 'Predict damage from bird strikes');
    await stage.git('push', '--quiet', 'origin', 'HEAD:refs/heads/main');
    const status = await settledStatus(stage, sha);
    expect(status.state === 'success', `the status of the push is ${status.state}: ${status.description}`);
    const isTaken = stage.github.deliveries().some((each) => each.event === 'push' && each.status === 202);
    expect(isTaken, 'no webhook of the push was answered with 202');
    narrator.fact(`a signed webhook, a run, a commit status: ${status.description}`);
    const champion = await until('the first champion', () => championOf(stage, model));
    expect(champion.version === 1 && champion.runId === runIdOf(status), 'the champion is not the model of this run');
    narrator.fact(`nobody held the title: champion v1, decided by ${champion.decidedBy}`);
    narrator.link('run', status.targetUrl ?? '');
  },
};

const worseModel: Chapter = {
  title: 'A pull request with a worse model',
  async tell(stage, narrator) {
    const { number, status, comment } = await propose(
      stage,
      'fewer-features',
      'Train on the airport alone',
      changeWorse,
    );
    expect(status.state === 'failure', `a worse model got the status ${status.state}: ${status.description}`);
    expect(/\*\*roc_auc\*\* \|[ \d.|]+\| -/.test(comment.body), 'the comment does not say that roc_auc fell');
    expect((await mustBeChampion(stage)).version === 1, 'a worse model became champion');
    narrator.fact(`not promoted: ${status.description}`);
    narrator.link('pull request', pullUrl(stage, number));
    await stage.github.closePullRequest(number, engineer);
  },
};

const betterModel: Chapter = {
  title: 'A pull request with a better model',
  async tell(stage, narrator) {
    const { number, status, comment } = await propose(
      stage,
      'more-features',
      'Learn from phase of flight and species',
      changeBetter,
    );
    expect(status.state === 'success', `a better model got the status ${status.state}: ${status.description}`);
    expect(/\*\*roc_auc\*\* \|[ \d.|]+\| \+/.test(comment.body), 'the comment does not say that roc_auc rose');
    narrator.fact(`reported as better: ${status.description}`);
    expect((await mustBeChampion(stage)).version === 1, 'an unmerged pull request promoted its model');
    narrator.fact('not merged yet, so v1 is still champion');
    const mergeSha = await stage.github.mergePullRequest(number, engineer);
    const champion = await until('the champion to change', async () => {
      const now = await championOf(stage, model);
      return now?.version === 2 ? now : null;
    });
    expect(champion.runId === runIdOf(status), 'the champion is not the artifact that the pull request evaluated');
    const merged = await settledStatus(stage, mergeSha);
    expect(
      merged.state === 'success' && /not trained again/.test(merged.description ?? ''),
      `the merge commit was handled as ${merged.state}: ${merged.description}`,
    );
    narrator.fact(
      `merged, and only then champion v2: the very artifact that was evaluated, ${champion.sha256.slice(0, 12)}; nothing was trained twice`,
    );
    narrator.link('pull request', pullUrl(stage, number));
  },
};

const brokenData: Chapter = {
  title: 'A pull request with broken data',
  async tell(stage, narrator) {
    const { number, status, comment } = await propose(
      stage,
      'new-extract',
      'Bring a new extract of the data',
      changeBroken,
    );
    expect(status.state === 'failure', `broken data got the status ${status.state}: ${status.description}`);
    expect(/^strikes failed: .*rows/.test(status.description ?? ''), `the gate did not fail: ${status.description}`);
    expect(/\| strikes \|.*\| ✗ failed/.test(comment.body), 'the comment has no row of the gate that failed');
    expect(/: 1 failed, \d+ skipped\./.test(comment.body), 'the comment does not say that the rest was skipped');
    expect((await mustBeChampion(stage)).version === 2, 'the champion changed');
    narrator.fact(`the gate stopped it, the rest was skipped: ${status.description}`);
    narrator.link('pull request', pullUrl(stage, number));
  },
};

interface ApiRun {
  readonly id: string;
  readonly trigger: string;
  readonly state: string;
  readonly pipeline: string;
}

const schedule: Chapter = {
  title: 'Meanwhile, a schedule',
  async tell(stage, narrator) {
    const run = await until('a scheduled run', async () => {
      const answer = await fetch(`${stage.serverUrl}/api/v1/runs?limit=200`);
      const { runs } = (await answer.json()) as { readonly runs: readonly ApiRun[] };
      return runs.find((each) => each.trigger === 'schedule' && each.state === 'success');
    });
    narrator.fact(
      `cron fired ${run.pipeline} by itself (its expression has a field for seconds, so that nobody has to wait)`,
    );
    narrator.link('run', `${stage.serverUrl}/runs/${run.id}`);
    await stage.git('fetch', '--quiet', 'origin');
    await stage.git('checkout', '--quiet', '-B', 'main', 'origin/main');
    await changeSlower(stage.clone);
    await commitAll(stage, 'Look once an hour');
    await stage.git('push', '--quiet', 'origin', 'HEAD:refs/heads/main');
    await until('the slower schedule', async () => {
      const page = await fetch(`${stage.serverUrl}/pipelines`);
      return (await page.text()).includes('<code>0 * * * *</code>') ? true : null;
    });
    narrator.fact('a push to main has slowed it to once an hour');
  },
};

const everythingWasLawful: Chapter = {
  title: 'Every call of GitHub, held to its published schema',
  async tell(stage, narrator) {
    const violations = stage.github.violations();
    expect(violations.length === 0, `${violations.length} breaches, the first: ${violations[0]}`);
    narrator.fact(
      `${stage.github.requests().length} requests and ${stage.github.deliveries().length} webhooks, no breach`,
    );
    return Promise.resolve();
  },
};

/** `validate`: whether the stage holds calls to GitHub's schema, and so has something to tell of that. */
export function chaptersOf({ validate }: { readonly validate: boolean }): readonly Chapter[] {
  const story = [firstModel, worseModel, betterModel, brokenData, schedule];
  return validate ? [...story, everythingWasLawful] : story;
}
