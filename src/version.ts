/** The version of this program and where its documentation is, from its package. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

const path = findPackageJSON(import.meta.url);

/** The path of a page of `docs`, which the package brings along, wherever it is installed. */
export function documentation(page: string): string {
  return join(path === undefined ? '' : dirname(path), 'docs', page);
}

function read(): string {
  const parsed: unknown = path === undefined ? null : JSON.parse(readFileSync(path, 'utf8'));
  const found = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : null;
  return typeof found === 'string' ? found : '0.0.0';
}

export const version = read();
