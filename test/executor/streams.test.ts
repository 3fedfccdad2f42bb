import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createLastLine } from '../../src/executor/local/last-line.ts';
import { createMarkSplitter } from '../../src/executor/local/mark-splitter.ts';

function pieces(text: string, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const parts: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
}
const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 });
const line = fc.string({ maxLength: 12, unit: 'grapheme' }).map((text) => text.replace(/[\n\0]/g, ''));

test('the last line that is not empty is found, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), fc.boolean(), sizes, (lines, ended, cuts) => {
      const last = createLastLine(1000);
      for (const part of pieces(lines.join('\n') + (ended ? '\n' : ''), cuts)) last.push(part);
      // Blank is what ASCII calls so: the stream is looked at as bytes.
      const expected = lines.map((one) => one.trim()).findLast((one) => one !== '') ?? null;
      assert.equal(last.text(), expected);
    }),
  );
});

test('a last line that is too long is none, and does not hide a shorter one behind it', () => {
  const last = createLastLine(10);
  for (let count = 0; count < 100; count += 1) last.push(Buffer.from('xxxx'));
  assert.equal(last.text(), null);
  last.push(Buffer.from('\n\n'));
  assert.equal(last.text(), null);
  last.push(Buffer.from('{"a":1}\n'));
  assert.equal(last.text(), '{"a":1}');
});

test('what stands before the mark is passed on and nothing behind it, however the stream is cut', () => {
  const mark = '\0contender 123\n';
  const text = fc.string({ maxLength: 20 }).map((one) => one + (one.length % 3 === 0 ? '\0conten' : ''));
  fc.assert(
    fc.property(text, text, fc.boolean(), sizes, (before, behind, marked, cuts) => {
      const splitter = createMarkSplitter(mark);
      const passed = pieces(before + (marked ? mark + behind : ''), cuts).map((part) =>
        Buffer.from(splitter.push(part)),
      );
      passed.push(Buffer.from(splitter.rest()));
      assert.equal(Buffer.concat(passed).toString(), before);
      assert.equal(splitter.ended, marked);
    }),
  );
});
