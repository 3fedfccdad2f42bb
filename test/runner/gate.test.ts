import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { CheckResult } from '../../runner/checks.ts';
import { runGate } from '../../runner/gate.ts';
import type { RunnerResult } from '../../src/executor/executor.ts';
import type { GateCheck } from '../../src/pipeline/definition.ts';
import { attemptOnPaper } from './attempt.ts';

const csv = 'id,churned,age\n1,1,20\n2,0,\n3,0,90\n4,1,35\n';

async function gateOf(name: string, content: string | Uint8Array, checks: readonly GateCheck[]): Promise<RunnerResult> {
  const work = { kind: 'gate' as const, data: name, checks };
  using attempt = attemptOnPaper(work);
  attempt.file(name, content);
  return await runGate(work, attempt);
}

interface Found {
  readonly pass: boolean;
  readonly reason: string;
  readonly rows: number;
  readonly checks: readonly CheckResult[];
}

async function found(name: string, content: string | Uint8Array, checks: readonly GateCheck[]): Promise<Found> {
  const result = await gateOf(name, content, checks);
  assert.ok(
    result.kind === 'succeeded' && 'inline' in result.output && result.control !== null && 'pass' in result.control,
    JSON.stringify(result),
  );
  const output = result.output.inline as unknown as {
    rows: number;
    passed: boolean;
    path: string;
    checks: CheckResult[];
  };
  assert.equal(output.passed, result.control.pass);
  assert.equal(output.path, name);
  return { ...result.control, rows: output.rows, checks: output.checks };
}

const facts = (results: Found): unknown[] =>
  results.checks.map(({ check, column, value, passed }) => [check, column, value, passed]);

test('each kind of check measures and passes or fails by its bounds', async () => {
  const cases: [GateCheck, unknown[]][] = [
    [{ check: 'rows', min: 4, max: 4 }, [['rows', null, 4, true]]],
    [{ check: 'rows', min: 5, max: null }, [['rows', null, 4, false]]],
    [{ check: 'nulls', columns: ['age'], max: 0.25 }, [['nulls', 'age', 0.25, true]]],
    [
      { check: 'nulls', columns: null, max: 0.2 },
      [
        ['nulls', 'id', 0, true],
        ['nulls', 'churned', 0, true],
        ['nulls', 'age', 0.25, false],
      ],
    ],
    [{ check: 'label', column: 'churned', positive: '1', min: 0.5, max: 0.5 }, [['label', 'churned', 0.5, true]]],
    [{ check: 'label', column: 'churned', positive: '1', min: null, max: 0.4 }, [['label', 'churned', 0.5, false]]],
    [{ check: 'range', column: 'age', min: 18, max: 99 }, [['range', 'age', 20, true]]],
    [{ check: 'range', column: 'age', min: 21, max: null }, [['range', 'age', 20, false]]],
    [{ check: 'range', column: 'age', min: 0, max: 80 }, [['range', 'age', 90, false]]],
    [{ check: 'unique', columns: ['id'] }, [['unique', 'id', 0, true]]],
    [{ check: 'unique', columns: ['churned'] }, [['unique', 'churned', 2, false]]],
    [{ check: 'unique', columns: ['churned', 'age'] }, [['unique', 'churned, age', 0, true]]],
    [{ check: 'columns', names: ['id', 'age'] }, [['columns', null, 0, true]]],
    [{ check: 'columns', names: ['id', 'income'] }, [['columns', null, 1, false]]],
  ];
  for (const [check, expected] of cases) assert.deepEqual(facts(await found('data.csv', csv, [check])), expected);
});

test('a column that is not there fails its check and the message names those that are', async () => {
  for (const check of [
    { check: 'nulls', columns: ['income'], max: 1 },
    { check: 'label', column: 'income', positive: '1', min: 0, max: null },
    { check: 'range', column: 'income', min: 0, max: null },
    { check: 'unique', columns: ['id', 'income'] },
  ] as const) {
    const { pass, reason } = await found('data.csv', csv, [check]);
    assert.equal(pass, false);
    assert.equal(reason, 'there is no column income; the file has id, churned, age');
  }
});

test('the reason says in sentences what failed, and what passed is counted', async () => {
  const good = await found('data.csv', csv, [{ check: 'rows', min: 1, max: null }]);
  assert.equal(good.reason, 'all 1 checks passed on 4 rows');
  const bad = await found('data.csv', csv, [
    { check: 'rows', min: 10, max: null },
    { check: 'nulls', columns: ['age'], max: 0.05 },
  ]);
  assert.equal(
    bad.reason,
    '4 rows, at least 10 is asked for; 25 % of age is empty (1 of 4 rows), at most 0.05 is allowed',
  );
});

