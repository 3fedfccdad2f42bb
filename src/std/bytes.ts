/** Amounts of memory as Kubernetes writes them (`512Mi`, `2Gi`, `1.5G`, plain bytes) and as programs hold them: bytes. */
export const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** Whole bytes of `text`, or null where it is no amount. A number is taken as bytes. */
export function parseBytes(text: string | number): number | null {
  const [, amount = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,15})?)([kMGTP]|[KMGTP]i)?$/.exec(String(text)) ?? [];
  const bytes = Math.round(Number(amount) * (unitBytes[unit] ?? Number.NaN));
  return amount !== '' && Number.isSafeInteger(bytes) ? bytes : null;
}

/** For people, in powers of 1024: `4 GiB`, `1.5 GiB`, `312 MiB`, `77 B`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1023.5 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${Number(value.toFixed(value >= 100 ? 0 : 1))} ${units[unit]}`;
}
