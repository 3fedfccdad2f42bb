/** "Re-run" beside a check, or beside all checks of a commit. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { CheckRun } from '../../src/demo/github/github.ts';
import type { RunRow } from '../../src/journal/journal.ts';
import { isJsonObject, type JsonObject } from '../../src/std/json.ts';
import { openGitHubSystem, type GitHubSystem } from '../support/github-system.ts';
import { quickPipeline } from './pipelines.ts';

let it: GitHubSystem;

before(async () => {
  it = await openGitHubSystem({ poll: '1h' });
  it.hooks(true);
});
after(() => it.close());
beforeEach(() => it.passes(60_000));

const file = (name: string): string => `.pipelines/${name}.ts`;

/** Newest first. */
const runsOf = (sha: string, pipeline: string): Promise<readonly RunRow[]> =>
  it.system.journal.runs({ sha, pipeline, limit: 10 });

/** All of them have ended. */
const ended = (sha: string, pipeline: string, count: number): Promise<readonly RunRow[]> =>
  it.system.until(`${count} runs of ${pipeline} to end`, async () => {
    const runs = await runsOf(sha, pipeline);
    return runs.length === count && runs.every(({ finishedAt }) => finishedAt !== null) ? runs : null;
  });

const check = (sha: string, pipeline: string, externalId: string, status: string): Promise<CheckRun> =>
  it.system.until(`the check of ${pipeline} to be ${status}`, async () =>
    it.github
      .checkRuns(sha)
      .find(
        (each) => each.name === `contender/${pipeline}` && each.externalId === externalId && each.status === status,
      ),
  );

/** Works until there is the file that is given back. */
function slowPipeline(name: string, on: string, owner: string): { readonly text: string; readonly until: string } {
  const until = join(it.folder, `${name}-${owner}`);
  const text = `import { pipeline, step } from 'contender';
export default pipeline('${name}', { on: ${on}, cancelInProgress: true, owner: '${owner}' }, () => {
  step('work', { command: ['sh', '-c', 'until [ -e "${until}" ]; do sleep 0.02; done'] });
});
`;
  return { text, until };
}

test('a check is run again from the trigger of the run that it shows, once for each time that it is asked for', async () => {
  const on = `{ push: { branches: ['twice'] }, pullRequest: true }`;
  const sha = await it.push('twice', 'Add it', { [file('twice')]: quickPipeline('twice', on) });
  const [pushed] = await ended(sha, 'twice', 1);
  await it.github.openPullRequest({ head: 'twice', base: 'main', title: 'Twice', user: 'grace' });
  const [proposed] = await ended(sha, 'twice', 2);
  assert.ok(pushed !== undefined && proposed?.opened.trigger.kind === 'pull-request');

  const shown = await check(sha, 'twice', proposed.id, 'completed');
  it.github.rerequestCheckRun(shown.id, 'grace');
  await it.handled();
  const [again] = await ended(sha, 'twice', 3);
  assert.ok(again !== undefined);
  const trigger = { kind: 'rerun', of: proposed.id, steps: 'all', actor: 'grace', first: proposed.opened.trigger };
  assert.deepEqual(
    { ...again.opened, at: 0, runId: '' },
    { ...proposed.opened, trigger, at: 0, runId: '' },
    'the same again, but for its time and id, and who asked for it',
  );
  await check(sha, 'twice', again.id, 'completed');

  const hook = it.hook('check_run', '"action":"rerequested"');
  assert.equal(await it.deliver(hook, hook.id), 200);
  await it.handled();
  assert.equal((await runsOf(sha, 'twice')).length, 3, 'a redelivery is the same wish');
});

test('all checks of a commit are run again, each pipeline once', async () => {
  const on = `{ push: { branches: ['both'] } }`;
  const sha = await it.push('both', 'Add two', {
    [file('one')]: quickPipeline('one', on),
    [file('two')]: quickPipeline('two', on),
  });
  const [one] = await ended(sha, 'one', 1);
  await ended(sha, 'two', 1);
  it.github.rerequestCheckRun((await check(sha, 'one', one?.id ?? '', 'completed')).id, 'grace');
  await ended(sha, 'one', 2);
  await it.handled();

  const hook = it.hook('check_run', `"head_sha":"${sha}"`);
  assert.equal(await it.deliver({ event: 'check_suite', body: suiteOf(hook.body, sha) }), 202);
  await it.handled();
  await ended(sha, 'one', 3);
  await ended(sha, 'two', 2);
});

