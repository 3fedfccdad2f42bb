import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedPlaces } from '../../src/conductor/reports/named-places.ts';
import { pathInCommit } from '../../src/executor/executor.ts';
import type { LogLine } from '../../src/outputs/outputs.ts';

function logOf(text: string, stream: LogLine['stream'] = 'err'): readonly LogLine[] {
  return text.split('\n').map((line, at) => ({ number: at + 1, at: 0, stream, text: line }));
}

/** `path:line:column message` of each place. */
function namedIn(text: string): readonly string[] {
  return namedPlaces(logOf(text)).map(({ path, line, column, message }) => `${path}:${line}:${column} ${message}`);
}

const cases: readonly (readonly [what: string, log: string, named: readonly string[]])[] = [
  [
    'a traceback of Python',
    `Traceback (most recent call last):
  File "/s/train.py", line 12, in <module>
    main()
    ~~~~^^
  File "/s/a b/features.py", line 3, in main
    raise ValueError("bad")
ValueError: bad`,
    ['/s/train.py:12:1 ValueError: bad', '/s/a b/features.py:3:1 ValueError: bad'],
  ],
  [
    'one of torchrun',
    `[rank1]:   File "train.py", line 2, in <module>\n[rank1]:     f()\n[rank1]: KeyError: 'x'`,
    [`train.py:2:1 KeyError: 'x'`],
  ],
  [
    'what Node says at its end',
    `file:///s/src/train.mjs:12
    throw new TypeError('no rows\\nat all');
    ^

TypeError: no rows
at all
    at train (file:///s/src/train.mjs:12:9)
    at async Promise.all (index 0)
    at async /s/main.js:3:1
    at node:internal/process:1:2

Node.js v24.0.0`,
    [
      'file:///s/src/train.mjs:12:1 TypeError: no rows',
      'file:///s/src/train.mjs:12:9 TypeError: no rows',
      '/s/main.js:3:1 TypeError: no rows',
      'node:internal/process:1:2 TypeError: no rows',
    ],
  ],
  [
    'compilers, in their two ways',
    `src/a.ts(3,5): error TS2322: no string\n\u001b[96msrc/b.ts\u001b[0m:\u001b[93m4\u001b[0m:7 - \u001b[91merror\u001b[0m TS1: none\n./c.go:5:2: undefined: x`,
    ['src/a.ts:3:5 error TS2322: no string', 'src/b.ts:4:7 error TS1: none', './c.go:5:2 undefined: x'],
  ],
  ['a test runner', `test_a.py:5: in test_rows\ntrain.py:12: AssertionError`, ['train.py:12:1 AssertionError']],
  [
    'the command',
    `::error file=a%2Cb.py,line=3,col=5,title=Rows::too few%3A 3\n::warning file=c.py,line=1::x\n::error::nowhere`,
    ['a,b.py:3:5 too few: 3'],
  ],
  [
    'what is no failure',
    `train.py:12: UserWarning: old\nsrc/a.ts:1:2 - warning: unused\n2026-01-01 INFO train.py:12 error rate 0.1\ntrain.py:12 epoch 1\na.ts:1:2x\nhttp://host:80/x`,
    [],
  ],
];

for (const [what, log, named] of cases) {
  test(`places of a log: ${what}`, () => {
    assert.deepEqual(namedIn(log), named);
  });
}

test('lines of the other stream, and our own, are not taken for what belongs together', () => {
  const [frame, error] = logOf('  File "a.py", line 1\nKeyError: x');
  assert.ok(frame && error);
  assert.deepEqual(namedPlaces([frame, { ...error, stream: 'out' }]), []);
  assert.deepEqual(namedPlaces(logOf('a.py:1:2: error', 'contender')), []);
});

test('lines that are made to take long are read at once', () => {
  for (const piece of ['a.', '-', ':1', '( ', 'error ', '::error ', 'xError', '\u001b[', ' at '])
    assert.deepEqual(namedIn(`${piece.repeat(100_000)}\n`.repeat(3)), []);
});

test('paths are those of the commit, wherever an executor laid it out', () => {
  const sha = 'a'.repeat(40);
  for (const [path, expected] of [
    [`/state/sources/r/${sha}/src/train.py`, 'src/train.py'],
    [`file:///var/sources/r%2540${sha}/train.mjs`, 'train.mjs'],
    [`file:///state/sources/r/${sha}/a%20b.mjs`, 'a b.mjs'],
    ['/contender/source/train.py', 'train.py'],
    ['./src/../train.py', 'train.py'],
    ['/usr/lib/python3/train.py', null],
    ['../train.py', null],
    ['node:internal/process', 'node:internal/process'],
    [`/state/${sha}/../../x`, null],
    ['.', null],
  ] as const)
    assert.equal(pathInCommit(path, sha), expected);
});
