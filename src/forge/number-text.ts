/** Numbers as reports show them: as many digits as a person compares. */

/** `0.8391`, `128.4`, `10 000`, `2.1e-5`, `–` where there is none. */
export function formatNumber(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return grouped(String(value));
  if (size >= 1000) return grouped(value.toFixed(1));
  if (size >= 100) return value.toFixed(2);
  if (size >= 0.001) return value.toFixed(4);
  return size >= 0.00001 ? value.toPrecision(2) : value.toExponential(1);
}

/** With its sign: `+0.0079`, `-0.0020`, `0`. */
export function formatGain(value: number): string {
  return value > 0 ? `+${formatNumber(value)}` : formatNumber(value);
}

/** `95` of 0.95, without the noise of binary fractions. */
export function formatPercent(fraction: number): string {
  return String(Number((fraction * 100).toFixed(2)));
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+(?!\d))/g, ' ');
}
