/**
 * Time zones as pieces of constant offset. Intl knows the offset of an instant but not when it changes, so each UTC year
 * of a zone is sampled once, every change between two samples is found by bisection, and the pieces are kept. Cutting
 * at New Year as well lets a year be answered alone; such a cut has the same offset on both sides and harms nothing.
 */
import { failure, success, type Result } from '../std/result.ts';

/** `[start, end)` in UTC seconds, with the offset in seconds that holds there and the one that held just before. */
export interface ZonePiece {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  readonly offsetBefore: number;
}

const secondsPerDay = 86_400;
/** No zone has changed twice within seven days since 1970 (the closest: America/Noronha in 2000, Asia/Gaza in 2040). */
const sampleDays = 5;
/** Years that are answered; outside of them there is no firing. */
const yearMin = 1900;
const yearMax = 2500;

interface Zone {
  readonly formatter: Intl.DateTimeFormat;
  readonly years: Map<number, readonly ZonePiece[]>;
}

/** By canonical name, so that there are never more than Intl knows zones (about 600). */
const zones = new Map<string, Zone>();
/** By the name as written; cleared when full, since the same zone can be written in many ways. */
const zonesAsWritten = new Map<string, Zone>();
const zonesAsWrittenMax = 2000;

/** Whether `timeZone` is a name that Intl knows; the error is a sentence. Plain offsets (`+02:00`) are no zones. */
export function checkTimeZone(timeZone: string): Result<string, string> {
  const wrong = failure(
    `the time zone ${JSON.stringify(timeZone.slice(0, 80))} is unknown: write an IANA name such as "Europe/Berlin" or "UTC"`,
  );
  if (!/^[A-Za-z]/.test(timeZone)) return wrong;
  try {
    zoneOf(timeZone);
    return success(timeZone);
  } catch (error) {
    if (error instanceof RangeError) return wrong;
    throw error;
  }
}

/** The piece that `utc` (seconds) lies in; null outside of the years that are answered. */
export function pieceAt(timeZone: string, utc: number): ZonePiece | null {
  const pieces = piecesOfYear(zoneOf(timeZone), yearOf(utc));
  return pieces.find((piece) => utc < piece.end) ?? null;
}

/** The local time of an instant (ms) with its offset, for people: `2026-03-29 03:00 +02:00`. */
export function formatLocalTime(timeZone: string, instant: number): string {
  const utc = Math.floor(instant / 1000);
  const offset = offsetAt(zoneOf(timeZone), utc);
  const sign = offset < 0 ? '-' : '+';
  return `${formatWallClock(utc + offset)} ${sign}${formatTimeOfDay(Math.abs(offset))}`;
}

/** A local time in seconds as `2026-03-29 03:00`, with the seconds only where there are some. */
export function formatWallClock(local: number): string {
  const date = new Date(local * 1000).toISOString().slice(0, 10);
  return `${date} ${formatTimeOfDay(local - Math.floor(local / secondsPerDay) * secondsPerDay)}`;
}

/** Seconds since midnight as `03:00`, with the seconds only where there are some. */
export function formatTimeOfDay(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts
    .slice(0, seconds % 60 === 0 ? 2 : 3)
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function zoneOf(timeZone: string): Zone {
  const known = zonesAsWritten.get(timeZone);
  if (known !== undefined) return known;
  const formatter = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset', year: 'numeric' });
  const canonical = formatter.resolvedOptions().timeZone;
  const zone = zones.get(canonical) ?? { formatter, years: new Map() };
  zones.set(canonical, zone);
  if (zonesAsWritten.size >= zonesAsWrittenMax) zonesAsWritten.clear();
  zonesAsWritten.set(timeZone, zone);
  return zone;
}

function piecesOfYear(zone: Zone, year: number): readonly ZonePiece[] {
  if (!(year >= yearMin && year <= yearMax)) return [];
  const known = zone.years.get(year);
  if (known !== undefined) return known;
  const pieces = findPieces(zone, Date.UTC(year, 0, 1) / 1000, Date.UTC(year + 1, 0, 1) / 1000);
  zone.years.set(year, pieces);
  return pieces;
}

function findPieces(zone: Zone, yearStart: number, yearEnd: number): readonly ZonePiece[] {
  const pieces: ZonePiece[] = [];
  let start = yearStart;
  let offsetBefore = offsetAt(zone, yearStart - 1);
  let offset = offsetAt(zone, yearStart);
  let sample = yearStart;
  while (sample < yearEnd) {
    const next = Math.min(sample + sampleDays * secondsPerDay, yearEnd);
    // The last sample is the last second of the year: a change at New Year itself begins the next year's first piece.
    const nextOffset = offsetAt(zone, next === yearEnd ? next - 1 : next);
    if (nextOffset !== offset) {
      const change = findChange(zone, sample, next, offset);
      pieces.push({ start, end: change, offset, offsetBefore });
      [start, offsetBefore, offset] = [change, offset, nextOffset];
    }
    sample = next;
  }
  pieces.push({ start, end: yearEnd, offset, offsetBefore });
  return pieces;
}

/** The first second in (`low`, `high`] at which the offset is no longer `offset`. */
function findChange(zone: Zone, low: number, high: number, offset: number): number {
  let [before, after] = [low, high];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(zone, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}

/** Intl writes the offset as `GMT`, `GMT+02:00` or, long ago, `GMT-00:44:30`. */
function offsetAt(zone: Zone, utc: number): number {
  const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?/.exec(zone.formatter.format(utc * 1000));
  if (match === null) throw new Error(`Intl gave no offset for ${zone.formatter.resolvedOptions().timeZone}`);
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match;
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === '-' ? -offset : offset;
}

function yearOf(utc: number): number {
  return new Date(utc * 1000).getUTCFullYear();
}
