/**
 * A second opinion on the firing times that shares nothing with the code it judges: a cron of its own that wakes up every
 * minute of real time, looks at the clock on the wall and decides as Debian's cron does. Slow and plain on purpose.
 */

/** One expression of five fields, each a test of its own. */
export interface OracleCron {
  readonly byTheClock: boolean;
  matches(wall: WallMinute): boolean;
}

export interface WallMinute {
  /** Minutes since 1970-01-01 as the wall counts them. */
  readonly count: number;
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
  readonly daysInMonth: number;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
const formatters = new Map<string, Intl.DateTimeFormat>();

/** What the wall shows at the instant `utcMs`, by Intl's calendar fields. */
export function wallAt(timeZone: string, utcMs: number): WallMinute {
  const formatter =
    formatters.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  formatters.set(timeZone, formatter);
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = formatter
    .format(utcMs)
    .split(/[/, :]+/)
    .map(Number);
  return wallMinute(Date.UTC(year, month - 1, day, hour, minute) / minuteMs);
}

function wallMinute(count: number): WallMinute {
  const date = new Date(count * minuteMs);
  return {
    count,
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    day: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    weekday: date.getUTCDay(),
    daysInMonth: new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
  };
}

/** Numbers, `*`, lists, ranges, steps, `L` in the day of month, `5L` and `1#2` in the day of week. */
export function oracleCron(expression: string): OracleCron {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = expression.split(' ');
  const both = day.startsWith('*') || weekday.startsWith('*');
  return {
    byTheClock: minute.startsWith('*') || hour.startsWith('*'),
    matches(wall) {
      const onDay = day === 'L' ? wall.day === wall.daysInMonth : inList(day, wall.day, 1, 31);
      const onWeekday = matchesWeekday(weekday, wall);
      return (
        inList(minute, wall.minute, 0, 59) &&
        inList(hour, wall.hour, 0, 23) &&
        inList(month, wall.month, 1, 12) &&
        (both ? onDay && onWeekday : onDay || onWeekday)
      );
    },
  };
}

function matchesWeekday(text: string, wall: WallMinute): boolean {
  const [name, number] = text.split('#');
  if (number !== undefined) return Number(name) % 7 === wall.weekday && Math.ceil(wall.day / 7) === Number(number);
  if (text.endsWith('L')) return Number.parseInt(text, 10) % 7 === wall.weekday && wall.day > wall.daysInMonth - 7;
  return inList(text, wall.weekday, 0, 7) || (wall.weekday === 0 && inList(text, 7, 0, 7));
}

function inList(text: string, value: number, min: number, max: number): boolean {
  return text.split(',').some((item) => {
    const [range = '', step = '1'] = item.split('/');
    const [from = 0, to = item.includes('/') ? max : from] =
      range === '*' ? [min, max] : range.split('-').map((part) => Number(part));
    return value >= from && value <= to && (value - from) % Number(step) === 0;
  });
}

/**
 * All firings in `[fromMs, toMs)`, both whole minutes. Debian's rule for jobs with fixed times, in one line each: minutes
 * that the wall jumped over are made up for at once, minutes that it shows again are left out.
 */
export function oracleFirings(cron: OracleCron, walls: readonly WallMinute[], fromMs: number): readonly number[] {
  const firings: number[] = [];
  let seen = (walls[0]?.count ?? 0) - 1;
  for (const [index, wall] of walls.entries()) {
    const now = fromMs + index * minuteMs;
    if (cron.byTheClock) {
      if (cron.matches(wall)) firings.push(now);
    } else {
      let due = false;
      for (let count = seen + 1; count <= wall.count; count++) due ||= cron.matches(wallMinute(count));
      if (due) firings.push(now);
    }
    seen = Math.max(seen, wall.count);
  }
  return firings;
}

export function wallsBetween(timeZone: string, fromMs: number, toMs: number): readonly WallMinute[] {
  return Array.from({ length: (toMs - fromMs) / minuteMs }, (_, index) => wallAt(timeZone, fromMs + index * minuteMs));
}

/** Days (their first instant in UTC) during which the zone's clock changes, in one year. */
export function daysOfChange(timeZone: string, year: number): readonly number[] {
  const days: number[] = [];
  for (let day = Date.UTC(year, 0, 1); day < Date.UTC(year + 1, 0, 1); day += dayMs) {
    const elapsed = wallAt(timeZone, day + dayMs).count - wallAt(timeZone, day).count;
    if (elapsed !== dayMs / minuteMs) days.push(day);
  }
  return days;
}
