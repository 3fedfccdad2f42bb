import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ReportState, RunReport } from '../../../src/forge/forge.ts';
import { emptyReport, headSha } from '../reports.ts';
import { appAuth } from './app-key.ts';
import { errorOf, scriptedForge, valueOf, type Scripted } from './forge-under-test.ts';
import type { Answer, Asked } from './scripted-server.ts';

interface StoredRun {
  readonly id: number;
  readonly external_id: string;
  readonly app: { readonly id: number };
  readonly output: { annotations_count: number };
  readonly lines: number[];
}

/** Check runs as GitHub keeps them: annotations only ever append. */
function checkServer(runs: StoredRun[]): (asked: Asked) => Answer {
  return ({ method, path, body }) => {
    if (path.endsWith('/access_tokens'))
      return { status: 201, body: { token: 'x', expires_at: '2099-01-01T00:00:00Z' } };
    if (method === 'GET') return { status: 200, body: { total_count: runs.length, check_runs: runs } };
    const given = body as { external_id?: string; output?: { annotations?: { start_line: number }[] } };
    const lines = (given.output?.annotations ?? []).map((annotation) => annotation.start_line);
    if (method === 'POST')
      runs.push({
        id: 300 + runs.length,
        external_id: given.external_id ?? '',
        app: { id: appAuth.appId },
        output: { annotations_count: 0 },
        lines: [],
      });
    const run = method === 'POST' ? runs.at(-1) : runs.find(({ id }) => path.endsWith(`/check-runs/${id}`));
    if (run === undefined) return { status: 404, body: { message: 'Not Found' } };
    run.lines.push(...lines);
    run.output.annotations_count = run.lines.length;
    return { status: method === 'POST' ? 201 : 200, body: run };
  };
}

async function withRuns(t: TestContext, runs: StoredRun[]): Promise<Scripted> {
  return scriptedForge(t, checkServer(runs), { auth: { ...appAuth, installationId: 99 } });
}

function withProblems(count: number): RunReport {
  const problems = Array.from({ length: count }, (_, at) => ({
    code: 'usage' as const,
    message: 'wrong',
    where: { file: 'a.ts', line: at + 1, column: 1 },
    help: '',
  }));
  return { ...emptyReport, state: 'failure', problems };
}

test('a token has no check runs: null, and no call', async (t) => {
  const { forge, server } = await scriptedForge(t, () => ({ status: 500 }));
  assert.equal(valueOf(await forge.setCheckRun(emptyReport, null)), null);
  assert.equal(server.asked.length, 0);
});

test('a check run carries name, commit, run id, times and address', async (t) => {
  const { forge, server } = await withRuns(t, []);
  assert.equal(valueOf(await forge.setCheckRun(emptyReport, null)), '300');
  const post = server.asked.find(({ method, path }) => method === 'POST' && path.endsWith('/check-runs'));
  const body = post?.body as Record<string, unknown>;
  assert.deepEqual(
    { ...body, output: null },
    {
      name: 'contender/weekly-churn',
      head_sha: headSha,
      external_id: 'run-1',
      status: 'completed',
      conclusion: 'success',
      started_at: '2023-11-14T22:13:20Z',
      completed_at: '2023-11-14T22:16:32Z',
      details_url: 'https://ci.example/runs/run-1',
      output: null,
    },
  );
});

test('later reports update the same run, by its id or by our run id where it was lost', async (t) => {
  const runs: StoredRun[] = [];
  const { forge } = await withRuns(t, runs);
  const id = valueOf(await forge.setCheckRun({ ...emptyReport, state: 'running' }, null));
  assert.equal(valueOf(await forge.setCheckRun(emptyReport, id)), id);
  assert.equal(valueOf(await forge.setCheckRun(emptyReport, null)), id);
  assert.equal(runs.length, 1);
  assert.notEqual(valueOf(await forge.setCheckRun({ ...emptyReport, runId: 'run-2' }, null)), id);
  assert.equal(runs.length, 2);
});

