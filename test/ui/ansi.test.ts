import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseAnsi, withoutAnsi } from '../../src/ui/ansi.ts';

const escape = '\u001b';

test('colours and weights become looks, and end where they are reset', () => {
  assert.deepEqual(parseAnsi(`plain ${escape}[1;31mbold red${escape}[22m red${escape}[0m plain`), [
    { text: 'plain ', look: '' },
    { text: 'bold red', look: 'a-bold a-ink-1' },
    { text: ' red', look: 'a-ink-1' },
    { text: ' plain', look: '' },
  ]);
});

test('bright, 256 and true colours are told by the nearest of sixteen', () => {
  const look = (codes: string): string | undefined => parseAnsi(`${escape}[${codes}mx`)[0]?.look;
  assert.equal(look('92'), 'a-ink-10');
  assert.equal(look('38;5;9'), 'a-ink-9');
  assert.equal(look('38;5;196'), 'a-ink-9');
  assert.equal(look('38;2;0;0;255'), 'a-ink-12');
  assert.equal(look('38:2:0:128:0'), 'a-ink-2');
  assert.equal(look('44'), 'a-paper a-paper-4');
  assert.equal(look('7;32'), 'a-paper a-paper-2');
});

test('every other sequence is dropped: cursors, titles, hyperlinks, halves of sequences', () => {
  const dropped = [
    `${escape}[2J`,
    `${escape}[1A`,
    `${escape}[?25l`,
    `${escape}]0;title\u0007`,
    `${escape}]8;;http://evil.example${escape}\\`,
    `${escape}Pq#0${escape}\\`,
    `${escape}(B`,
    `${escape}c`,
    '\u009b31m',
    '\u0007',
    '\u0008',
  ];
  for (const sequence of dropped) assert.equal(withoutAnsi(`a${sequence}b`), 'ab', JSON.stringify(sequence));
  assert.equal(withoutAnsi(`a${escape}[`), 'a');
  assert.equal(withoutAnsi(`a${escape}`), 'a');
});

test('of a line that was drawn over, the last drawing is kept', () => {
  assert.equal(withoutAnsi('10 %\r50 %\r100 %\r'), '100 %');
  // Whoever looked for the end from each return on would take hours.
  assert.equal(withoutAnsi(`${'\r'.repeat(1_000_000)}done`), 'done');
});

test('direction marks and invisible characters are dropped, so that text reads as it is', () => {
  assert.equal(withoutAnsi('a\u202eb\u2066c\u200bd\u0000e'), 'abcde');
});

test('no input makes a look that is not in the list, or loses visible text', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(escape, '[', ';', 'm', '38;5;', '48;2;1;2;3', '\r', '\u009b', ']8;;'),
    fc.integer({ min: 0, max: 999 }).map(String),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const line = pieces.join('');
      for (const { look, text } of parseAnsi(line)) {
        assert.match(
          look,
          /^(?:a-(?:bold|faint|italic|underline|paper|paper-plain|(?:ink|paper)-(?:\d|1[0-5]))(?: |$))*$/,
        );
        assert.notEqual(text, '');
      }
      assert.equal(
        parseAnsi(line)
          .map((span) => span.text)
          .join(''),
        withoutAnsi(line),
      );
    }),
  );
});