test('a run that is under way is not doubled', async () => {
  const { text, until } = slowPipeline('slow', `{ push: { branches: ['slow'] } }`, 'mona');
  const sha = await it.push('slow', 'Add it', { [file('slow')]: text });
  const run = await it.system.untilRun('the slow run', ({ opened }) => opened.sha === sha);
  await it.passes(60_000);
  it.github.rerequestCheckRun((await check(sha, 'slow', run.id, 'in_progress')).id, 'grace');
  await it.handled();
  await writeFile(until, '');
  assert.equal((await it.settled(sha, 'slow')).state, 'success');
  assert.equal((await runsOf(sha, 'slow')).length, 1);
});

test('an older commit that is to run again cancels nothing of a newer one, and runs when it is asked for later', async () => {
  const on = `{ push: { branches: ['moved'] } }`;
  const first = await it.push('moved', 'One', {
    [file('moved')]: quickPipeline('moved', on, 'cancelInProgress: true'),
  });
  const [old] = await ended(first, 'moved', 1);
  const shown = await check(first, 'moved', old?.id ?? '', 'completed');
  const { text, until } = slowPipeline('moved', on, 'grace');
  const second = await it.push('moved', 'Two', { [file('moved')]: text });
  await it.system.untilRun('the newer run', ({ opened }) => opened.sha === second);
  it.github.rerequestCheckRun(shown.id, 'grace');
  await it.handled();
  await writeFile(until, '');
  assert.equal((await it.settled(second, 'moved')).state, 'success');
  assert.equal((await runsOf(first, 'moved')).length, 1);
  it.github.rerequestCheckRun(shown.id, 'grace');
  await ended(first, 'moved', 2);
});

/** What GitHub sends for "Re-run all checks", made of what it sends for one. */
function suiteOf(body: string, sha: string): string {
  const { check_run: one, ...event } = parsed(body);
  assert.ok(isJsonObject(one) && one['app'] !== undefined);
  const suite: JsonObject = { id: 4711, head_sha: sha, app: one['app'] };
  return JSON.stringify({ ...event, check_suite: suite });
}

function parsed(body: string): JsonObject {
  const value: unknown = JSON.parse(body);
  assert.ok(isJsonObject(value));
  return value;
}

test('lines of a failed log are annotations of the check, masked, and no other run has them', async () => {
  const sha = await it.push('named', 'Add it', {
    'src/train.mjs': `export function train() {\n  throw new Error("It's a Secret to Everybody");\n}\ntrain();\n`,
    [file('named')]: `import { pipeline, step } from 'contender';
import { existsSync } from 'node:fs';
export default pipeline('named', { on: { push: { branches: ['named'] } } }, () => {
  step('train', { command: ['sh', '-c', '[ -e "${join(it.folder, 'mended')}" ] || node src/train.mjs'] });
  step('test', {
    run() {
      if (!existsSync('${join(it.folder, 'mended')}')) throw new TypeError('no rows');
    },
  });
});
`,
  });
  const [failed] = await ended(sha, 'named', 1);
  assert.ok(failed !== undefined);
  const red = await check(sha, 'named', failed.id, 'completed');
  assert.deepEqual(
    red.annotations.map(({ path, start_line: line, title, message, annotation_level: level }) => [
      `${path}:${line}`,
      title,
      message,
      level,
    ]),
    [
      ['src/train.mjs:2', 'train', 'Error: ***', 'failure'],
      ['src/train.mjs:4', 'train', 'Error: ***', 'failure'],
      [`${file('named')}:7`, 'test', 'TypeError: no rows', 'failure'],
    ],
  );
  assert.match(red.text ?? '', /TypeError: no rows/);

  await writeFile(join(it.folder, 'mended'), '');
  it.github.rerequestCheckRun(red.id, 'grace');
  await it.handled();
  const [again] = await ended(sha, 'named', 2);
  assert.ok(again !== undefined);
  const green = await check(sha, 'named', again.id, 'completed');
  assert.deepEqual([green.conclusion, green.annotations, green.id === red.id], ['success', [], false]);
});
