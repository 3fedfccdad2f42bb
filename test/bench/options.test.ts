import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOptions, workloadNames } from '../../bench/options.ts';
import { peerNames } from '../../bench/peers/peers.ts';

const withoutCluster = workloadNames.filter((name) => name !== 'pods');

test('without a word all workloads are run that need no cluster, and no peer', () => {
  const { only, peers, smoke, writeDocs } = readOptions([]);
  assert.deepEqual([...only], withoutCluster);
  assert.deepEqual([...readOptions(['--only', 'pods']).only], ['pods']);
  assert.deepEqual([...readOptions(['--pods']).only], workloadNames);
  assert.deepEqual([...peers, smoke, writeDocs], [false, false]);
});

test('the peers are all of them, or those that are named', () => {
  assert.deepEqual([...readOptions(['--peers']).peers], [...peerNames]);
  const { only, peers } = readOptions(['--peers', '--only', 'dbos']);
  assert.deepEqual([[...peers], only.size], [['dbos'], withoutCluster.length]);
});

test('workloads and peers are named together', () => {
  const { only, peers } = readOptions(['--peers', '--only', 'chain,dbos,burst']);
  assert.deepEqual([[...only], [...peers]], [['chain', 'burst'], ['dbos']]);
});

test('a name that is none is told with those that there are', () => {
  assert.throws(() => readOptions(['--only', 'chains']), /chains: there are the workloads limits, .* and the peers /);
});

test('a peer without --peers is a mistake', () => {
  assert.throws(() => readOptions(['--only', 'dbos']), /dbos: peers are measured with --peers/);
});
