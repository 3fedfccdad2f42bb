import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openList } from '../../runner/list.ts';
import { writeList } from '../../src/executor/local/long-lists.ts';

const folder = mkdtempSync(join(tmpdir(), 'list-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
async function listOf(items: readonly object[]): Promise<{ path: string; list: unknown[]; reads: () => number }> {
  const path = join(folder, `inputs/${(files += 1)}.jsonl`);
  const ends = await writeList(
    items.map((_, place) => place),
    path,
    async (place) => JSON.parse(JSON.stringify(items[Number(place)])),
  );
  let reads = 0;
  const list = openList({ path, ends }, (json) => {
    reads += 1;
    return json;
  });
  return { path, list, reads: () => reads };
}

const losses = Array.from({ length: 20 }, (_, n) => ({ name: `größe ${n}`, loss: (n * 7) % 20 }));

test('an item is read when it is touched, and only then', async () => {
  const { list, reads } = await listOf(losses);
  assert.ok(Array.isArray(list));
  assert.equal(list.length, 20);
  assert.equal(reads(), 0);
  assert.deepEqual(list[7], losses[7]);
  assert.equal(list[7], list.at(7));
  assert.equal(reads(), 1);
  assert.equal(list[20], undefined);
  assert.equal(reads(), 1);
});

test('all that an array can do is there', async () => {
  const { list, reads } = await listOf(losses);
  assert.deepEqual([...list], losses);
  assert.equal(reads(), 20);
  assert.deepEqual(JSON.parse(JSON.stringify(list)), losses);
  assert.deepEqual(list.slice(-2), losses.slice(-2));
  const typed = list as typeof losses;
  assert.equal(
    typed.reduce((sum, { loss }) => sum + loss, 0),
    190,
  );
  assert.deepEqual(
    typed.toSorted((one, other) => one.loss - other.loss).map(({ loss }) => loss),
    [...losses.keys()],
  );
  assert.equal(typed.find(({ loss }) => loss === 14)?.name, 'größe 2');
});

test('what is set stays, and what was read is not to be changed', async () => {
  const { list } = await listOf(losses);
  const typed = list as { name: string; loss: number }[];
  typed.sort((one, other) => one.loss - other.loss);
  assert.deepEqual(
    typed.map(({ loss }) => loss),
    [...losses.keys()],
  );
  typed[0] = { name: 'mine', loss: -1 };
  typed[0].loss = -2;
  assert.equal(typed[0].loss, -2);
  assert.throws(() => (typed[1] ?? { loss: 0 }).loss++, /read only property 'loss'/);
  assert.equal(typed.push({ name: 'more', loss: 1 }), 21);
});

test('a file that the step has cut short is an error that says so', async () => {
  const { path, list } = await listOf(losses);
  const text = readFileSync(path, 'utf8');
  rmSync(path);
  writeFileSync(path, text.slice(0, 100));
  assert.deepEqual(list[0], losses[0]);
  assert.throws(() => list[19], /is shorter than it was: the step has changed its own input/);
});
