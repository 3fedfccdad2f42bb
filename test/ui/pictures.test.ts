import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { graphSource, layOut } from '../../src/ui/graph-layout.ts';
import { chartLabels, chartPlaces, chartWidthMin, plotRows } from '../../src/ui/interval-chart.ts';
import { bytesText, gainText, numberText } from '../../src/ui/number-text.ts';
import { agoText, momentText } from '../../src/ui/time.ts';
import { ticksOf } from '../../src/ui/timeline.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

test('the interval chart keeps the order of its marks, within the plot', () => {
  const number = fc.double({ min: -10, max: 10, noNaN: true });
  fc.assert(
    fc.property(number, number, number, fc.double({ min: 0, max: 5, noNaN: true }), (a, b, c, required) => {
      const [low = 0, value = 0, high = 0] = [a, b, c].sort((left, right) => left - right);
      const places = chartPlaces({ low, value, high, confidence: 0.95, p: null, method: 'delong' }, required);
      assert.ok(places !== null);
      assert.ok(places.low <= places.value && places.value <= places.high && places.zero <= places.gate);
      for (const place of Object.values(places)) assert.ok(place >= 0 && place <= 100);
    }),
  );
  assert.equal(
    chartPlaces({ low: Number.NaN, value: 0, high: 1, confidence: 0.95, p: null, method: 'delong' }, 0),
    null,
  );
});

test('labels of the interval chart have rows of their own, away from the lines, and fit the narrowest phone', () => {
  const size = fc.oneof(fc.constantFrom(0, 1e-12, 0.011, 0.005, 12_480.3, 9e14, 1e300), fc.double({ min: -2, max: 2 }));
  fc.assert(
    fc.property(size, size, size, fc.double({ min: 0, max: 5 }), fc.nat(99_999), (a, b, c, required, version) => {
      const [low = 0, value = 0, high = 0] = [a, b, c].sort((left, right) => left - right);
      const difference = { low, value, high, confidence: 0.95, p: null, method: 'delong' } as const;
      const labels = chartLabels(difference, required, `champion v${version}`);
      for (const { y } of labels) assert.ok(y < plotRows.top - 4 || y > plotRows.bottom + 12);
      const rows = labels.map(({ y }) => y).sort((left, right) => left - right);
      assert.ok(rows.every((y, at) => at === 0 || y - (rows[at - 1] ?? 0) >= 16));
      for (const { place, shift, text } of labels) {
        for (const width of [chartWidthMin, 1076]) {
          const from = (place / 100) * width + shift;
          // The widest of our fonts takes 6.9 pixels for a digit of 12, and 9.8 for a bold one of 14.
          const wide = text.length * (text === labels[0]?.text ? 9.8 : 7.4);
          assert.ok(from >= -0.5 && from + wide <= width + 0.5, `${text} from ${from} on ${width}`);
        }
      }
    }),
  );
});

test('a graph depends on its definition alone, runs from left to right and covers nothing twice', () => {
  const names = Array.from({ length: 30 }, (_, at) => `step-${at}`);
  const definition = pipelineOf(
    names.map((name, at) => stepOf({ name, upstream: at === 0 ? [] : [names[Math.floor((at - 1) / 2)] ?? ''] })),
  );
  const graph = layOut(graphSource(definition));
  assert.deepEqual(layOut(graphSource(definition)), graph);
  const places = new Map(graph.nodes.map((node) => [node.step, node]));
  for (const { from, to } of graph.edges) assert.ok((places.get(from)?.x ?? 0) < (places.get(to)?.x ?? 0));
  for (const one of graph.nodes) {
    assert.ok(one.x >= 0 && one.y >= 0 && one.x + one.width <= graph.width && one.y + one.height <= graph.height);
    for (const other of graph.nodes) {
      if (one === other) continue;
      const apart =
        one.x + one.width <= other.x ||
        other.x + other.width <= one.x ||
        one.y + one.height <= other.y ||
        other.y + other.height <= one.y;
      assert.ok(apart, `${one.step} covers ${other.step}`);
    }
  }
});

test('a timeline of any length has a few round ticks inside of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 40 * 86_400_000 }), (span) => {
      const ticks = ticksOf(span);
      assert.ok(ticks.length <= 4 && ticks.every((tick) => tick > 0 && tick < span));
    }),
  );
});

test('times are told as how long ago, with the moment beside it', () => {
  const at = Date.UTC(2026, 0, 5, 14, 2, 11);
  assert.equal(agoText(at, at + 500), 'just now');
  assert.equal(agoText(at, at + 59_000), '59 s ago');
  assert.equal(agoText(at, at + 3 * 3_600_000), '3 h ago');
  assert.equal(agoText(at, at - 5 * 60_000), 'in 5 min');
  assert.equal(momentText(at, 'utc'), '2026-01-05 14:02:11 UTC');
  assert.match(momentText(at, 'local'), /^2026-01-0[456] \d\d:\d\d:11 [+−]\d\d:\d\d$/);
});

test('numbers have as many digits as a person compares', () => {
  assert.equal(numberText(0.83912), '0.8391');
  assert.equal(numberText(12_480), '12\u202f480');
  assert.equal(numberText(null), '–');
  assert.equal(gainText(0.005), '+0.0050');
  assert.equal(gainText(-0.002), '−0.0020');
  assert.equal(bytesText(105_000_000), '105 MB');
  assert.equal(bytesText(14), '14 B');
});
