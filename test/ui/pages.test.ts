import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMarkdown } from '../../src/ui/markdown.ts';
import { errorPage } from '../../src/ui/error-page.ts';
import { appendLines } from '../../src/ui/log-blocks.ts';
import { logPage } from '../../src/ui/log-page.ts';
import { renderPage, scriptJson, type Page } from '../../src/ui/page.ts';
import { runPage } from '../../src/ui/run-page.ts';
import type { Visitor } from '../../src/ui/visitor.ts';
import type { RunView } from '../../src/ui/run-view.ts';
import { filterText, runsPage, type RunsFilter } from '../../src/ui/runs-page.ts';
import type { LogLine } from '../../src/outputs/outputs.ts';
import type { CacheLook } from '../../src/engine/event.ts';
import type { Run } from '../../src/engine/run.ts';
import { panelOf, select } from '../../src/ui/panel-of.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';
import { drive, outcomes } from '../support/drive.ts';
import { keyOf, Scenario } from '../support/scenario.ts';
import { payloads } from './payloads.ts';
import { betterChallenge, failedRun, rerunRun, viewOf } from './views.ts';

const assets = { script: 's.js', style: 's.css', icon: 'i.svg' } as const;
const noFilter: RunsFilter = { repository: null, pipeline: null, state: null, branch: null, before: null };

const member = { kind: 'member', formToken: 'form-token', pageKey: 'page-key' } as const;

function runDocument(view: RunView, lines: readonly LogLine[] = [], visitor: Visitor = member): string {
  const log = {
    tail: { key: 'train/0/1', lines, total: lines.length, closed: true, removed: null },
    blocks: appendLines([], lines),
  };
  const body = runPage({ view, log, liveness: { kind: 'still' }, watch: { now: view.now, zone: 'utc' }, visitor });
  return renderPage(
    { title: view.head.pipeline, area: 'runs', body, island: { name: 'run', data: { view, lines } } },
    assets,
  );
}

test('a run page says state, verdict, interval, gates, failure and steps without a program', () => {
  const gates = [
    {
      step: 'validate',
      passed: false,
      path: 'data.csv',
      checks: [
        { check: 'rows', column: null, value: 3, limit: 'at least 10', passed: false, message: 'too few rows' },
        { check: 'columns', column: null, value: 0, limit: 'none allowed', passed: true, message: 'all are there' },
      ],
    },
  ];
  const failure = {
    step: 'train',
    index: 0,
    attempt: 1,
    mapped: false,
    cause: 'code' as const,
    message: 'it broke',
    line: null,
    lines: [],
  };
  const document = runDocument(viewOf(failedRun(), { challenges: [betterChallenge], gates, failure }));
  for (const wanted of [
    'failed',
    'The challenger is better',
    'gate +0.0050',
    'champion v3',
    '95 % interval',
    'Next',
    'too few rows',
    'at least 10',
    'missing columns',
    'it broke',
    'upstream',
    'href="/runs/run-1?step=load#step"',
  ]) {
    if (wanted !== 'upstream') assert.ok(document.includes(wanted), wanted);
  }
  assert.equal(document.includes(' style='), false, 'the policy forbids style attributes');
  assert.equal(
    /<script(?! type="(?:module|application\/json)")/.test(document),
    false,
    'the policy forbids inline scripts',
  );
  assert.equal(/\son\w+=/.test(document.replaceAll(/>[^<]*</g, '><')), false);
});

test('a run leads to the run that it follows, to those that follow it, and to the news that it is for', () => {
  const base = viewOf(rerunRun());
  const run = (id: string, number: number): { id: string; number: number } => ({ id, number });
  const chain = {
    earlier: null,
    later: [],
    upstream: { pipeline: 'features', run: run('run-7', 3), reason: null },
    followers: [
      { pipeline: 'deploy', run: run('run-8', 4), reason: null },
      { pipeline: 'tell', run: null, reason: 'it was for <b>' },
      { pipeline: 'late', run: null, reason: null },
    ],
  };
  const news = [{ dataset: 's3://lake', digest: 'abcdef0123456789', at: base.head.openedAt, runId: 'run-6' }];
  const document = runDocument({ ...base, head: { ...base.head, chain, news, newsMore: 2 } });
  for (const wanted of [
    '<a href="/runs/run-7">features #3</a>',
    '<a href="/runs/run-8">deploy #4</a>',
    ', not started: it was for &lt;b>',
    ', not looked at yet',
    's3://lake',
    '<code title="abcdef0123456789">abcdef0123</code>',
    '<a href="/runs/run-6">its run</a>',
    'and 2 more',
  ])
    assert.ok(document.includes(wanted), `${wanted}: ${document.slice(0, 5000)}`);
});

