/**
 * The search among local times alone, where every day has 24 hours and no zone is known: which second of the wall's
 * calendar is the first (or last) that the fields allow?
 */
import type { CronFields } from './schedule.ts';

const secondsPerDay = 86_400;

/** The first allowed local time in `[from, end)`, in seconds; null where there is none. */
export function firstMatch(fields: CronFields, from: number, end: number): number | null {
  if (from >= end) return null;
  const day = Math.floor(from / secondsPerDay);
  if (dayMatches(fields, day)) {
    const time = timeAtOrAfter(fields, from - day * secondsPerDay);
    if (time !== null) return within(day * secondsPerDay + time, from, end);
  }
  const nextDay = findDay(fields, day + 1, Math.floor((end - 1) / secondsPerDay), 1);
  return nextDay === null ? null : within(nextDay * secondsPerDay + firstTime(fields), from, end);
}

/** The last allowed local time in `[from, end)`, in seconds; null where there is none. */
export function lastMatch(fields: CronFields, from: number, end: number): number | null {
  if (from >= end) return null;
  const day = Math.floor((end - 1) / secondsPerDay);
  if (dayMatches(fields, day)) {
    const time = timeAtOrBefore(fields, end - 1 - day * secondsPerDay);
    if (time !== null) return within(day * secondsPerDay + time, from, end);
  }
  const previousDay = findDay(fields, day - 1, Math.floor(from / secondsPerDay), -1);
  return previousDay === null ? null : within(previousDay * secondsPerDay + lastTime(fields), from, end);
}

function within(local: number, from: number, end: number): number | null {
  return local >= from && local < end ? local : null;
}

interface CivilDate {
  readonly month: number;
  readonly day: number;
  readonly daysInMonth: number;
}

function civilDate(epochDay: number): CivilDate {
  const date = new Date(epochDay * secondsPerDay * 1000);
  const month = date.getUTCMonth() + 1;
  return { month, day: date.getUTCDate(), daysInMonth: daysInMonth(date.getUTCFullYear(), month) };
}

function daysInMonth(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

/** 0 (Sunday) to 6; 1970-01-01 was a Thursday. */
function weekdayOf(epochDay: number): number {
  return (((epochDay + 4) % 7) + 7) % 7;
}

/** The first matching day from `day` to `limit` (both included) in the direction of `step`; months are left out whole. */
function findDay(fields: CronFields, day: number, limit: number, step: 1 | -1): number | null {
  let current = day;
  while (step === 1 ? current <= limit : current >= limit) {
    const date = civilDate(current);
    const inMonth = step === 1 ? date.daysInMonth - date.day + 1 : date.day;
    if (fields.months.has(date.month)) {
      for (let moved = 0; moved < inMonth; moved++) {
        const candidate = current + moved * step;
        if (matchesInMonth(fields, candidate, date.day + moved * step, date.daysInMonth)) {
          return (step === 1 ? candidate <= limit : candidate >= limit) ? candidate : null;
        }
      }
    }
    current += inMonth * step;
  }
  return null;
}

function dayMatches(fields: CronFields, epochDay: number): boolean {
  const date = civilDate(epochDay);
  return fields.months.has(date.month) && matchesInMonth(fields, epochDay, date.day, date.daysInMonth);
}

function matchesInMonth(fields: CronFields, epochDay: number, day: number, daysInMonth: number): boolean {
  const weekday = weekdayOf(epochDay);
  const ofMonth = matchesDayOfMonth(fields, day, weekday, daysInMonth);
  if (fields.dayRule === 'both' ? !ofMonth : ofMonth) return ofMonth;
  const { days, last, numbered } = fields.daysOfWeek;
  return (
    days.has(weekday) || (last.has(weekday) && day + 7 > daysInMonth) || numbered.has(weekday * 10 + Math.ceil(day / 7))
  );
}

function matchesDayOfMonth(fields: CronFields, day: number, weekday: number, daysInMonth: number): boolean {
  const { days, last, lastWorkday } = fields.daysOfMonth;
  if (days.has(day) || (last && day === daysInMonth)) return true;
  if (!lastWorkday || weekday === 0 || weekday === 6) return false;
  // A Friday may be followed by the month's last Saturday and Sunday.
  return day === daysInMonth || (weekday === 5 && day + 2 >= daysInMonth);
}

function firstTime(fields: CronFields): number {
  return (fields.hours[0] ?? 0) * 3600 + (fields.minutes[0] ?? 0) * 60 + (fields.seconds[0] ?? 0);
}

function lastTime(fields: CronFields): number {
  return (fields.hours.at(-1) ?? 0) * 3600 + (fields.minutes.at(-1) ?? 0) * 60 + (fields.seconds.at(-1) ?? 0);
}

/** The first allowed second of the day at or after `time`. */
function timeAtOrAfter(fields: CronFields, time: number): number | null {
  const [hour, minute, second] = [Math.floor(time / 3600), Math.floor(time / 60) % 60, time % 60];
  const [firstMinute = 0, firstSecond = 0] = [fields.minutes[0], fields.seconds[0]];
  if (fields.hours.includes(hour)) {
    if (fields.minutes.includes(minute)) {
      const nextSecond = fields.seconds.find((value) => value >= second);
      if (nextSecond !== undefined) return hour * 3600 + minute * 60 + nextSecond;
    }
    const nextMinute = fields.minutes.find((value) => value > minute);
    if (nextMinute !== undefined) return hour * 3600 + nextMinute * 60 + firstSecond;
  }
  const nextHour = fields.hours.find((value) => value > hour);
  return nextHour === undefined ? null : nextHour * 3600 + firstMinute * 60 + firstSecond;
}

/** The last allowed second of the day at or before `time`. */
function timeAtOrBefore(fields: CronFields, time: number): number | null {
  const [hour, minute, second] = [Math.floor(time / 3600), Math.floor(time / 60) % 60, time % 60];
  const [lastMinute = 0, lastSecond = 0] = [fields.minutes.at(-1), fields.seconds.at(-1)];
  if (fields.hours.includes(hour)) {
    if (fields.minutes.includes(minute)) {
      const previousSecond = fields.seconds.findLast((value) => value <= second);
      if (previousSecond !== undefined) return hour * 3600 + minute * 60 + previousSecond;
    }
    const previousMinute = fields.minutes.findLast((value) => value < minute);
    if (previousMinute !== undefined) return hour * 3600 + previousMinute * 60 + lastSecond;
  }
  const previousHour = fields.hours.findLast((value) => value < hour);
  return previousHour === undefined ? null : previousHour * 3600 + lastMinute * 60 + lastSecond;
}
