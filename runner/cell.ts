/** What a cell of a data file means, whether it came as text (CSV) or as a value. */

const emptyTexts = new Set(['', 'NaN', 'nan', 'null', 'NULL']);

/** Nothing there: null, not a number, or the text of one of these. `NA` is a value: it is Namibia, too. */
export function isEmpty(cell: unknown): boolean {
  if (cell === null || cell === undefined) return true;
  if (typeof cell === 'number') return Number.isNaN(cell);
  return typeof cell === 'string' && emptyTexts.has(cell.trim());
}

/** The number that it is; NaN where it is none. Flags are 0 and 1. */
export function numberOf(cell: unknown): number {
  if (typeof cell === 'number') return cell;
  if (typeof cell === 'bigint') return Number(cell);
  if (typeof cell === 'boolean') return cell ? 1 : 0;
  if (typeof cell !== 'string') return Number.NaN;
  const text = cell.trim();
  if (text === 'true' || text === 'True') return 1;
  if (text === 'false' || text === 'False') return 0;
  return text === '' || /^0[xob]/i.test(text) ? Number.NaN : Number(text);
}

/** As text that tells different values apart. */
export function textOf(cell: unknown): string {
  if (cell instanceof Date) return cell.toISOString();
  if (typeof cell === 'object' && cell !== null) {
    return JSON.stringify(cell, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  }
  return String(cell);
}