test('a re-run leads to the runs before and after it, and marks in shape and word what it reuses', () => {
  const base = viewOf(rerunRun());
  const chain = {
    earlier: { id: 'run-1', number: 6, steps: 'the failed steps' },
    later: [
      { id: 'run-4', number: 9, steps: 'from load' },
      { id: 'run-3', number: 8, steps: 'all steps' },
    ],
    upstream: null,
    followers: [],
  };
  const panel = { ...base.panel, step: 'load', attempts: [], reusedFrom: 'run-1' };
  assert.ok(base.panel !== null);
  const view: RunView = { ...base, head: { ...base.head, chain }, panel: { ...base.panel, ...panel } };
  const document = runDocument(view);
  for (const wanted of [
    'started by ada, run again by eve',
    'Re-run of',
    '<a href="/runs/run-1">#6</a>, the failed steps',
    '<a href="/runs/run-4">#9</a>, from load; <a href="/runs/run-3">#8</a>, all steps',
    'href="/runs/run-1?step=load#step"',
  ])
    assert.ok(document.includes(wanted), wanted);
  // In the graph, in the list and on the panel.
  assert.equal(document.match(/aria-label="reused"|class="word">reused<|state-word tone-idle">reused</g)?.length, 3);
  const [load, train] = base.steps;
  assert.deepEqual([load?.state, load?.bars, load?.reusedFrom], ['success', [], 'run-1']);
  assert.deepEqual([train?.bars.length, train?.reusedFrom], [1, null]);
});

test('an attempt says what came from the cache, or why it did not', () => {
  const scenario = new Scenario(pipelineOf([stepOf({ name: 'train' }), stepOf({ name: 'test' })]));
  scenario.proceed(0);
  const looked = (second: number, step: string, look: CacheLook): unknown =>
    scenario.do({ type: 'report-cache', at: second, key: keyOf(step), look });
  looked(1, 'train', { found: true, runId: 'run-0' });
  scenario.finished(1, 'train', outcomes.succeeded({ rows: 3 }));
  looked(2, 'test', { found: false, why: 'input rows changed', key: 'k', scope: '', parts: {} });
  scenario.finished(2, 'test', outcomes.succeeded());
  const { run } = scenario;
  const found = runDocument({ ...viewOf(run), panel: panelAt(run, 'train') });
  assert.match(found, /From the cache of <a href="\/runs\/run-0\?step=train#step">an earlier run<\/a>/);
  assert.equal(found.match(/aria-label="from cache"|class="word">from cache</g)?.length, 2);
  assert.ok(runDocument({ ...viewOf(run), panel: panelAt(run, 'test') }).includes('input rows changed'));
});

test('an attempt says what it may take, and from what that grew', () => {
  const memory = { bytes: 2 ** 31, growth: { factor: 2, limitBytes: 2 ** 34 } };
  const retry = { count: 2, delayMs: 0, factor: 1, delayMaxMs: 0 };
  const { run } = drive(pipelineOf([stepOf({ name: 'train', memory, retry })]), ({ attempt }) =>
    attempt === 1 ? outcomes.failed('out-of-memory') : outcomes.succeeded(),
  );
  const view = viewOf(run);
  assert.deepEqual(
    view.panel?.attempts.map((attempt) => attempt.memory),
    [
      { bytes: 2 ** 31, grownFromBytes: null },
      { bytes: 2 ** 32, grownFromBytes: 2 ** 31 },
    ],
  );
  const document = runDocument(view);
  assert.ok(document.includes('of 4 GiB, grown from 2 GiB') && document.includes('of 2 GiB<'));
  assert.equal(viewOf(failedRun()).panel?.attempts[0]?.memory, null);
});

function panelAt(run: Run, step: string): RunView['panel'] {
  const selected = select(run, { step, index: null, attempt: null });
  return selected === null ? null : panelOf(selected);
}

for (const payload of payloads) {
  test(`the text ${JSON.stringify(payload)} stays text everywhere on a run's page`, () => {
    const run = failedRun(payload);
    const base = viewOf(run);
    const line: LogLine = { number: 1, at: 1, stream: 'out', text: payload };
    const view: RunView = {
      ...base,
      head: {
        ...base.head,
        pipeline: payload,
        repository: payload,
        description: payload,
        owner: payload,
        tags: [payload],
        summary: payload,
        sha: payload,
        shaUrl: payload,
        trigger: { text: payload, branch: payload, pullRequest: { number: 1, url: payload, fork: true } },
        parameters: [{ name: payload, value: payload }],
      },
      failure: {
        step: payload,
        index: 0,
        attempt: 1,
        mapped: true,
        cause: 'code',
        message: payload,
        line: 1,
        lines: [line],
      },
      steps: base.steps.map((step) => ({ ...step, name: payload, kind: payload, message: payload })),
      graph:
        base.graph === null
          ? null
          : { ...base.graph, nodes: base.graph.nodes.map((node) => ({ ...node, step: payload })) },
      challenges: [
        {
          ...betterChallenge,
          model: payload,
          next: payload,
          verdict: { ...betterChallenge.verdict, kind: 'worse', reason: payload },
        },
      ],
      notices: [{ event: 'run-failed', channel: payload, error: payload, dueAt: 1 }],
      undelivered: [{ reports: ['status'], error: payload, dueAt: 1 }],
      approvals: [{ step: payload, message: payload, requestedAt: 1, dueAt: 2 }],
      gates: [
        {
          step: payload,
          passed: false,
          path: payload,
          checks: [{ check: payload, column: payload, value: 1, limit: payload, passed: false, message: payload }],
        },
      ],
      panel:
        base.panel === null
          ? null
          : {
              ...base.panel,
              step: payload,
              description: readMarkdown(payload),
              decision: payload,
              reason: payload,
              upstream: [payload],
              output: {
                text: payload,
                cut: false,
                artifacts: [{ path: payload, name: payload, sha256: payload, bytes: 1 }],
              },
            },
    };
    assertHarmless(runDocument(view, [line]), payload);
  });
}

test('a run that waits for a decision says what about, and how to decide', () => {
  const approvals = [{ step: 'release', message: 'Release 0.91?', requestedAt: 1000, dueAt: 61_000 }];
  const view = viewOf(failedRun(), { approvals });
  for (const [document, ways] of [
    [runDocument(view), ['Approve release at ', 'Reject release', 'name="reason"']],
    [runDocument(view, [], { kind: 'reader' }), ['Log in to decide', 'contender approve', 'contender reject']],
  ] as const) {
    for (const wanted of ['Waits for your decision', 'Release 0.91?', ...ways])
      assert.ok(document.includes(wanted), wanted);
  }
});

test('no text breaks out of lists, logs and error pages', () => {
  for (const payload of payloads) {
    const line: LogLine = { number: 1, at: 1, stream: 'err', text: payload };
    const item = {
      id: payload,
      number: 1,
      repository: payload,
      pipeline: payload,
      state: 'failed' as const,
      refused: null,
      reason: payload,
      trigger: { text: payload, branch: payload, pullRequest: null },
      sha: payload,
      openedAt: 1,
      finishedAt: 2,
    };
    const pages: readonly Page[] = [
      errorPage(404, payload),
      runsPage({
        now: 1,
        runs: [item],
        filter: { ...noFilter, pipeline: payload, branch: payload, before: payload },
        pipelines: [payload],
        unseen: [],
        severalRepositories: true,
        olderThan: payload,
      }),
      logPage({
        runId: payload,
        runNumber: 1,
        pipeline: payload,
        step: payload,
        index: 0,
        mapped: true,
        attempt: 1,
        attempts: 2,
        state: 'failed',
        lines: [line],
        total: 1,
        closed: false,
        removed: null,
        startedAt: 1,
        errorLine: 1,
        search: null,
      }),
      logPage({
        runId: payload,
        runNumber: 1,
        pipeline: payload,
        step: payload,
        index: 0,
        mapped: true,
        attempt: 1,
        attempts: 2,
        state: 'failed',
        lines: [line],
        total: 1,
        closed: true,
        removed: null,
        startedAt: 1,
        errorLine: null,
        search: { query: payload, matches: [line], searchedFrom: 1, searchedTo: 0 },
      }),
    ];
    for (const page of pages) assertHarmless(renderPage(page, assets), payload);
  }
});

/** Only our own tags, attributes and addresses are in the document. */
function assertHarmless(document: string, payload: string): void {
  const [markup = '', ...data] = document.split('<script type="application/json" id="page-data">');
  const [json = '', rest = ''] = data.join('').split('</script>');
  if (data.length > 0) {
    assert.equal(/[<>&\u2028\u2029]/.test(json), false);
    assert.equal(rest, '</body></html>');
  }
  for (const [tag, attributes = ''] of markup.matchAll(/<(?!\/|!)((?:[^"'>]|"[^"]*"|'[^']*')*)>/g)) {
    const name = /^<([a-z0-9]+)/.exec(tag)?.[1] ?? tag;
    assert.ok(ownTags.has(name), `${name} came from ${payload}`);
    if (name === 'script') assert.equal(attributes.trim(), 'script type="module" src="/assets/s.js"');
    const names = [...attributes.replace(/^[a-z0-9]+/i, '').matchAll(/([^\s"'<>/=]+)(?:="([^"]*)")?/g)];
    for (const [, attribute = '', value = ''] of names) {
      assert.equal(/^on|^style$|^srcdoc$/i.test(attribute), false, `${attribute} came from ${payload}`);
      if (/^(?:href|src|action)$/.test(attribute))
        assert.match(value, /^(?:\/|#|https?:\/\/)/, `${value} came from ${payload}`);
    }
  }
}

const ownTags = new Set(
  'footer html head meta title link script body a header div span nav main svg rect path circle line text g h1 h2 h3 p dl dt dd section table thead tbody tr th td time details summary ul ol li code pre strong bdi form label select option input button'.split(
    ' ',
  ),
);

test('of a page that is not live, what is told aloud stays the same while time passes', () => {
  const view = viewOf(failedRun());
  const told = [1000, 2000].map((later) => {
    const watch = { now: view.now + later, zone: 'utc' } as const;
    const body = runPage({ view, log: null, liveness: { kind: 'stale', since: view.now }, watch, visitor: member });
    const document = renderPage({ title: '', area: 'runs', body, island: null }, assets);
    assert.match(document, /last seen <time/);
    return /role="status">([^<]*)</.exec(document)?.[1];
  });
  assert.deepEqual(told, ['not live,', 'not live,']);
});

test('data in a page survives its way through the document', () => {
  for (const payload of payloads) assert.equal(JSON.parse(scriptJson({ payload })).payload, payload);
});

test('an empty list names the filter that emptied it', () => {
  const filter: RunsFilter = { ...noFilter, pipeline: 'weekly-churn', state: 'failed', branch: 'main' };
  const page = runsPage({
    now: 1,
    runs: [],
    filter,
    pipelines: [],
    unseen: [],
    severalRepositories: false,
    olderThan: null,
  });
  assert.match(renderPage(page, assets), /No runs of weekly-churn, that are failed, on the branch main/);
  assert.equal(filterText(noFilter), '');
});

test('the check of this file notices a text that got through', () => {
  for (const payload of ['<script>pwned=1</script>', '<img src=x onerror=pwned=1>', '<svg/onload=pwned=1>', '<xss>']) {
    assert.throws(() => assertHarmless(`<p>${payload}</p>`, payload));
  }
  assert.throws(() => assertHarmless('<a href="javascript:pwned=1">x</a>', ''));
  assert.throws(() => assertHarmless('<p title="" onmouseover="pwned=1">x</p>', ''));
});
