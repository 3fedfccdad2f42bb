import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createLogPlace, keptTail, type KeptTail } from '../../../src/executor/kubernetes/log-place.ts';
import { createDirectoryLogStore } from '../../../src/outputs/directory.ts';

interface Line {
  readonly at: number;
  readonly text: string;
}

/** Two streams, each in the order of its times, written by two hands: now and then a line comes after a newer one. */
const file = fc
  .array(fc.record({ after: fc.integer({ min: 0, max: 900 }), late: fc.integer({ min: 0, max: 3 }) }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((steps) => {
    let now = 1_700_000_000_000;
    return steps.map(({ after, late }, index): Line => {
      now += after;
      return { at: now - late, text: `line ${index}` };
    });
  });

/** A reading from its beginning on, cut after so many of the lines that it gives. */
function readInto(
  kept: Line[],
  place: ReturnType<typeof createLogPlace>,
  lines: readonly Line[],
  cut: number,
): boolean {
  const since = place.begin();
  let hasGap = false;
  for (const line of lines.filter(({ at }) => since === null || at >= since).slice(0, cut)) {
    const seen = place.see(line.at);
    hasGap ||= seen === 'new after a gap';
    if (seen === 'kept') continue;
    place.keep(line.at);
    kept.push(line);
  }
  return hasGap;
}

test('however often a reading is cut, each line is kept once and in its order, also by the next server', () => {
  fc.assert(
    fc.property(
      file,
      fc.array(fc.record({ cut: fc.nat(70), isNextServer: fc.boolean() }), { maxLength: 20 }),
      (lines, readings) => {
        const kept: Line[] = [];
        let place = createLogPlace({ at: 0, count: 0 });
        for (const { cut, isNextServer } of [...readings, { cut: lines.length, isNextServer: true }]) {
          if (isNextServer) place = createLogPlace(tailOf(kept));
          assert.equal(readInto(kept, place, lines, cut), false);
        }
        assert.deepEqual(kept, lines);
      },
    ),
  );
});

function tailOf(kept: readonly Line[]): KeptTail {
  const at = Math.max(0, ...kept.map((line) => line.at));
  return { at, count: kept.length === 0 ? 0 : kept.length - kept.findIndex((line) => line.at === at) };
}

test('where the file begins behind what was kept, the gap is told once, and nothing that is there is left out', () => {
  const place = createLogPlace({ at: 1000, count: 2 });
  assert.equal(place.begin(), 0);
  const seen = [1500, 1500, 1400, 1600].map((at) => {
    const word = place.see(at);
    place.keep(at);
    return word;
  });
  assert.deepEqual(seen, ['new after a gap', 'new', 'new', 'new']);
});

test('a file that begins among lines of the same time hides none behind it', () => {
  const place = createLogPlace({ at: 1000, count: 3 });
  place.begin();
  assert.deepEqual([place.see(1000), place.see(1001)], ['kept', 'new after a gap']);
});

test('of a log beyond its limit the next server reads the rest anew, and its end is whole', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'log-place-'));
  const limits = { lineBytesMax: 100, logBytesMax: 2000, tailBytesMax: 400 };
  const file = Array.from({ length: 300 }, (_, at): Line => ({ at: 1_700_000_000_000 + at * 100, text: `line ${at}` }));
  const key = 'run/a/0/1';
  try {
    for (const cut of [200, 300]) {
      const logs = createDirectoryLogStore({ directory, clock: { now: () => 1 }, limits });
      const fresh: Line[] = [];
      readInto(fresh, createLogPlace(await keptTail(logs, key, 0)), file, cut);
      const writer = logs.writer(key);
      for (const line of fresh) writer.line({ ...line, stream: 'out' });
      assert.ok(logs.size(key) < 100, 'the limit is reached');
      if (cut === 300) await writer.close();
    }
    const logs = createDirectoryLogStore({ directory, clock: { now: () => 1 } });
    const texts = (await logs.read(key, 1, 1000)).lines.map(({ text }) => text);
    const leftOut = texts.findIndex((text) => text.includes('left out here'));
    const tail = texts.slice(leftOut + 1);
    assert.deepEqual(
      texts.slice(0, leftOut - 1),
      file.slice(0, leftOut - 1).map(({ text }) => text),
    );
    assert.deepEqual(
      tail,
      file.slice(-tail.length).map(({ text }) => text),
    );
    assert.equal(leftOut - 1 + Number.parseInt(texts[leftOut] ?? '', 10) + tail.length, 300);
  } finally {
    await rm(directory, { recursive: true });
  }
});
