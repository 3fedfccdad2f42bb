/** What a pull request does to pipelines is told on it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineChange, PullRequest } from '../../src/forge/forge.ts';
import type { Sha } from '../../src/git/git.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { fileOf } from '../simulation/pipelines.ts';
import { refusesIdsOfComments, Stage } from '../simulation/stage.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const pullRequest = { branches: [], paths: [] };

/** With a gate of so many rows at least, and so much time. */
function guarded(name: string, rows: number, on: Partial<PipelineDefinition['on']>): PipelineDefinition {
  const checks = [{ check: 'rows', min: rows, max: null } as const];
  return pipelineOf(
    [
      stepOf({ name: 'validate', work: { kind: 'gate', data: { literal: 'x.csv' }, checks } }),
      stepOf({ name: 'train', upstream: ['validate'] }),
    ],
    { name, on: { schedule: null, push: null, pullRequest: null, ...on } },
  );
}

const pipelines = [guarded('asked', 1000, { pullRequest }), guarded('quiet', 1000, {}), guarded('other', 1000, {})];
const later = [guarded('asked', 10, { pullRequest }), guarded('quiet', 10, {})];

const asked = { '.pipelines/asked.ts': fileOf('asked', 1) };
const quiet = { '.pipelines/quiet.ts': fileOf('quiet', 1) };

const weakened = ['gate "validate", number of rows: min fell from 1000 to 10'];

function change(pipeline: string, kind: PipelineChange['kind'] = 'changed'): PipelineChange {
  const sentences = ['step "validate": checks[0].min: 1000 → 10'];
  return { pipeline, kind, weakened, sentences, count: 1 };
}

/** A pull request that changes these files, when all that follows from it has been told. */
async function proposed(
  texts: Readonly<Record<string, string | null>>,
  given: Partial<PullRequest> = {},
  message?: string,
): Promise<{ readonly stage: Stage; readonly head: Sha }> {
  const stage = await Stage.open({ pipelines, later });
  const head = stage.commit('feature', undefined, texts, message);
  stage.propose(head, given);
  await told(stage, head);
  return { stage, head };
}

async function told(stage: Stage, head: Sha): Promise<void> {
  await stage.until('the head was looked at', () =>
    [...stage.world.history.triggers.keys()].some((key) => key.startsWith('looked:') && key.endsWith(head)),
  );
  await stage.rest();
}

test('the report of a pipeline that the pull request runs says what changes in it, in comment and check run', async () => {
  const { stage } = await proposed(asked);
  const { comments, changes, checkRuns } = stage.world.forge;
  assert.deepEqual([comments.map(({ report }) => report.change), changes], [[change('asked')], []]);
  assert.deepEqual(
    [...checkRuns.values()].map(({ report }) => report.change),
    [change('asked')],
  );
});

test('where no pipeline changes, nothing is said of it', async () => {
  const { stage } = await proposed({ 'readme.md': 'words' });
  const { comments, changes } = stage.world.forge;
  assert.deepEqual([comments.map(({ report }) => report.change), changes], [[null], []]);
});

test('pipelines that report nothing on the pull request share one comment, those that come and go too', async () => {
  const { stage, head } = await proposed({ ...asked, ...quiet, '.pipelines/other.ts': null });
  const { comments, changes } = stage.world.forge;
  assert.deepEqual(
    comments.map(({ context }) => context),
    ['contender/asked'],
  );
  const gone = {
    pipeline: 'other',
    kind: 'removed',
    weakened: ['the gate "validate" is gone'],
    sentences: ['step "validate" is gone', 'step "train" is gone'],
    count: 2,
  };
  assert.deepEqual(
    changes.map(({ reports }) => reports.at(-1)),
    [{ pipeline: null, sha: head, changes: [change('quiet'), gone] }],
  );
});

