import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { firingsBetween, nextFiring, parseSchedule } from '../../src/calendar/calendar.ts';
import { scheduleOf, utc, utcText } from './schedule-of.ts';

function refusal(cron: string, timeZone = 'UTC'): string {
  const parsed = parseSchedule(cron, timeZone);
  assert.ok(!parsed.ok, `${cron} was accepted`);
  return parsed.error;
}

function firstFrom2026(cron: string, count: number): readonly string[] {
  const from = utc('2026-01-01 00:00');
  return firingsBetween(scheduleOf(cron), from, from + 20 * 366 * 86_400_000, count).map(utcText);
}

const wrongFields: readonly (readonly [string, string])[] = [
  ['60 * * * *', 'minute'],
  ['*/0 * * * *', 'minute'],
  ['1,,2 * * * *', 'minute'],
  ['1/ * * * *', 'minute'],
  ['-5 * * * *', 'minute'],
  ['1.5 * * * *', 'minute'],
  ['? * * * *', 'minute'],
  ['H * * * *', 'minute'],
  ['H(1-5) * * * *', 'minute'],
  ['@ * * * *', 'minute'],
  ['0 24 * * *', 'hour'],
  ['0 5-1 * * *', 'hour'],
  ['0 0 0 * *', 'day of month'],
  ['0 0 32 * *', 'day of month'],
  ['0 0 L-3 * *', 'day of month'],
  ['0 0 15W * *', 'day of month'],
  ['0 0 * 13 *', 'month'],
  ['0 0 * foo *', 'month'],
  ['0 0 1 janfeb *', 'month'],
  ['0 0 1 1jan *', 'month'],
  ['0 0 * * sunmon', 'day of week'],
  ['0 0 * * 8', 'day of week'],
  ['0 0 * * L', 'day of week'],
  ['0 0 * * 1#6', 'day of week'],
  ['0 0 * * *#1', 'day of week'],
  ['0 0 1#1 * *', 'day of month'],
  ['0 0 * * fri-sun', 'day of week'],
  ['90 0 0 * * *', 'second'],
];

for (const [cron, field] of wrongFields) {
  test(`${cron} is refused for its ${field}`, () => {
    if (cron.startsWith('@')) assert.match(refusal(cron), /is unknown: write one of @yearly/);
    else assert.match(refusal(cron), new RegExp(`^the ${field} field ".*" cannot be read: it takes .*lists`));
  });
}

test('an expression that is empty or has the wrong number of fields is refused with the right shape', () => {
  for (const cron of ['', '   ', '* * * *', '* * * * * * *', 'monday']) {
    assert.match(refusal(cron), /write five fields \(minute, hour, day of month, month, day of week\)/);
  }
  assert.match(refusal('1'.repeat(600)), /at most 512/);
});

test('a schedule is read once for each zone', () => {
  const berlin = scheduleOf('3 4 * * 5', 'Europe/Berlin');
  assert.equal(scheduleOf('3 4 * * 5', 'Europe/Berlin'), berlin);
  assert.equal(scheduleOf('3 4 * * 5', 'Asia/Tokyo').timeZone, 'Asia/Tokyo');
});

test('an expression that can never fire is refused', () => {
  for (const cron of ['0 0 30 2 *', '0 0 31 2,4,6,9,11 *']) {
    assert.match(refusal(cron), /never fires/);
  }
});

test('29 February on a Sunday is far away, but comes', () => {
  assert.deepEqual(firstFrom2026('0 0 29 2 */7', 1), ['2032-02-29 00:00']);
  const next = nextFiring(scheduleOf('0 0 29 2 */7'), utc('2088-03-01 00:00'));
  assert.equal(utcText(next ?? 0), '2128-02-29 00:00');
});

test('a time zone must be a name that the tz database knows', () => {
  for (const zone of ['', 'Mars/Olympus', '+02:00', '../etc/passwd', 'Europe/Berlin ']) {
    assert.match(refusal('@daily', zone), /the time zone ".*" is unknown: write an IANA name/);
  }
  assert.ok(parseSchedule('@daily', 'europe/berlin').ok);
});

test('a bad field and a bad time zone are both said', () => {
  assert.match(
    refusal('61 2 * * *', 'Mars/Olympus'),
    /^the minute field "61" cannot be read: .*; the time zone "Mars\/Olympus"/,
  );
});

test('names, nicknames, upper case and spaces read as their numbers do', () => {
  const same: readonly (readonly [string, string])[] = [
    ['0 0 * jan-mar Mon-FRI', '0 0 * 1-3 1-5'],
    ['@weekly', '0 0 * * 0'],
    ['@Hourly', '0 * * * *'],
    ['@midnight', '@daily'],
    ['@annually', '0 0 1 1 *'],
    ['  5   4 * * sun ', '5 4 * * 7'],
    ['0 0 0 1 1 *', '@yearly'],
    ['5/15 * * * *', '5,20,35,50 * * * *'],
  ];
  for (const [one, other] of same) assert.deepEqual(firstFrom2026(one, 40), firstFrom2026(other, 40), one);
});

test('last days, last working days, last and numbered weekdays', () => {
  assert.deepEqual(firstFrom2026('0 0 L * *', 2), ['2026-01-31 00:00', '2026-02-28 00:00']);
  assert.deepEqual(firstFrom2026('0 0 LW * *', 3), ['2026-01-30 00:00', '2026-02-27 00:00', '2026-03-31 00:00']);
  assert.deepEqual(
    firstFrom2026('0 0 LW 5 *', 1),
    ['2026-05-29 00:00'],
    'a Friday before the last Saturday and Sunday',
  );
  assert.deepEqual(firstFrom2026('0 0 * * 5L', 2), ['2026-01-30 00:00', '2026-02-27 00:00']);
  assert.deepEqual(firstFrom2026('0 0 * * 1#1,FRI#3', 3), ['2026-01-05 00:00', '2026-01-16 00:00', '2026-02-02 00:00']);
  assert.deepEqual(firstFrom2026('0 0 1,L * *', 3), ['2026-01-01 00:00', '2026-01-31 00:00', '2026-02-01 00:00']);
});

test('any text gives a schedule or a sentence, never an exception', () => {
  const piece = fc.constantFrom(
    '*',
    '/',
    '-',
    ',',
    'L',
    'W',
    '#',
    '?',
    'H',
    ' ',
    '5',
    '12',
    '99',
    'mon',
    'jan',
    '@',
    '(',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join('')),
    fc
      .array(
        fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join('')),
        { minLength: 5, maxLength: 6 },
      )
      .map((fields) => fields.join(' ')),
  );
  fc.assert(
    fc.property(text, (cron) => {
      const parsed = parseSchedule(cron, 'UTC');
      if (parsed.ok) assert.notEqual(nextFiring(parsed.value, 0), null);
      else assert.match(parsed.error, /^the .* (field|schedule|is|has|never)/s);
    }),
    { seed: 7, numRuns: 1500 },
  );
});