test('a run with lines of its logs keeps them to itself: the next run of the commit has a check of its own', async (t) => {
  const runs: StoredRun[] = [];
  const { forge } = await withRuns(t, runs);
  const mentions = [{ step: 'train', where: { file: 'a.py', line: 7, column: 1 }, message: 'KeyError' }];
  const first = valueOf(await forge.setCheckRun({ ...emptyReport, mentions }, null));
  // A log that is gone by now takes nothing back.
  assert.equal(valueOf(await forge.setCheckRun(emptyReport, first)), first);
  const second = valueOf(await forge.setCheckRun({ ...emptyReport, runId: 'run-2' }, first));
  assert.equal(valueOf(await forge.setCheckRun({ ...emptyReport, runId: 'run-3' }, second)), second);
  assert.deepEqual(
    runs.map(({ external_id: run, lines }) => [run, lines]),
    [
      ['run-1', [7]],
      ['run-2', []],
    ],
  );
});

test('two reports at once leave one run', async (t) => {
  const runs: StoredRun[] = [];
  const { forge } = await withRuns(t, runs);
  await Promise.all([forge.setCheckRun(emptyReport, null), forge.setCheckRun(emptyReport, null)]);
  assert.equal(runs.length, 1);
});

test('a run that is gone is made anew, and one of another App is not taken', async (t) => {
  const runs: StoredRun[] = [
    { id: 1, external_id: 'run-1', app: { id: 1 }, output: { annotations_count: 0 }, lines: [] },
  ];
  const { forge } = await withRuns(t, runs);
  assert.equal(valueOf(await forge.setCheckRun(emptyReport, '77')), '301');
});

test('49 and 50 annotations go with one request, 51 with two, and none twice however often they are sent', async (t) => {
  for (const [count, requests] of [
    [49, 1],
    [50, 1],
    [51, 2],
    [151, 4],
  ] as const) {
    const runs: StoredRun[] = [];
    const { forge, server } = await withRuns(t, runs);
    const id = valueOf(await forge.setCheckRun(withProblems(count), null));
    const writes = server.asked.filter(({ path, method }) => method !== 'GET' && path.includes('/check-runs'));
    assert.equal(writes.length, requests);
    for (const { body } of writes) {
      const { output } = body as { output: { annotations: unknown[] } };
      assert.ok(output.annotations.length <= 50);
    }
    valueOf(await forge.setCheckRun(withProblems(count), id));
    valueOf(await forge.setCheckRun(withProblems(count), null));
    assert.deepEqual(
      runs[0]?.lines,
      Array.from({ length: count }, (_, at) => at + 1),
    );
  }
});

test('every state has its status and conclusion; waiting for a person is completed and asks for action', async (t) => {
  const expected: Record<ReportState, string> = {
    pending: 'queued ',
    running: 'in_progress ',
    waiting: 'completed action_required',
    success: 'completed success',
    failure: 'completed failure',
    error: 'completed failure',
    neutral: 'completed neutral',
    cancelled: 'completed cancelled',
  };
  for (const [state, words] of Object.entries(expected)) {
    const { forge, server } = await withRuns(t, []);
    valueOf(await forge.setCheckRun({ ...emptyReport, state: state as ReportState }, null));
    const { status, conclusion } = (server.asked.at(-1)?.body ?? {}) as { status?: string; conclusion?: string };
    assert.equal(`${status ?? ''} ${conclusion ?? ''}`, words);
  }
});

test('a run that GitHub refuses is an error with its kind', async (t) => {
  const { forge } = await scriptedForge(
    t,
    (asked) =>
      asked.method === 'POST' && asked.path.endsWith('/check-runs')
        ? { status: 403, body: { message: 'Resource not accessible by integration' } }
        : checkServer([])(asked),
    {
      auth: { ...appAuth, installationId: 99 },
    },
  );
  assert.equal(errorOf(await forge.setCheckRun(emptyReport, null)).kind, 'refused');
});