test('a base branch that moves on changes nothing of what is told', async () => {
  const stage = await Stage.open({ pipelines, later });
  const left = stage.push('main');
  const head = stage.commit('feature', [left], asked);
  stage.push('main');
  stage.commit('main', undefined, quiet);
  stage.propose(head);
  await told(stage, head);
  assert.deepEqual([stage.world.forge.comments[0]?.report.change, stage.world.forge.changes], [change('asked'), []]);
});

for (const { title, given, message, own, shared } of [
  { title: 'of a fork, in one', given: { fork: true }, message: 'Change', own: [], shared: ['asked', 'quiet'] },
  { title: 'by its message', given: {}, message: 'Change [skip ci]', own: ['asked'], shared: ['quiet'] },
]) {
  test(`what runs nothing has a comment all the same where the pipeline changes: ${title}`, async () => {
    const { stage } = await proposed({ ...asked, ...quiet }, given, message);
    const { comments, changes } = stage.world.forge;
    assert.deepEqual(
      comments.map(({ report }) => [report.state, report.change]),
      own.map((name) => ['neutral', change(name)]),
    );
    assert.deepEqual(
      changes.map(({ reports }) => reports.at(-1)?.changes),
      [shared.map((name) => change(name))],
    );
    const other = await proposed({ 'readme.md': 'words' }, given, message);
    assert.deepEqual([other.stage.world.forge.comments, other.stage.world.forge.changes], [[], []]);
  });
}

test('of the pipelines that a fork brings along nothing is said but in the one comment', async () => {
  const stage = await Stage.open({ pipelines, later });
  const base = stage.commit('main', undefined, { '.pipelines/asked.ts': null });
  const head = stage.commit('feature', [base], asked);
  stage.propose(head, { fork: true });
  await told(stage, head);
  const { comments, changes, statuses } = stage.world.forge;
  assert.deepEqual(
    [comments, changes.map(({ reports }) => reports.at(-1)?.changes.map(({ pipeline, kind }) => [pipeline, kind]))],
    [[], [[['asked', 'added']]]],
  );
  assert.deepEqual(
    [...statuses.values()].filter(({ sha }) => sha === head),
    [],
  );
});

test('a file that is broken has no change to tell, before or after', async () => {
  const after = await proposed({ '.pipelines/quiet.ts': 'broken', '.pipelines/asked.ts': 'broken' });
  assert.deepEqual(
    new Set(after.stage.world.forge.comments.map(({ report }) => [report.pipeline, report.state, report.change])),
    new Set([
      ['asked', 'error', null],
      ['quiet', 'error', null],
    ]),
  );
  assert.deepEqual(after.stage.world.forge.changes, []);
  const stage = await Stage.open({ pipelines, later });
  const broken = stage.commit('main', undefined, { '.pipelines/quiet.ts': 'broken', '.pipelines/asked.ts': 'broken' });
  const head = stage.commit('feature', [broken]);
  stage.propose(head);
  await told(stage, head);
  const nothing = { pipeline: 'asked', kind: 'unknown', weakened: [], sentences: [], count: 0 };
  assert.deepEqual([stage.world.forge.comments[0]?.report.change, stage.world.forge.changes], [nothing, []]);
});

test('a base that Git does not have keeps no report waiting', async () => {
  const { stage } = await proposed({ ...asked, ...quiet }, { baseSha: 'f'.repeat(40) });
  const [comment] = stage.world.forge.comments;
  assert.deepEqual([comment?.report.state, comment?.report.change?.kind], ['success', 'unknown']);
  assert.deepEqual(stage.world.forge.changes, []);
});

