/** `contender.yaml` as it stands: every mistake with its line and what is accepted. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import { checkPodFields } from '../compile/pod-fields.ts';
import { mergePods } from '../pipeline/pod-merge.ts';
import { nearest } from '../pipeline/nearest.ts';
import type { JsonObject } from '../std/json.ts';
import { ProblemError, type Place } from '../std/problem.ts';
import { documentation } from '../version.ts';
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
  const document = parseDocument(textOf(path, 'Make it a file that this user may read.'), {
    lineCounter: lines,
    // The place is said with the problem.
    prettyErrors: false,
  });
  const [error] = document.errors;
  if (error !== undefined) throw invalid(firstLine(error.message), placeAt(lines, error.pos[0]), 'Mend the YAML.');
  const parsed = configFileSchema.safeParse(plainValue(document), { error: said });
  const mistakes = parsed.success ? podMistakes(parsed.data) : parsed.error.issues.map(mistakeOf);
  const [problem, ...others] = mistakes.slice(0, mistakesMax).map(({ keys, what, help }) => {
    return invalid(what, placeOf(document, lines, keys.map(String)), help).problem;
  });
  if (problem !== undefined) throw new ProblemError(problem, others);
  if (!parsed.success) throw parsed.error;
  return parsed.data;
}

interface Mistake {
  /** Of the value, or of the key that is not known. */
  readonly keys: readonly PropertyKey[];
  readonly what: string;
  readonly help: string;
}

/** Of one more, nobody reads the first. */
const mistakesMax = 20;

function mistakeOf(issue: z.core.$ZodIssue): Mistake {
  const at = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  return {
    keys: [...issue.path, ...unknown],
    what: `${at}${issue.message}`,
    help: `${documentation('operating.md')} lists every setting with its default.`,
  };
}

/** In the words of the other mistakes; null: what zod says. Text is not repeated, as it may be a secret. */
function said(issue: z.core.$ZodRawIssue): string | null {
  const it = `it is ${kindOf(issue.input)}, and has to`;
  if (issue.code === 'unrecognized_keys') return unknownSetting(issue);
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'it is missing' : `${it} be ${typeWords[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value')
    return `${it} be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
  if (issue.code === 'too_small') {
    const least = issue.inclusive === false ? 'more than' : 'at least';
    return `${it} ${sizeWords[issue.origin] ?? 'be'} ${least} ${issue.minimum}`;
  }
  if (issue.code === 'too_big') {
    const most = issue.inclusive === false ? 'less than' : 'at most';
    return `${it} ${sizeWords[issue.origin] ?? 'be'} ${most} ${issue.maximum}`;
  }
  const isAddress = issue.code === 'invalid_format' && issue.format === 'url';
  return isAddress ? `${it} be an address such as "https://contender.example"` : null;
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of settings',
  record: 'a group of settings',
};

const sizeWords: Readonly<Record<string, string>> = { string: 'have a length of', array: 'have a length of' };

function kindOf(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'empty' : 'text';
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : 'a list';
  return typeof value === 'object' && value !== null ? 'a group of settings' : String(value);
}

/** With those that were meant. */
function unknownSetting({ inst, keys }: z.core.$ZodRawIssue & { readonly keys: readonly string[] }): string {
  const known = inst instanceof z.ZodObject ? Object.keys(inst.shape) : [];
  const names = keys.map((key) => {
    const meant = nearest(key, known);
    return meant === null ? `"${key}"` : `"${key}" (did you mean "${meant}"?)`;
  });
  return `there is no setting ${names.join(', ')}`;
}

/** What is said of pods is held to the same types as what a step says. */
function podMistakes({ executor, repositories }: ConfigFile): readonly Mistake[] {
  const { kubernetes } = executor;
  const ofAll =
    kubernetes === undefined
      ? []
      : [...mistakesOfHelper(kubernetes), ...mistakesOfPod(['executor', 'kubernetes'], kubernetes.pod)];
  const ofEach = repositories.flatMap(({ pod }, at) => mistakesOfPod(['repositories', at], pod));
  if (kubernetes === undefined || ofAll.length > 0 || ofEach.length > 0) return [...ofAll, ...ofEach];
  // Each by itself is right: what is wrong now is so together.
  return repositories.flatMap(({ pod }, at) => {
    const mistakes = mistakesOfPod(['repositories', at], mergePods(kubernetes.pod, pod));
    return mistakes.map((mistake) => ({ ...mistake, help: `${mistake.help} ${together}` }));
  });
}

const together = 'It is laid over `executor.kubernetes.pod`.';

/** Its resources are held to what those of a pod are. */
function mistakesOfHelper({ helperResources = {} }: Cluster): readonly Mistake[] {
  const place = ['executor', 'kubernetes', 'helperResources'];
  const said = 'pod.resources';
  return checkPodFields({ literal: { resources: helperResources } }).faults.map(({ keys, path, what, help }) => ({
    keys: [...place, ...keys.slice(said.split('.').length)],
    what: `${place.join('.')}${path.slice(said.length)}: ${what}`,
    help,
  }));
}

type Cluster = NonNullable<ConfigFile['executor']['kubernetes']>;

function mistakesOfPod(parent: readonly (string | number)[], pod: JsonObject): readonly Mistake[] {
  return checkPodFields({ literal: pod }).faults.map(({ keys, path, what, help }) => ({
    keys: [...parent, ...keys],
    what: `${[...parent, path].join('.')}: ${what}`,
    help,
  }));
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
    const item = isSeq(parent) ? parent.items[Number(keys[length - 1])] : undefined;
    if (isNode(item) && item.range) return placeAt(lines, item.range[0]);
    const pair = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && item.key.value === keys[length - 1])
      : undefined;
    if (pair !== undefined && isScalar(pair.key) && pair.key.range) return placeAt(lines, pair.key.range[0]);
  }
  return null;
}
