/** The engine's memory, taken and put back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageDigest } from '../../src/compile/image-digest.ts';
import { fits, lay, packImage, restore, takeImage, unpackImage } from '../../src/compile/words-image.ts';

const engine = new Uint8Array([1, 2, 3]);

function usedMemory(): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 4 });
  const bytes = new Uint8Array(memory.buffer);
  for (const at of [3, 4095, 4096, 70_000, bytes.length - 1]) bytes[at] = 7;
  return memory;
}

test('an image puts back every byte, and clears what came since, also where the memory grew', () => {
  const memory = usedMemory();
  const before = new Uint8Array(memory.buffer).slice();
  const image = takeImage(memory, imageDigest(engine, 'words'), 8);
  memory.grow(1);
  new Uint8Array(memory.buffer).fill(9);
  restore(memory, image);
  const after = new Uint8Array(memory.buffer);
  assert.deepEqual(after.subarray(0, before.length), before);
  assert.ok(after.subarray(before.length).every((byte) => byte === 0));
});

test('an image holds only the pages that are used, and survives being written down', () => {
  const memory = usedMemory();
  const image = unpackImage(packImage(takeImage(memory, imageDigest(engine, 'words'), 8)));
  assert.deepEqual(
    image.pieces.map(({ at, bytes }) => [at, bytes.length]),
    [
      [0, 8192],
      [69_632, 4096],
      [126_976, 4096],
    ],
  );
  const other = new WebAssembly.Memory({ initial: 2, maximum: 4 });
  lay(other, image);
  assert.deepEqual(new Uint8Array(other.buffer), new Uint8Array(memory.buffer));
});

test('an image fits the engine, the words and the place that it was made with, and no others', () => {
  const image = takeImage(usedMemory(), imageDigest(engine, 'words'), 8);
  assert.ok(fits(image, imageDigest(engine, 'words'), 8));
  assert.ok(!fits(image, imageDigest(engine, 'other words'), 8));
  assert.ok(!fits(image, imageDigest(new Uint8Array([1, 2, 4]), 'words'), 8));
  assert.ok(!fits(image, imageDigest(engine, 'words'), 16));
});