test('a head without the change takes the comment back, one that comes back has it again, and the same news change nothing', async () => {
  const stage = await Stage.open({ pipelines, later });
  const main = stage.world.remote.branches.get('main');
  assert.ok(main !== undefined);
  const first = stage.commit('feature', [main], quiet);
  const news = stage.propose(first);
  await told(stage, first);
  const second = stage.commit('feature', [main]);
  stage.propose(second);
  await told(stage, second);
  stage.world.remote.branches.set('feature', first);
  stage.propose(first);
  await stage.rest();
  // What is told late of the head between is no news.
  stage.hook({ type: 'pull-request', action: 'synchronize', pullRequest: { ...news, headSha: second }, actor: 'late' });
  const { time } = stage.world;
  const soon = time.now + 60_000;
  await stage.until('a minute has passed', () => time.now > soon);
  // A report may come twice.
  const said = (stage.world.forge.changes[0]?.reports ?? []).filter(
    ({ sha }, at, all) => at === 0 || sha !== all[at - 1]?.sha,
  );
  assert.deepEqual(
    said.map(({ sha, changes }) => [sha, changes]),
    [
      [first, [change('quiet')]],
      [second, []],
      [first, [change('quiet')]],
    ],
  );
});

test('a comment whose id was never kept is taken back too', async () => {
  const stage = await Stage.open({ pipelines, later });
  const { world } = stage;
  const main = world.remote.branches.get('main');
  assert.ok(main !== undefined);
  world.interfere = refusesIdsOfComments;
  stage.propose(stage.commit('feature', [main], quiet));
  await stage.until('the change is told', () => world.forge.changes.length === 1);
  const without = stage.commit('feature', [main]);
  stage.propose(without);
  await stage.until('the head without it was looked at', () =>
    [...world.history.triggers.keys()].some((key) => key.startsWith('looked:') && key.endsWith(without)),
  );
  world.interfere = () => null;
  await stage.rest();
  assert.deepEqual(world.forge.changes[0]?.reports.at(-1), { pipeline: null, sha: without, changes: [] });
});

test('who listens to pull requests of another branch reports on none, of a fork neither', async () => {
  const elsewhere = { pullRequest: { branches: ['release'], paths: [] } };
  for (const fork of [false, true]) {
    const stage = await Stage.open({
      pipelines: [guarded('asked', 1000, elsewhere)],
      later: [guarded('asked', 10, elsewhere)],
    });
    const head = stage.commit('feature', undefined, asked);
    stage.propose(head, { fork });
    const { comments, changes } = stage.world.forge;
    await stage.until('one comment is there', () => comments.length + changes.length > 0);
    if (fork) await stage.rest();
    assert.deepEqual([comments.length, changes.length], [0, 1]);
  }
});

/** A pull request onto main whose branch left another one, `release`, where `asked` is changed already. */
async function proposedBehindRelease(texts: Readonly<Record<string, string>> = {}): Promise<{
  readonly stage: Stage;
  readonly head: Sha;
  readonly main: Partial<PullRequest>;
  readonly release: Partial<PullRequest>;
}> {
  const stage = await Stage.open({ pipelines, later });
  const [main, release] = [stage.world.remote.branches.get('main'), stage.commit('release', undefined, asked)];
  assert.ok(main !== undefined);
  const head = stage.commit('feature', [release], { ...asked, ...texts });
  stage.propose(head);
  await told(stage, head);
  return {
    stage,
    head,
    main: { baseBranch: 'main', baseSha: main },
    release: { baseBranch: 'release', baseSha: release },
  };
}

function shown({ world: { forge } }: Stage): unknown {
  return {
    comments: forge.comments.map(({ report }) => report.change),
    checks: [...forge.checkRuns.values()].map(({ report }) => report.change),
    others: forge.changes.map(({ reports }) => reports.at(-1)?.changes),
  };
}

test('another base branch has everything told anew about it, and back again, without another run', async () => {
  const { stage, head, main, release } = await proposedBehindRelease(quiet);
  const quietOnly = [[change('quiet')]];
  const onMain = { comments: [change('asked')], checks: [change('asked')], others: quietOnly };
  assert.deepEqual(shown(stage), onMain);
  const { comments } = stage.world.forge;
  for (let round = 0; round < 2; round += 1) {
    stage.propose(head, release);
    await stage.until('it is told of release', () => comments[0]?.report.change === null);
    await stage.rest();
    assert.deepEqual(shown(stage), { comments: [null], checks: [null], others: quietOnly });
    stage.propose(head, main);
    await stage.until('it is told of main', () => comments[0]?.report.change !== null);
    await stage.rest();
    assert.deepEqual(shown(stage), onMain);
  }
  assert.equal(stage.world.history.runs.size, 1);
});

