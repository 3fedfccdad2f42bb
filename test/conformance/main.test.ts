import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const main = path.join(import.meta.dirname, 'main.ts');

function conformance(...words: readonly string[]): {
  readonly status: number | null;
  readonly out: string;
  readonly errors: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });
  return { status, out: stdout, errors: stderr };
}

for (const suite of ['trigger-rules', 'cron', 'verdict-statistics']) {
  test(`every case of ${suite} passes`, () => {
    const { status, out } = conformance(suite, path.join(import.meta.dirname, `${suite}.jsonl`));
    assert.match(out, /^[1-9]\d* passed, 0 failed\n$/);
    assert.equal(status, 0);
  });
}

test('a case that fails and a line that is no case are shown and counted', (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'cases.jsonl');
  const right = { cron: '0 0 * * *', timezone: 'UTC', after: '2026-01-01T00:00:00Z', next: ['2026-01-02T00:00:00Z'] };
  const wrong = { ...right, next: ['2026-01-03T00:00:00Z'] };
  writeFileSync(file, `${JSON.stringify(right)}\n${JSON.stringify(wrong)}\n{}\nnot JSON\n`);
  const { status, out } = conformance('cron', file);
  assert.equal(status, 1);
  assert.match(out, /line 2: 0 0 \* \* \* .*\n {2}expected \["2026-01-03.*\n {2}got {6}\["2026-01-02/);
  assert.match(out, /\nline 3\n[^]*\nline 4\n[^]*1 passed, 3 failed\n$/);
});

test('a file without a case proves nothing, and has exit status 2', (context) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'cases.jsonl');
  for (const text of ['', '\n \n']) {
    writeFileSync(file, text);
    const { status, out, errors } = conformance('cron', file);
    assert.deepEqual({ status, out }, { status: 2, out: '' });
    assert.match(errors, /there is no case in ".*cases\.jsonl"/);
  }
});

test('wrong usage says what is right, with exit status 2', () => {
  for (const words of [[], ['cron'], ['toString', 'x'], ['cron', 'a', 'b']]) {
    const { status, errors } = conformance(...words);
    assert.equal(status, 2);
    assert.match(
      errors,
      /usage: npm run -s conformance -- SUITE FILE, where SUITE is one of trigger-rules, cron, verdict-statistics/,
    );
  }
  assert.match(conformance('cron', 'nowhere.jsonl').errors, /there is no file "nowhere.jsonl"/);
});
