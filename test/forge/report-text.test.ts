import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeBlock, inline, plainLine, utf8Bytes } from '../../src/forge/escape.ts';
import {
  forgeLimits,
  type ChangesReport,
  type PipelineChange,
  type ReportState,
  type RunReport,
} from '../../src/forge/forge.ts';
import { mergeNote } from '../../src/forge/report-note.ts';
import {
  checkOutput,
  commentBody,
  commentMarker,
  statusDescription,
  statusState,
} from '../../src/forge/report-text.ts';
import { dangersOf, shapeOf } from './markdown-shape.ts';
import { nastyTexts } from './nasty-texts.ts';
import { challengeOfChurn, emptyReport, fullReport, headSha } from './reports.ts';

const url = emptyReport.url ?? '';

/** The full report with `text` wherever users and logs have a say, except in the step's message. */
function reportSaying(text: string): RunReport {
  const [gate] = fullReport.gates;
  assert.ok(gate);
  return {
    ...fullReport,
    pipeline: text,
    summary: `x ${text}`,
    steps: fullReport.steps.map((step) => ({ ...step, name: text })),
    gates: [
      {
        ...gate,
        step: text,
        path: text,
        checks: gate.checks.map((check) => ({ ...check, check: text, column: text, limit: text, message: text })),
      },
    ],
    challenges: [
      {
        ...challengeOfChurn,
        step: text,
        model: text,
        next: `x ${text}`,
        verdict: { ...challengeOfChurn.verdict, reason: `x ${text}` },
      },
    ],
    mentions: [{ step: text, where: { file: text, line: 1, column: 1 }, message: text }],
    problems: fullReport.problems.map((problem) => ({
      ...problem,
      message: text,
      help: text,
      where: { file: text, line: 1, column: 1 },
    })),
    change: changeSaying(text),
  };
}

/** Few enough sentences that they are not folded, unless there is more of them. */
function changeSaying(text: string, times = 2): PipelineChange {
  const sentences = Array.from({ length: times }, () => `x ${text}`);
  return { pipeline: `x ${text}`, kind: 'changed', weakened: sentences, sentences, count: times };
}

/** Without the tags that are ours. */
function unfolded(body: string): string {
  return body.replaceAll(/^<details><summary>\d+ changes<\/summary>$|^<\/details>$/gm, 'folded');
}

test('no text changes what a comment is built of, mentions anybody, or carries HTML, links or control characters', () => {
  assert.ok(nastyTexts.length >= 100);
  const expected = shapeOf(commentBody(reportSaying('plain')));
  for (const text of nastyTexts) {
    const body = commentBody(reportSaying(text));
    assert.deepEqual(shapeOf(body), expected, JSON.stringify(text.slice(0, 80)));
    assert.deepEqual(dangersOf(body, [url]), [], JSON.stringify(text.slice(0, 80)));
    assert.ok(utf8Bytes(body) < 60_000);
  }
});

test('a sentence that starts a line is no heading, list, code or command', () => {
  const expected = shapeOf(commentBody({ ...emptyReport, summary: 'plain' }));
  for (const text of nastyTexts.filter((one) => plainLine(one) !== '')) {
    const body = commentBody({ ...emptyReport, summary: text });
    assert.deepEqual(shapeOf(body), expected, JSON.stringify(text.slice(0, 80)));
    assert.deepEqual(dangersOf(body, [url]), [], JSON.stringify(text.slice(0, 80)));
  }
});

