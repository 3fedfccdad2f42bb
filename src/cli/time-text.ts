/** Moments and stretches of time in columns. */

/** `2026-03-29 01:00`, with the seconds only where there are some. */
export function utcText(at: number): string {
  const text = new Date(at).toISOString();
  return text.slice(0, at % 60_000 === 0 ? 16 : 19).replace('T', ' ');
}

/** Hours, minutes and seconds, as on a stopwatch: `0:01:30`, `1 d 2:00:00`. */
export function stopwatchText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const [hours, ...rest] = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  const text = [hours, ...rest.map((part) => String(part).padStart(2, '0'))].join(':');
  return days === 0 ? text : `${days} d ${text}`;
}
