import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createMask } from '../../src/outputs/mask.ts';

const maskOf = (value: string): ReturnType<typeof createMask> => createMask(new Map([['TOKEN', value]]));

const forms: Readonly<Record<string, (value: string) => string>> = {
  raw: (value) => value,
  json: (value) => JSON.stringify({ key: value }),
  'json in json': (value) => JSON.stringify(JSON.stringify({ key: value })),
  url: (value) => `?q=${encodeURIComponent(value)}&x`,
  form: (value) => new URLSearchParams({ value }).toString(),
  base64: (value) => Buffer.from(value).toString('base64'),
  'base64 after one byte': (value) => Buffer.from(`x${value}`).toString('base64'),
  'base64 after two bytes': (value) => Buffer.from(`xy${value}z`).toString('base64'),
  'base64 of a header': (value) => Buffer.from(`user:${value}`).toString('base64url'),
  hex: (value) => Buffer.from(value).toString('hex'),
  shell: (value) => `'${value.replaceAll("'", String.raw`'\''`)}'`,
  html: (value) =>
    value
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;'),
};

/**
 * Whether more than what the form puts around a secret is still to be seen. A character of base64 that holds bits of its
 * neighbour may stay at either end.
 */
function leaks(masked: string, form: string, value: string): boolean {
  const print = forms[form] ?? String;
  const [printed, empty] = [Buffer.from(print(value)), Buffer.from(print(''))];
  const [first, last] = [masked.indexOf('***'), masked.lastIndexOf('***')];
  if (first < 0) return true;
  const isKept = form.startsWith('base64') ? 3 : 0;
  const head = sharedLength(printed, empty) + isKept;
  const tail = sharedLength(printed.toReversed(), empty.toReversed()) + isKept;
  const after = masked.slice(last + 3).replace(/=+$/, '');
  return first > head || after.length > tail || /[^*]/.test(masked.slice(first, last));
}

function sharedLength(one: Uint8Array, other: Uint8Array): number {
  const differs = one.findIndex((byte, at) => byte !== other[at]);
  return differs < 0 ? one.length : differs;
}

test('a secret is masked in every form in which programs print it, wherever the chunks are cut', () => {
  const secret = fc
    .string({ minLength: 8, maxLength: 40, unit: 'grapheme-ascii' })
    .filter((text) => text.trim().length >= 8 && !text.includes('***'));
  fc.assert(
    fc.property(secret, fc.constantFrom(...Object.keys(forms)), fc.integer({ min: 1, max: 9 }), (value, form, size) => {
      const printed = forms[form]?.(value) ?? '';
      const bytes = Buffer.from(`before ${printed} after\n`);
      const stream = maskOf(value).stream();
      const passed: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size)
        passed.push(Uint8Array.from(stream.push(bytes.subarray(at, at + size))));
      passed.push(stream.end());
      const masked = Buffer.concat(passed).toString();
      assert.ok(masked.startsWith('before ') && masked.endsWith(' after\n'));
      const inside = masked.slice('before '.length, -' after\n'.length);
      assert.ok(!leaks(inside, form, value), `${form} of ${JSON.stringify(value)} became ${masked}`);
    }),
    { numRuns: 2000 },
  );
});

test('of secrets that overlap nothing is left over, wherever the chunks are cut', () => {
  const secrets = new Map([
    ['ONE', 'abcdefgh'],
    ['TWO', 'efghijkl'],
    ['THREE', 'ijklmnop'],
  ]);
  const mask = createMask(secrets);
  assert.equal(mask.text('<abcdefghijklmnop> <efghijkl> <abcdefghabcdefgh>'), '<***> <***> <******>');
  const stream = mask.stream();
  const passed = [...Buffer.from('<abcdefghijkl>\n')].map((byte) => Buffer.from(stream.push(Uint8Array.of(byte))));
  assert.equal(Buffer.concat([...passed, stream.end()]).toString(), '<***>\n');
});

test('each long line of a key file is masked by itself', () => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nshort\nhkiG9w0BAQEFAASC\n-----END KEY-----\n';
  const stream = maskOf(key).stream();
  const masked = Buffer.concat([stream.push(Buffer.from(key)), stream.end()]).toString();
  assert.equal(masked, '***\n***\nshort\n***\n***\n');
});

test('a secret that is too short to be masked is named, and nothing is blackened', () => {
  const mask = createMask(
    new Map([
      ['PIN', '{'],
      ['LONG', 'a long secret'],
    ]),
  );
  assert.deepEqual(mask.refused, ['PIN']);
  assert.equal(mask.text('{"a": "a long secret"}'), '{"a": "***"}');
});

test('an endless line goes on in pieces, and a secret across their border is masked', () => {
  const value = 'correct-horse-battery';
  const stream = maskOf(value).stream();
  const passed: Uint8Array[] = [];
  const unit = Buffer.from(`${'.'.repeat(997)}${value}`);
  for (let count = 0; count < 500; count += 1) {
    passed.push(stream.push(unit));
  }
  passed.push(stream.end());
  assert.equal(Buffer.concat(passed).toString(), `${'.'.repeat(997)}***`.repeat(500));
});

test('bytes that are no UTF-8 pass through as they are', () => {
  const stream = maskOf('a long secret').stream();
  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x0a]);
  assert.deepEqual(Buffer.from(stream.push(bytes)), bytes);
});
