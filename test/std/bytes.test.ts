import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, parseBytes } from '../../src/std/bytes.ts';

test('amounts of memory are read as Kubernetes reads them, and written for people', () => {
  const amounts = [
    ['2Gi', 2_147_483_648, '2 GiB'],
    ['1.5Gi', 1_610_612_736, '1.5 GiB'],
    ['512Mi', 536_870_912, '512 MiB'],
    ['64Ki', 65_536, '64 KiB'],
    ['3Ti', 3_298_534_883_328, '3 TiB'],
    ['2G', 2_000_000_000, '1.9 GiB'],
    ['500M', 500_000_000, '477 MiB'],
    ['1k', 1000, '1000 B'],
    ['1T', 1e12, '931 GiB'],
    ['1023.9Mi', 1_073_636_966, '1 GiB'],
    [77, 77, '77 B'],
  ] as const;
  for (const [text, bytes, shown] of amounts) {
    assert.equal(parseBytes(text), bytes, String(text));
    assert.equal(formatBytes(bytes), shown);
  }
});

test('what is no amount of memory is none', () => {
  for (const text of [
    '',
    'Gi',
    '2gi',
    '2 Gi',
    '2GB',
    '500m',
    '-1',
    '1e9',
    '2Gi2',
    '9'.repeat(20),
    '99999Pi',
    -1,
    0.5e-9,
    NaN,
  ])
    assert.equal(parseBytes(text), null, String(text));
});
