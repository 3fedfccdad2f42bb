/** Numbers as pages show them: as many digits as a person compares. */

/** `0.8391`, `128.40`, `10 000`, `2.1e-5`, `–` where there is none. */
export function numberText(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return minus(grouped(String(value)));
  if (size >= 1000) return minus(grouped(value.toFixed(1)));
  if (size >= 100) return minus(value.toFixed(2));
  if (size >= 0.001) return minus(value.toFixed(4));
  return minus(size >= 0.00001 ? value.toPrecision(2) : value.toExponential(1));
}

/** With its sign: `+0.0079`, `−0.0020`, `0`. */
export function gainText(value: number): string {
  return value > 0 ? `+${numberText(value)}` : numberText(value);
}

/** `95` of 0.95, without the noise of binary fractions. */
export function percentText(fraction: number): string {
  return String(Number((fraction * 100).toFixed(2)));
}

/** `512 B`, `1.4 MB`: powers of 1000, as disks and networks count. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1 step`, `3 steps`. */
export function countText(count: number, singular: string, plural = `${singular}s`): string {
  return `${grouped(String(count))} ${count === 1 ? singular : plural}`;
}

export function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+(?!\d))/g, '\u202f');
}

/** A real minus sign is as wide as the plus, so that columns stay aligned. */
function minus(text: string): string {
  return text.replace(/^-/, '−');
}
