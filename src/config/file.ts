/** `contender.yaml` as it stands: every mistake with its line and what is accepted. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { ProblemError, type Place } from '../std/problem.ts';
import { configFileSchema, type ConfigFile } from './schema.ts';
import { messageOfError } from '../std/error-message.ts';

const configBytesMax = 1024 * 1024;
const fileName = 'contender.yaml';

/** `contender.yaml` of `directory` by itself, whatever the environment gives; null where there is none. Throws a `ProblemError` (`config-invalid`). */
export function readConfigFile(directory: string): ConfigFile | null {
  const path = join(directory, fileName);
  return existsSync(path) ? readFile(path) : null;
}

function readFile(path: string): ConfigFile {
  const { size } = statSync(path);
  if (size > configBytesMax) throw invalid(`${fileName} is larger than 1 MiB`, null, 'It holds settings only.');
  const lines = new LineCounter();
  const document = parseDocument(textOf(path, 'Make it a file that this user may read.'), { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) throw invalid(firstLine(error.message), placeAt(lines, error.pos[0]), 'Mend the YAML.');
  const value = plainValue(document);
  const parsed = configFileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const keys = (issue?.path ?? []).map(String);
  const unknown = issue?.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : null;
  const where = placeOf(document, lines, unknown === null ? keys : [...keys, unknown]);
  const at = keys.length === 0 ? '' : `${keys.join('.')}: `;
  throw invalid(
    `${at}${issue?.message ?? 'not as it should be'}`,
    where,
    'docs/operating.md lists every setting with its default.',
  );
}

/** A path of the settings, from their folder on; `~` is the user's home. */
export function pathIn(directory: string, path: string): string {
  return resolve(directory, path.replace(/^~(?=\/|$)/, homedir()));
}

export function textOf(path: string, help: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`${path} cannot be read: ${messageOfError(error)}`, null, help);
  }
}

/** Aliases are counted while they are resolved: a small file must not become a large value. */
function plainValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw invalid(messageOfError(error), null, 'Write the values out instead of using aliases.');
  }
}

export function invalid(message: string, where: Place | null, help: string): ProblemError {
  return new ProblemError({ code: 'config-invalid', message, where, help });
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file: fileName, line, column: col };
}

/** Where the value, or the key that is not known, stands; the deepest part that is there. */
function placeOf(document: Document, lines: LineCounter, keys: readonly string[]): Place | null {
  for (let length = keys.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(keys.slice(0, length - 1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && item.key.value === keys[length - 1])
      : undefined;
    if (pair !== undefined && isScalar(pair.key) && pair.key.range) return placeAt(lines, pair.key.range[0]);
  }
  return null;
}