const all: GateCheck[] = [
  { check: 'rows', min: 25, max: 25 },
  { check: 'nulls', columns: ['name', 'score'], max: 0.2 },
  { check: 'label', column: 'churned', positive: '1', min: 0.2, max: 0.2 },
  { check: 'label', column: 'active', positive: 'true', min: 0.52, max: 0.52 },
  { check: 'range', column: 'score', min: 0, max: 2.4 },
  { check: 'unique', columns: ['id'] },
  { check: 'columns', names: ['id', 'churned', 'name', 'score', 'active', 'day'] },
];

for (const compression of ['snappy', 'gzip', 'zstd', 'brotli', 'none']) {
  test(`Parquet of several row groups is read (${compression})`, async () => {
    const content = readFileSync(new URL(`./fixtures/customers-${compression}.parquet`, import.meta.url));
    const { reason, rows } = await found('customers.parquet', content, all);
    assert.equal(reason, 'all 8 checks passed on 25 rows');
    assert.equal(rows, 25);
    const counted = await found('customers.parquet', content, [{ check: 'rows', min: null, max: 3 }]);
    assert.deepEqual(facts(counted), [['rows', null, 25, false]]);
  });
}

test('JSON Lines are read, also when a column comes later or is missing in a line', async () => {
  const lines = '{"id":1,"on":true}\n\n{"id":2,"age":null}\n{"age":3,"on":false}';
  const results = await found('data.jsonl', lines, [
    { check: 'rows', min: 3, max: 3 },
    { check: 'nulls', columns: null, max: 0.5 },
    { check: 'label', column: 'on', positive: '1', min: 0.3, max: 0.4 },
  ]);
  assert.deepEqual(facts(results), [
    ['rows', null, 3, true],
    ['nulls', 'id', 1 / 3, true],
    ['nulls', 'on', 1 / 3, true],
    ['nulls', 'age', 2 / 3, false],
    ['label', 'on', 1 / 3, true],
  ]);
});

test('CSV may be compressed, have tabs, quotes, a byte order mark and Windows line ends', async () => {
  const check: GateCheck[] = [
    { check: 'rows', min: 2, max: 2 },
    { check: 'range', column: 'a', min: 1, max: 2 },
  ];
  for (const [name, content] of [
    ['data.csv.gz', gzipSync('a,b\n1,x\n2,y\n')],
    ['DATA.TSV', 'a\tb\n1\tx\n2\ty\n'],
    ['data.csv', '\ufeffa,b\r\n1,"x\r\n, ""y"""\r\n2,z\r\n'],
  ] as const) {
    assert.equal((await found(name, content, check)).pass, true, name);
  }
});

test('a file of no rows has no empty cells and no labels', async () => {
  const results = await found('data.csv', 'id,churned\n', [
    { check: 'nulls', columns: null, max: 0 },
    { check: 'label', column: 'churned', positive: '1', min: 0.1, max: null },
    { check: 'range', column: 'id', min: 0, max: null },
  ]);
  assert.deepEqual(
    results.checks.map((check) => check.passed),
    [true, true, false, false],
  );
});

test('what is no data is a failure that says where, never a passed gate', async () => {
  const rows: GateCheck[] = [{ check: 'rows', min: 0, max: null }];
  for (const [name, content, cause, message] of [
    ['data.csv', '', 'code', /the file is empty/],
    ['data.csv', 'a,b\n1,2\n3\n', 'code', /data\.csv cannot be read: .*line 3/],
    ['data.csv.gz', 'not gzip', 'code', /cannot be read/],
    ['data.jsonl', '{"a":1}\nnot json\n', 'code', /line 2 is not JSON/],
    ['data.jsonl', '[1]\n', 'code', /line 1 is not a JSON object/],
    ['data.parquet', 'not parquet', 'code', /cannot be read/],
    ['data.xlsx', '', 'invalid', /has to end in \.csv/],
  ] as const) {
    const result = await gateOf(name, content, rows);
    assert.ok(result.kind === 'failed', name);
    assert.equal(result.cause, cause);
    assert.match(result.message, message);
  }
  const work = { kind: 'gate' as const, data: 'missing.csv', checks: rows };
  using attempt = attemptOnPaper(work);
  assert.deepEqual(await runGate(work, attempt), {
    kind: 'failed',
    cause: 'code',
    message: 'there is no file missing.csv',
    exitCode: null,
  });
});

test('a hundred thousand rows take the memory of a batch', async () => {
  const lines = ['id,churned'];
  for (let row = 0; row < 100_000; row += 1) lines.push(`customer-${row},${row % 7 === 0 ? 1 : 0}`);
  const content = `${lines.join('\n')}\ncustomer-5,0\n`;
  const results = await found('data.csv', content, [
    { check: 'unique', columns: ['id'] },
    { check: 'rows', min: 100_001, max: 100_001 },
  ]);
  assert.deepEqual(facts(results), [
    ['unique', 'id', 1, false],
    ['rows', null, 100_001, true],
  ]);
  assert.match(results.reason, /1 row repeats a value of id, the first is customer-5/);
});
