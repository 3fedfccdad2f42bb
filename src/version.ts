/** The version of this program, from its package. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

function read(): string {
  const path = findPackageJSON(import.meta.url);
  const parsed: unknown = path === undefined ? null : JSON.parse(readFileSync(path, 'utf8'));
  const found = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : null;
  return typeof found === 'string' ? found : '0.0.0';
}

export const version = read();