test('no message of a step leaves its code block or hides what failed', () => {
  for (const text of nastyTexts) {
    const body = commentBody({
      ...fullReport,
      steps: [{ name: 'train', state: 'failed', durationMs: 1, message: `first\n${text}\nlast`, log: null }],
    });
    const shape = shapeOf(body);
    assert.deepEqual(
      shape,
      shapeOf(
        commentBody({
          ...fullReport,
          steps: [{ name: 'train', state: 'failed', durationMs: 1, message: 'first\nlast', log: null }],
        }),
      ),
      JSON.stringify(text.slice(0, 80)),
    );
    const prose = body.replace(/\n(`{3,})text\n[^]*?\n\1(?=\n|$)/g, '');
    assert.deepEqual(dangersOf(prose, [url]), []);
    const code = body.slice(body.indexOf('#### Failed steps'));
    assert.doesNotMatch(code, /@[\w-]|^\s*\/\w/m, JSON.stringify(text.slice(0, 80)));
    assert.match(code, /last\n`{3,}/);
  }
});

test('an encoded text reads as it was: what GitHub decodes is the plain text', () => {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  const decode = (text: string): string =>
    text
      .replace(/&(?:#(\d+)|(\w+));/g, (_whole, code: string | undefined, name: string) =>
        code === undefined ? (named[name] ?? '?') : String.fromCodePoint(Number(code)),
      )
      .replaceAll('\u200b', '');
  for (const text of nastyTexts) assert.equal(decode(inline(text)), plainLine(text), JSON.stringify(text.slice(0, 80)));
});

test('a cell shows 199 and 200 characters whole and cuts 201 to 200', () => {
  for (const character of ['x', 'é', '漢', '😀', '|']) {
    assert.equal(plainLine(character.repeat(199)), character.repeat(199));
    assert.equal(plainLine(character.repeat(200)), character.repeat(200));
    assert.equal(plainLine(character.repeat(201)), `${character.repeat(199)}…`);
  }
});

test('a fence is longer than any run of backticks in it, and only the last lines are shown', () => {
  assert.deepEqual(codeBlock('a\n```\nb'), ['````text', 'a', '```', 'b', '````']);
  assert.deepEqual(codeBlock('``````'), ['```````text', '``````', '```````']);
  const long = codeBlock(Array.from({ length: 100 }, (_, at) => `line ${at}`).join('\n'));
  assert.equal(long[1], '… 60 lines before');
  assert.equal(long.at(-2), 'line 99');
});

test('ANSI sequences leave no trace, and of a redrawn line the last drawing stays', () => {
  const escapeByte = String.fromCharCode(27);
  assert.equal(
    plainLine(`${escapeByte}[1;31mred${escapeByte}[0m and ${escapeByte}]8;;http://x\u0007link${escapeByte}]8;;\u0007`),
    'red and link',
  );
  assert.equal(plainLine('10 %\r50 %\r100 %'), '100 %');
});

test('a check that counts what should not be there says what it counts', () => {
  const checks = [
    {
      check: 'columns',
      column: null,
      value: 0,
      limit: 'none allowed',
      passed: true,
      message: 'all 3 columns are there',
    },
    { check: 'unique', column: 'id', value: 2, limit: 'none allowed', passed: false, message: '2 rows repeat' },
  ];
  const report = { ...fullReport, gates: [{ step: 'validate', passed: false, path: 'x.csv', checks }] };
  const comment = commentBody(report);
  assert.match(comment, /\| missing columns \| 0 \| none allowed \|/);
  assert.match(comment, /\| repeated values of id \| 2 \| none allowed \|/);
});

test('a status description has at most 140 characters and is cut at a word', () => {
  const of = (summary: string): string => statusDescription({ ...emptyReport, summary });
  const words = (length: number): string =>
    'nine char '
      .repeat(20)
      .slice(0, length - 1)
      .padEnd(length, 'x');
  for (const length of [139, 140]) assert.equal(of(words(length)), words(length));
  const cut = of(words(141));
  assert.ok(cut.length <= 140 && cut.endsWith('…'), cut);
  assert.match(words(141), new RegExp(`^${cut.slice(0, -1)} `));
  assert.equal(of('x'.repeat(139)).length, 139);
  assert.equal(of('x'.repeat(140)), 'x'.repeat(140));
  assert.equal(of('x'.repeat(141)), `${'x'.repeat(139)}…`);
  assert.equal(of('😀'.repeat(141)).length, 140);
});

test('a status says its state where the summary is silent, and always that it was cancelled', () => {
  const of = (state: ReportState, summary: string): string => statusDescription({ ...emptyReport, state, summary });
  assert.equal(of('running', ''), 'Running');
  assert.equal(of('cancelled', 'Ada stopped it.'), 'Cancelled: Ada stopped it.');
  assert.equal(of('cancelled', 'Cancelled by ada.'), 'Cancelled by ada.');
  for (const text of nastyTexts) {
    const description = of('success', text);
    assert.ok(description.length > 0 && description.length <= 140);
    assert.doesNotMatch(description, /\p{Cc}|\p{Cs}/u);
  }
});

test('every state has its commit status, and what is not concerned passes', () => {
  const expected: Record<ReportState, string> = {
    pending: 'pending',
    running: 'pending',
    waiting: 'pending',
    success: 'success',
    neutral: 'success',
    failure: 'failure',
    error: 'error',
    cancelled: 'error',
  };
  for (const [state, status] of Object.entries(expected)) {
    assert.equal(statusState({ ...emptyReport, state: state as ReportState }), status);
  }
});

test('a comment tells state, sentence, numbers, interval, gates, failures, problems, what is next, commit and run', () => {
  const body = commentBody(fullReport, { ...fullReport, state: 'success', sha: 'f'.repeat(40), runNumber: 11 });
  for (const part of [
    '<!-- contender:weekly-churn -->',
    '### ✗ weekly-churn: failed',
    'Step train failed: out of memory.',
    'Before: ✓ passed (ffffffffffff, run 11).',
    '| metric | champion v7 | challenger | change | guardrail |',
    '| **roc_auc** | 0.8312 | 0.8391 | +0.0079 (better) |',
    '| log_loss | 0.4105 | 0.4120 | +0.0015 (worse) | ✓ held, may lose 0.0100 |',
    '95 % interval +0.0021 to +0.0137; the gate asks for +0.0050 (DeLong, 4 213 rows, p = 0.0071)',
    '├────────╂────────●──────────────────┤',
    '✗ failed: 8 % of age is empty',
    '**train** failed after 3 min 2 s:',
    'MemoryError: 12 GiB',
    '- .pipelines/churn.ts:4:11: retries is a word (definition-invalid). Write a number.',
    'Becomes champion when this pull request is merged.',
    `[Run 12](${url})`,
    headSha,
  ]) {
    assert.ok(body.includes(part), part);
  }
});

test('a report without run, address or champion is still whole', () => {
  const first = {
    ...challengeOfChurn,
    championVersion: null,
    verdict: { ...challengeOfChurn.verdict, kind: 'no-champion', difference: null },
  } as const;
  const body = commentBody({
    ...emptyReport,
    runId: null,
    runNumber: null,
    url: null,
    startedAt: null,
    challenges: [first],
  });
  assert.deepEqual(shapeOf(body), [
    'marker',
    'heading',
    'paragraph',
    'heading',
    'paragraph',
    'table of 2 by 5',
    'heading',
    'list of 1',
    'paragraph',
  ]);
  assert.ok(body.endsWith(`\n\nspeaks of commit ${headSha}`));
});

test('the marker of a pipeline is its own, hidden whatever the name, and no beginning of another', () => {
  const names = ['a', 'a-b', 'a--b', 'a-%2Db', '-->', 'a -->', '>', 'ä', ...nastyTexts];
  const markers = new Map(names.map((name) => [commentMarker(name), name]));
  assert.equal(markers.size, new Set(names.map((name) => name.toWellFormed())).size);
  for (const marker of markers.keys()) {
    assert.match(marker, /^<!-- contender:[^\s<>]* -->$/);
    assert.doesNotMatch(marker.slice(4, -3), /--/);
  }
});

test('a comment stays below 60 000 bytes: 59 998 and 59 999 are whole, 60 000 is cut and links to the rest', () => {
  const filler = utf8Bytes(
    commentBody({
      ...emptyReport,
      problems: Array.from({ length: 60 }, () => ({
        code: 'usage' as const,
        message: 'm'.repeat(900),
        where: null,
        help: '',
      })),
    }),
  );
  assert.ok(filler < 60_000);
  // 60 problems of 900 leave some thousand bytes: taken by the help of the first ones.
  const exact = (bytes: number): RunReport => {
    const problems = Array.from({ length: 60 }, (_, at) => {
      const help = Math.min(1000, Math.max(0, bytes - filler - at * 1001 - 1));
      return { code: 'usage' as const, message: 'm'.repeat(900), where: null, help: 'h'.repeat(help) };
    });
    return { ...emptyReport, problems };
  };
  for (const bytes of [59_998, 59_999]) {
    const body = commentBody(exact(bytes));
    assert.equal(utf8Bytes(body), bytes);
    assert.ok(!body.includes('cut here'));
  }
  const body = commentBody(exact(60_000));
  assert.ok(utf8Bytes(body) < 60_000);
  assert.ok(body.includes(`is cut here: [the full report](${url})`));
  assert.ok(body.endsWith(`speaks of commit ${headSha} · took 3 min 12 s`));
});

test('wherever a comment is cut, tables and fences are closed, no character is halved, and commit and link stand', () => {
  const many = <T>(one: T, count: number): T[] => Array.from({ length: count }, () => one);
  const check = {
    check: '漢字 | and `more`',
    column: null,
    value: 1,
    limit: 'at most 2',
    passed: false,
    message: '😀 '.repeat(60),
  };
  const reports: RunReport[] = [
    { ...fullReport, gates: [{ step: 'validate', passed: false, path: 'x', checks: many(check, 5000) }] },
    {
      ...fullReport,
      problems: many({ code: 'usage' as const, message: '😀'.repeat(900), where: null, help: 'é'.repeat(900) }, 5000),
    },
    {
      ...fullReport,
      steps: many(
        { name: 'train', state: 'failed', durationMs: 1, message: `${'漢'.repeat(300)}\n`.repeat(60), log: null },
        500,
      ),
    },
    { ...fullReport, challenges: many(challengeOfChurn, 5000) },
    { ...fullReport, summary: '😀'.repeat(200_000) },
  ];
  for (const report of reports) {
    const body = commentBody(report);
    const shape = shapeOf(body);
    assert.ok(utf8Bytes(body) < 60_000);
    assert.ok(!shape.includes('open code') && !shape.includes('broken table'), shape.join());
    assert.equal(body.isWellFormed(), true);
    assert.ok(body.includes(headSha) && body.includes(`(${url})`));
    assert.deepEqual(dangersOf(body.replace(/\n(`{3,})text\n[^]*?\n\1(?=\n|$)/g, ''), [url]), []);
  }
});

test('the sentence of a verdict is said once, wherever a report is read', () => {
  const { reason } = challengeOfChurn.verdict;
  const times = (body: string): number =>
    body.replaceAll('\\', '').split('more than the 0.005 that is required').length - 1;
  for (const summary of [reason, `Champion v8: ${reason}`, 'Step train failed: out of memory.']) {
    const report = { ...fullReport, summary };
    const { title, summary: checked } = checkOutput(report);
    assert.deepEqual([times(commentBody(report)), times(title + checked), times(mergeNote(null, report))], [1, 1, 1]);
  }
  const long = `${'A long beginning. '.repeat(20)}${reason}`;
  assert.equal(times(checkOutput({ ...fullReport, summary: long }).summary), 1, 'a title that is cut does not say it');
});

test('the texts of a check run keep 65 535 and its annotations name file and line', () => {
  const output = checkOutput(fullReport);
  assert.deepEqual(output.annotations, [
    {
      path: '.pipelines/churn.ts',
      start_line: 4,
      end_line: 4,
      start_column: 11,
      end_column: 11,
      annotation_level: 'failure',
      title: 'definition-invalid',
      message: 'retries is a word\nWrite a number.',
    },
    {
      path: 'train.py',
      start_line: 7,
      end_line: 7,
      start_column: 1,
      end_column: 1,
      annotation_level: 'failure',
      title: 'train',
      message: 'MemoryError: 12 GiB',
    },
  ]);
  assert.equal(output.title, 'Step train failed: out of memory.');
  const problem = {
    code: 'usage' as const,
    message: '😀'.repeat(900),
    where: { file: 'a.ts', line: 1, column: 1 },
    help: 'é'.repeat(900),
  };
  const huge = checkOutput({
    ...fullReport,
    problems: Array.from({ length: 5000 }, () => problem),
    challenges: Array.from({ length: 500 }, () => challengeOfChurn),
  });
  assert.ok(utf8Bytes(huge.summary) <= forgeLimits.checkTextMax && utf8Bytes(huge.text) <= forgeLimits.checkTextMax);
  assert.ok(utf8Bytes(huge.summary) > 60_000 && utf8Bytes(huge.text) > 55_000);
  assert.equal(huge.annotations.length, forgeLimits.annotationsMax);
  for (const text of nastyTexts) {
    const { annotations } = checkOutput(reportSaying(text));
    assert.equal(annotations.length, 3);
    for (const { title, message } of annotations) assert.doesNotMatch(`${title}\n${message}`, /@[\w-]/);
  }
});

const weaker: PipelineChange = {
  pipeline: 'weekly-churn',
  kind: 'changed',
  weakened: ['gate "validate", number of rows: min fell from 1000 to 10'],
  sentences: ['on.schedule.cron: "0 2 * * 1" → "0 3 * * 1"', 'step "train": image: "train:1" → "train:2"'],
  count: 2,
};

test('what a pull request changes in the pipeline stands below the result, and what lets more through above it', () => {
  const body = commentBody({ ...fullReport, change: weaker });
  const places = [
    'Step train failed: out of memory.',
    '#### ‼ Weakened: these may let more through than before',
    '- gate &quot;validate&quot;, number of rows: min fell from 1000 to 10',
    '#### churn: the challenger is better',
    '#### What happens next',
    '#### What changes in the pipeline',
    '- on.schedule.cron: &quot;0 2 &#42; &#42; 1&quot; → &quot;0 3 &#42; &#42; 1&quot;',
    '- step &quot;train&quot;: image: &quot;train:1&quot; → &quot;train:2&quot;',
    'speaks of commit',
  ].map((part) => body.indexOf(part));
  assert.deepEqual(
    places,
    [...places].sort((one, other) => one - other),
  );
  assert.ok(!places.includes(-1), places.join());
  const { summary, text } = checkOutput({ ...fullReport, change: weaker });
  assert.match(summary, /Weakened[^]*min fell from 1000 to 10[^]*the challenger is better/);
  assert.doesNotMatch(summary + text, /What changes/);
});

test('a long list of changes is folded and says how many there are, and one that is not known says so', () => {
  const sentences = Array.from({ length: 6 }, (_, at) => `step "s${at}" is new`);
  const long = commentBody({
    ...emptyReport,
    change: { ...weaker, kind: 'added', weakened: [], sentences, count: 99 },
  });
  assert.match(
    long,
    /#### A new pipeline\n\n<details><summary>99 changes<\/summary>\n\n(?:- step &quot;s\d&quot; is new\n){6}- … and 93 more\.\n\n<\/details>\n\n\[Run 12\]/,
  );
  const unknown: PipelineChange = { ...weaker, kind: 'unknown', weakened: [], sentences: [], count: 0 };
  assert.match(commentBody({ ...emptyReport, change: unknown }), /is not known: its base could not be read\./);
  assert.doesNotMatch(commentBody(emptyReport), /change/i);
});

test('pipelines without a report share one comment, in which what lets more through comes first, by name', () => {
  const gone: PipelineChange = { ...weaker, pipeline: 'nightly', kind: 'removed', weakened: ['the gate "g" is gone'] };
  const body = commentBody({ pipeline: null, sha: headSha, changes: [weaker, gone] });
  assert.equal(
    body,
    [
      '<!-- contender -->',
      '### Pipelines that this pull request changes',
      'They do not run on it, so nothing else here speaks of them.',
      '#### ‼ Weakened: these may let more through than before',
      '- **weekly-churn**: gate &quot;validate&quot;, number of rows: min fell from 1000 to 10\n- **nightly**: the gate &quot;g&quot; is gone',
      '#### weekly-churn: changed',
      '- on.schedule.cron: &quot;0 2 &#42; &#42; 1&quot; → &quot;0 3 &#42; &#42; 1&quot;\n- step &quot;train&quot;: image: &quot;train:1&quot; → &quot;train:2&quot;',
      '#### nightly: gone',
      '- on.schedule.cron: &quot;0 2 &#42; &#42; 1&quot; → &quot;0 3 &#42; &#42; 1&quot;\n- step &quot;train&quot;: image: &quot;train:1&quot; → &quot;train:2&quot;',
      `speaks of commit ${headSha}`,
    ].join('\n\n'),
  );
  assert.match(commentBody({ pipeline: null, sha: headSha, changes: [] }), /changes no pipeline any more/);
});

test('no name, image or value of a definition builds anything in a comment, and none leaves its fold', () => {
  const shared = (text: string): ChangesReport => ({
    pipeline: null,
    sha: headSha,
    changes: [changeSaying(text), changeSaying(text, 8)],
  });
  const own = (text: string): RunReport => ({ ...emptyReport, change: changeSaying(text, 8) });
  // Short enough that nothing is cut.
  for (const text of nastyTexts.map((each) => each.slice(0, 200))) {
    for (const report of [shared, own]) {
      const body = unfolded(commentBody(report(text)));
      assert.deepEqual(
        shapeOf(body),
        shapeOf(unfolded(commentBody(report('plain')))),
        JSON.stringify(text.slice(0, 80)),
      );
      assert.deepEqual(dangersOf(body.replace('<!-- contender -->', ''), [url]), [], JSON.stringify(text.slice(0, 80)));
    }
  }
});

test('of any number of huge changes a comment stays below its limit, whole, with the result and the commit', () => {
  const { weakened, ...change } = changeSaying('`|<漢'.repeat(100), 5000);
  const huge: PipelineChange = { ...change, weakened, sentences: weakened.slice(0, 50), count: 90_000 };
  const changes = Array.from({ length: 200 }, () => huge);
  const own = commentBody({ ...fullReport, change: huge });
  const shared = commentBody({ pipeline: null, sha: headSha, changes });
  for (const body of [own, shared]) {
    assert.ok(utf8Bytes(body) < 60_000);
    assert.equal(body.split('<details>').length, body.split('</details>').length);
    assert.ok(body.includes(headSha) && body.includes('and 4980 more like these.') === (body === own));
    assert.ok(body.includes('is cut here'));
  }
  assert.ok(own.includes('#### What happens next'));
});
