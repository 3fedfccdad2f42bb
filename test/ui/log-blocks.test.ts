import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { LogLine } from '../../src/outputs/outputs.ts';
import { annotationOf, appendLines, firstErrorLine, type LogBlock } from '../../src/ui/log-blocks.ts';

function linesOf(...texts: readonly string[]): readonly LogLine[] {
  return texts.map((text, at) => ({ number: at + 1, at: 1000 + at, stream: 'out', text }));
}

function shapeOf(blocks: readonly LogBlock[]): readonly (string | readonly string[])[] {
  return blocks.map((block) =>
    block.kind === 'lines'
      ? block.lines.map((line) => line.text)
      : [`> ${block.title}`, ...block.lines.map((line) => line.text)],
  );
}

test('a group holds the lines up to its end, or up to the next group', () => {
  const blocks = appendLines(
    [],
    linesOf('a', '::group::Install', 'b', '::endgroup::', 'c', '::group::Test', 'd', '::group::Report', 'e'),
  );
  assert.deepEqual(shapeOf(blocks), [['a'], ['> Install', 'b'], ['c'], ['> Test', 'd'], ['> Report', 'e']]);
});

test('a group with an error in it is troubled, so that it opens', () => {
  const [group] = appendLines([], linesOf('::group::Test', '::error file=a.py,line=3::no', '::endgroup::'));
  assert.ok(group?.kind === 'group' && group.troubled && group.ended);
});

test('lines in any portions make the same blocks as all at once, and finished blocks stay the same objects', () => {
  const text = fc.oneof(
    { weight: 6, arbitrary: fc.constant('x') },
    fc.constantFrom('::group::g', '::endgroup::', '::error::e'),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 400 }), fc.integer({ min: 1, max: 60 }), (texts, portion) => {
      const lines = linesOf(...texts);
      let blocks: readonly LogBlock[] = [];
      for (let at = 0; at < lines.length; at += portion) {
        const before = blocks;
        blocks = appendLines(blocks, lines.slice(at, at + portion));
        before.slice(0, -1).forEach((block, index) => assert.equal(blocks[index], block));
      }
      const numbers = (all: readonly LogBlock[]): readonly number[] =>
        all.flatMap((block) => block.lines.map((line) => line.number));
      assert.deepEqual(numbers(blocks), numbers(appendLines([], lines)));
    }),
  );
});

test('annotations are read with their place and title', () => {
  assert.deepEqual(annotationOf('::error file=app.ts,line=3,col=5,title=Types%2C strict::no such name%0Ahere'), {
    level: 'error',
    title: 'Types, strict',
    place: 'app.ts:3:5',
    message: 'no such name here',
  });
  assert.deepEqual(annotationOf('::warning::slow'), { level: 'warning', title: null, place: null, message: 'slow' });
  assert.equal(annotationOf('error: no annotation'), null);
});

test('a failed attempt opens at its annotated error, else at the last line that sounds like one', () => {
  assert.equal(firstErrorLine(linesOf('a', '::error::b', 'ValueError: c'))?.number, 2);
  assert.equal(firstErrorLine(linesOf('a', 'Traceback', 'ValueError: c', 'bye'))?.number, 3);
  assert.equal(firstErrorLine(linesOf('a', 'b'))?.number, 2);
  assert.equal(firstErrorLine([]), null);
});