test('a head that comes back after the base branch became another is told of beside that one, in its check run too', async () => {
  const { stage, head, main, release } = await proposedBehindRelease();
  const { remote, forge } = stage.world;
  const told = (): unknown => {
    const check = [...forge.checkRuns.values()].find(({ report }) => report.sha === head);
    return [forge.comments[0]?.report.change, check?.report.change];
  };
  for (const [base, expected] of [
    [release, null],
    [main, change('asked')],
  ] as const) {
    const between = stage.commit('feature', [head], { 'words.md': String(base.baseBranch) });
    stage.propose(between, base);
    await stage.until('it is told of another', () => forge.comments[0]?.report.sha === between);
    await stage.rest();
    remote.branches.set('feature', head);
    stage.propose(head);
    await stage.until('it is told of the head again', () => forge.comments[0]?.report.sha === head);
    await stage.rest();
    assert.deepEqual(told(), [expected, expected]);
  }
  assert.equal(forge.comments.length, 1);
});

test('late news of the base branch that a pull request had before change nothing', async () => {
  const { stage, head, main, release } = await proposedBehindRelease();
  stage.propose(head, release);
  const { comments } = stage.world.forge;
  await stage.until('it is told of release', () => comments[0]?.report.change === null);
  const pullRequest = stage.proposed(head, main);
  stage.hook({ type: 'pull-request', action: 'synchronize', pullRequest, actor: 'late' }, 'late');
  await stage.until('the news were read', () => stage.world.history.deliveries.get('late')?.state === 'ignored');
  await stage.rest();
  assert.deepEqual(comments[0]?.report.change, null);
});

test('the check run of a commit that is pushed and proposed keeps what the pull request changes, whoever reports last', async () => {
  const on = { push: { branches: ['**'], tags: [], paths: [] }, pullRequest };
  const stage = await Stage.open({ pipelines: [guarded('asked', 1000, on)], later: [guarded('asked', 10, on)] });
  const { world } = stage;
  const head = stage.commit('feature', undefined, asked);
  stage.propose(head);
  await told(stage, head);
  stage.hook({ type: 'push', ref: 'refs/heads/feature', before: null, after: head, actor: 'ada' });
  await stage.until('the push has its run', () => world.history.runs.size === 2);
  await stage.rest();
  const last = [...world.forge.checkRuns.values()].at(-1)?.report;
  const pushed = [...world.history.runs.values()].find(({ opened }) => opened.trigger.kind === 'push');
  assert.deepEqual([last?.runId, last?.change], [pushed?.opened.runId, change('asked')]);
});

test('so does that of a commit that asks for no run, whether its push or a run by hand reports last', async () => {
  const on = { push: { branches: ['**'], tags: [], paths: [] }, pullRequest };
  const stage = await Stage.open({ pipelines: [guarded('asked', 1000, on)], later: [guarded('asked', 10, on)] });
  const { forge } = stage.world;
  const shown = (): unknown => {
    const last = [...forge.checkRuns.values()].at(-1)?.report;
    return [last?.runId, last?.change];
  };
  const head = stage.commit('feature', undefined, asked, 'Change [skip ci]');
  stage.propose(head);
  await told(stage, head);
  assert.deepEqual(shown(), [null, change('asked')]);
  stage.hook({ type: 'push', ref: 'refs/heads/feature', before: null, after: head, actor: 'ada' }, 'push');
  await stage.until('the push was taken in', () => stage.world.history.deliveries.get('push')?.state === 'done');
  await stage.rest();
  assert.deepEqual(shown(), [null, change('asked')]);
  stage.ask('asked', head);
  await stage.until('somebody has it run', () => stage.world.history.runs.size === 1);
  await stage.rest();
  assert.deepEqual(shown(), [stage.run('asked').opened.runId, change('asked')]);
});
