import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peers } from '../../bench/peers/peers.ts';
import { largeSizes } from '../../bench/measure.ts';
import { workloadsOf } from '../../bench/workloads.ts';
import { nameOf, stepsOf } from '../../bench/subject.ts';

test('each peer names its packages, itself first, each in one exact version', () => {
  for (const { name, packages } of peers) {
    const [first = ''] = Object.keys(packages);
    assert.ok(first.includes(name), `${name} begins with ${first}`);
    for (const [each, version] of Object.entries(packages)) assert.match(version, /^\d+\.\d+\.\d+$/, each);
  }
});

test('no peer has the name of another', () => {
  assert.equal(new Set(peers.map(({ name }) => name)).size, peers.length);
});

const ways = peers.flatMap(({ name, ways }) => ways.map((way) => [name, way] as const));

test('each way of use says what it is, and ends in a known time', () => {
  for (const [name, { how, timeLimitMs }] of ways) {
    assert.notEqual(how, '', name);
    assert.ok(timeLimitMs > 0 && timeLimitMs <= 15 * 60_000, name);
  }
});

test('what a peer does is compared with a workload that Contender does, and is never larger', () => {
  const known = new Map(workloadsOf(largeSizes).map((workload) => [nameOf(workload), stepsOf(workload)]));
  for (const [name, { workloads }] of ways)
    for (const { as, workload } of workloads) {
      assert.ok(known.has(as), `${name}: ${as}`);
      assert.ok(stepsOf(workload) <= (known.get(as) ?? 0), `${name}: ${as}`);
    }
});
