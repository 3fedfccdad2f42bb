/** What every forge promises, whatever stands behind it. Run with a real or faked forge that holds one commit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Forge, RunReport } from '../../src/forge/forge.ts';

export interface ForgeUnderTest {
  readonly forge: Forge;
  /** A commit that the forge knows. */
  readonly sha: string;
  /** An open pull request whose head is `sha`, or null where the forge has none. */
  readonly pullRequest: number | null;
  /** Somebody with all rights, and somebody whom nobody knows; null where everybody may everything. */
  readonly admin: string;
  readonly nobody: string | null;
  /** The results that a reader finds at the commit, a line each, as text that names the pipeline. */
  readonly shownResults: () => Promise<readonly string[]>;
  /** The comments of the pull request. */
  readonly shownComments: () => Promise<readonly string[]>;
  /** Check runs at the commit. */
  readonly shownCheckRuns: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Registers the suite under `name`; `start` gives a forge with nothing reported yet. */
export function forgeSuite(name: string, start: () => Promise<ForgeUnderTest>): void {
  const promise = (title: string, body: (under: ForgeUnderTest) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const under = await start();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });
  };

  promise('the same result sent three times is shown once', async ({ forge, sha, shownResults }) => {
    for (let time = 0; time < 3; time += 1)
      assert.deepEqual(await forge.setStatus(reportOf(sha)), { ok: true, value: undefined });
    assert.equal((await shownResults()).filter((line) => line.includes('weekly-churn')).length, 1);
  });

  promise(
    'a later result replaces the one before, and pipelines do not touch each other',
    async ({ forge, sha, shownResults }) => {
      for (const [pipeline, state] of [
        ['one', 'running'],
        ['two', 'running'],
        ['two', 'success'],
        ['one', 'failure'],
      ] as const) {
        assert.ok((await forge.setStatus({ ...reportOf(sha), pipeline, state })).ok);
      }
      const shown = await shownResults();
      assert.equal(shown.length, 2);
      assert.match(shown.find((line) => line.includes('contender/one')) ?? '', /fail/);
      assert.match(shown.find((line) => line.includes('contender/two')) ?? '', /success|passed/);
    },
  );

  promise(
    'a comment is one, however often it is set, with its id and without',
    async ({ forge, sha, pullRequest, shownComments }) => {
      const first = await forge.setComment(reportOf(sha), pullRequest ?? 1, null);
      assert.ok(first.ok);
      const again = await forge.setComment({ ...reportOf(sha), summary: 'Second.' }, pullRequest ?? 1, first.value);
      const lost = await forge.setComment({ ...reportOf(sha), summary: 'Third.' }, pullRequest ?? 1, null);
      assert.deepEqual([again, lost], [first, first]);
      const shown = await shownComments();
      assert.equal(shown.length, first.value === null ? 0 : 1);
      for (const body of shown) assert.match(body, /Third\./);
    },
  );

  promise('two comments at once are one', async ({ forge, sha, pullRequest, shownComments }) => {
    const both = await Promise.all([
      forge.setComment(reportOf(sha), pullRequest ?? 1, null),
      forge.setComment(reportOf(sha), pullRequest ?? 1, null),
    ]);
    assert.ok(both[0].ok);
    assert.deepEqual(both[0], both[1]);
    assert.equal((await shownComments()).length, both[0].value === null ? 0 : 1);
  });

  promise(
    'a check run is one, however often it is set, or null where there are none',
    async ({ forge, sha, shownCheckRuns }) => {
      const first = await forge.setCheckRun({ ...reportOf(sha), state: 'running' }, null);
      assert.ok(first.ok);
      assert.deepEqual(await forge.setCheckRun(reportOf(sha), first.value), first);
      assert.deepEqual(await forge.setCheckRun(reportOf(sha), null), first);
      assert.equal(await shownCheckRuns(), first.value === null ? 0 : 1);
    },
  );

  promise('what nobody has signed is refused', async ({ forge }) => {
    const body = new TextEncoder().encode('{"ref":"refs/heads/main"}');
    for (const headers of [
      {},
      { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}`, 'x-github-event': 'push', 'x-github-delivery': '1' },
    ]) {
      const received = await forge.receive({ headers, body });
      assert.equal(received.ok ? '' : received.error.kind, 'unsigned');
    }
  });

  promise('what is no commit is a final error, never an exception', async ({ forge }) => {
    for (const sha of ['', 'main', '--output=/tmp/x', 'g'.repeat(40)]) {
      for (const answer of [
        forge.setStatus(reportOf(sha)),
        forge.setCheckRun(reportOf(sha), null),
        forge.setComment(reportOf(sha), 1, null),
        forge.pullRequestsOf(sha),
      ]) {
        const given = await answer;
        assert.equal(given.ok ? '' : given.error.kind, 'final');
      }
    }
  });

  promise('pull requests are found by number, by state and by their head', async ({ forge, sha, pullRequest }) => {
    const [open, ofHead] = [await forge.openPullRequests(), await forge.pullRequestsOf(sha)];
    assert.ok(open.ok && ofHead.ok);
    const expected = pullRequest === null ? [] : [pullRequest];
    assert.deepEqual(
      [open.value.map(({ number }) => number), ofHead.value.map(({ number }) => number)],
      [expected, expected],
    );
    if (pullRequest !== null) {
      const one = await forge.pullRequest(pullRequest);
      assert.ok(one.ok);
      assert.deepEqual([one.value.headSha, one.value.state, one.value.fork], [sha, 'open', false]);
    }
    const none = await forge.pullRequest(999_999);
    assert.equal(none.ok ? '' : none.error.kind, 'final');
  });

  promise('permissions are told, and a stranger has none', async ({ forge, admin, nobody }) => {
    assert.deepEqual(await forge.permission(admin), { ok: true, value: 'admin' });
    if (nobody !== null) assert.deepEqual(await forge.permission(nobody), { ok: true, value: 'none' });
  });

  promise('an address of a commit or pull request names it, or there is none', async ({ forge, sha }) => {
    for (const [address, name] of [
      [forge.commitUrl(sha), sha],
      [forge.pullRequestUrl(5), '/5'],
    ] as const) {
      assert.ok(address === null || (address.includes(name) && URL.canParse(address)));
    }
    const credentials = await forge.gitCredentials();
    assert.ok(credentials === null || credentials.password !== '');
  });
}

function reportOf(sha: string): RunReport {
  return {
    pipeline: 'weekly-churn',
    sha,
    runId: 'run-1',
    runNumber: 1,
    isAsked: true,
    url: 'https://ci.example/runs/run-1',
    state: 'success',
    summary: 'All steps passed.',
    startedAt: 1_700_000_000_000,
    finishedAt: 1_700_000_060_000,
    steps: [],
    gates: [],
    challenges: [],
    problems: [],
    mentions: [],
    baseSha: null,
    change: null,
  };
}
