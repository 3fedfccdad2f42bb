/** Durations as people write them (`90s`, `10m`, `4h`, `8d`, `1h30m`) and as programs hold them: milliseconds. */
import { failure, success, type Result } from './result.ts';

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of `text`; the error is a sentence that says what is accepted. A number is taken as milliseconds. */
export function parseDuration(text: string | number): Result<number, string> {
  const wrong = failure(
    `${JSON.stringify(text)} is no duration: write a number and ms, s, m, h, d or w, as in "90s" or "1h30m"`,
  );
  if (typeof text === 'number') return Number.isFinite(text) && text >= 0 ? success(text) : wrong;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(text)) return wrong;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  }
  return success(Math.round(total));
}

/** `ms` exactly, as `parseDuration` reads it, in one unit: `90s`, `36h`, `30d`. */
export function writeDuration(ms: number): string {
  const units = ['d', 'h', 'm', 's'];
  const unit = ms === 0 ? 's' : (units.find((each) => ms % (unitMs[each] ?? 1) === 0) ?? 'ms');
  return `${ms / (unitMs[unit] ?? 1)}${unit}`;
}

/** The two largest units of `ms`, for people: `450 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return `${minutes} min ${seconds % 60} s`;
}
