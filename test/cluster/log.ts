import { existsSync, readFileSync } from 'node:fs';

/** The end of a log, for a message about whoever wrote it. */
export function lastLines(file: string, count = 15): string {
  if (!existsSync(file)) return '  (no log)';
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count);
  return lines.map((line) => `  ${line.slice(0, 400)}`).join('\n');
}
