import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mentionsOf } from '../../src/conductor/reports/mentions.ts';
import type { RunReport } from '../../src/forge/forge.ts';
import type { LogLine } from '../../src/outputs/outputs.ts';
import { failure, success } from '../../src/std/result.ts';
import { fullReport } from '../forge/reports.ts';

const files: Readonly<Record<string, string>> = { 'train.py': 'one\ntwo', 'long.py': 'x\n'.repeat(50) };
const git = {
  read: (_sha: unknown, [path = '']: readonly string[]) =>
    Promise.resolve(
      path.startsWith('.git/')
        ? failure({ kind: 'refused' as const, message: 'no path inside a repository' })
        : success(new Map(path in files ? [[path, Buffer.from(files[path] ?? '')]] : [])),
    ),
};

/** `path:line` of what is mentioned of logs by their keys. */
async function mentioned(
  texts: Readonly<Record<string, readonly string[]>>,
  report: RunReport = fullReport,
): Promise<readonly string[]> {
  const logs = {
    read: async (key: string, from: number, to: number) => {
      const texted = texts[key];
      if (texted === undefined) throw new Error('there is no such log');
      const lines = texted.map((text, at): LogLine => ({ number: at + 1, at: 0, stream: 'err', text }));
      return { lines: lines.slice(from - 1, to), total: lines.length, closed: true };
    },
  };
  const mentions = await mentionsOf({ logs }, { git: git as never }, report);
  return mentions.map(({ where }) => `${where.file}:${where.line}`);
}

const log = 'run-1/train/0/1';

test('only lines that the commit has are mentioned, each once, and a path that no commit can have does no harm', async () => {
  const named = ['.git/x.py:1', 'train.py:2', 'train.py:3', 'other.py:1', 'train.py:0', 'train.py:2', 'train.py:1'];
  assert.deepEqual(await mentioned({ [log]: named.map((place) => `${place}: KeyError`) }), [
    'train.py:2',
    'train.py:1',
  ]);
});

test('of a long log the last places are mentioned', async () => {
  const lines = Array.from({ length: 5000 }, (_, at) => `long.py:${(at % 50) + 1}: KeyError`);
  const last = Array.from({ length: 10 }, (_, at) => `long.py:${at + 41}`);
  assert.deepEqual(await mentioned({ [log]: lines }), last);
});

test('a run that goes on mentions nothing yet, and neither does a log that cannot be read', async () => {
  assert.deepEqual(await mentioned({ [log]: ['train.py:1: KeyError'] }, { ...fullReport, finishedAt: null }), []);
  assert.deepEqual(await mentioned({}), []);
});

test('a run that nobody asked for mentions nothing', async () => {
  assert.deepEqual(await mentioned({ [log]: ['train.py:1: KeyError'] }, { ...fullReport, isAsked: false }), []);
});
