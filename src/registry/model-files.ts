/**
 * The files of a model: `models/NAME.json`, the pointer, and `ledger/NAME.jsonl`, one line for each decision, only ever
 * added to. docs/models.md shows them. They may have been edited by people, so they are parsed strictly: a key that is
 * not known here would be lost by the next promotion, and is refused instead.
 */
import * as z from 'zod';
import { canonicalJson, isJsonObject, type JsonObject } from '../std/json.ts';
import { failure, success, type Result } from '../std/result.ts';
import type { ModelState } from './promotion.ts';
import type { LedgerEntry, ModelPointer, Promotion } from './registry.ts';

export const modelNamePattern = /^[a-z][a-z0-9_-]{0,62}$/;

/** Of the pointer; a file of a later one is refused, not rewritten. */
const schemaVersion = 1;

const verdictCharactersMax = 256 * 1024;

const text = z.string().max(2000);
const count = z.int().min(1);
const time = z.int().min(0);
const artifact = z.strictObject({
  $artifact: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 of 64 hex digits'),
  name: z.string().min(1).max(255),
  bytes: z.int().min(0),
});
const evidence = z.strictObject({
  repository: text,
  pipeline: text,
  runId: text,
  sha: z.string().regex(/^[0-9a-f]{40}$/, 'a commit id of 40 hex digits'),
  digest: text,
  // As it is: what was parsed is JSON, and it may hold any key (zod's own record drops `__proto__`).
  verdict: z.custom<JsonObject>(isJsonObject, 'an object'),
  comparedWith: count.nullable(),
  decidedBy: text,
});
const modelName = z.string().regex(modelNamePattern, 'a small letter, then small letters, digits, _ and -, at most 63');
const decision = z.string().min(1).max(500);

const version = z.strictObject({
  model: modelName,
  version: count,
  artifact,
  predictions: artifact.nullable(),
  evidence,
  promotedAt: time,
});

const pointerFile = z.strictObject({
  schemaVersion: z.literal(schemaVersion),
  model: modelName,
  aliases: z.strictObject({ champion: count.nullable() }),
  hold: z.strictObject({ reason: text, by: text, at: time }).nullable(),
  versions: z.array(version),
});

const ledgerLine = z.strictObject({
  at: time,
  decision,
  action: z.literal('promoted'),
  version: count,
  previous: count.nullable(),
  evidence,
});

const promotionInput = z.strictObject({
  decision,
  model: modelName,
  artifact,
  predictions: artifact.nullable(),
  expectedChampion: count.nullable(),
  evidence,
  at: time,
});

export interface ModelPaths {
  readonly pointer: string;
  readonly ledger: string;
}

export function modelPaths(model: string): ModelPaths {
  return { pointer: `models/${model}.json`, ledger: `ledger/${model}.jsonl` };
}

/** The model of a path below `models/`, or null for any other file. */
export function modelOfPath(path: string): string | null {
  const name = /^models\/(.+)\.json$/.exec(path)?.[1] ?? '';
  return modelNamePattern.test(name) ? name : null;
}

/** The error is a sentence that names the file and the place in it. */
export function parsePointer(file: string, content: string): Result<ModelPointer, string> {
  const parsed = parseAs(pointerFile, file, content);
  if (!parsed.ok) return parsed;
  const { schemaVersion: _, ...pointer } = parsed.value;
  const wrong = pointer.versions.findIndex((each, index) => each.version !== index + 1 || each.model !== pointer.model);
  if (wrong >= 0) return failure(`${file}: versions[${wrong}] is not version ${wrong + 1} of ${pointer.model}`);
  const { champion } = pointer.aliases;
  if (champion !== null && champion > pointer.versions.length)
    return failure(`${file}: there is no version ${champion}`);
  return success(pointer);
}

export function parseLedger(file: string, content: string): Result<readonly LedgerEntry[], string> {
  const entries: LedgerEntry[] = [];
  for (const [index, line] of content.split('\n').entries()) {
    if (line === '') continue;
    const entry = parseAs(ledgerLine, `${file} line ${index + 1}`, line);
    if (!entry.ok) return entry;
    entries.push(entry.value);
  }
  return success(entries);
}

/** Both files, and that they speak of the same versions of `model`. */
export function parseModel(
  model: string,
  contents: { readonly pointer: string | null; readonly ledger: string | null },
): Result<ModelState | null, string> {
  const paths = modelPaths(model);
  if (contents.pointer === null) {
    return contents.ledger === null ? success(null) : failure(`${paths.pointer} is missing beside ${paths.ledger}`);
  }
  const pointer = parsePointer(paths.pointer, contents.pointer);
  if (!pointer.ok) return pointer;
  if (pointer.value.model !== model) return failure(`${paths.pointer} is about ${pointer.value.model}`);
  const ledger = parseLedger(paths.ledger, contents.ledger ?? '');
  if (!ledger.ok) return ledger;
  const unknown = ledger.value.find((entry) => entry.version > pointer.value.versions.length);
  if (unknown !== undefined)
    return failure(`${paths.ledger} speaks of version ${unknown.version}, ${paths.pointer} does not`);
  return success({ pointer: pointer.value, ledger: ledger.value });
}

/** Indented, so that a change of one alias is a change of one line. */
export function formatPointer(pointer: ModelPointer): string {
  return `${JSON.stringify({ schemaVersion, ...pointer }, null, 2)}\n`;
}

export function formatLedger(entries: readonly LedgerEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

/** Whether a promotion could be written and read again; the error says what is wrong with it. */
export function checkPromotion(promotion: Promotion): Result<void, string> {
  const parsed = promotionInput.safeParse(promotion);
  if (!parsed.success) return failure(`the promotion cannot be recorded: ${firstIssue(parsed.error)}`);
  return checkVerdict(promotion.evidence.verdict);
}

function checkVerdict(verdict: JsonObject): Result<void, string> {
  try {
    if (canonicalJson(verdict).length <= verdictCharactersMax) return success(undefined);
    return failure(`the promotion cannot be recorded: its verdict is longer than ${verdictCharactersMax} characters`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it is no JSON';
    return failure(`the promotion cannot be recorded: its verdict: ${reason}`);
  }
}

function parseAs<T>(schema: z.ZodType<T>, file: string, content: string): Result<T, string> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    return failure(`${file} is no JSON: ${error instanceof Error ? error.message : 'it cannot be read'}`);
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? success(parsed.data) : failure(`${file}: ${firstIssue(parsed.error)}`);
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'it is not as it should be';
  return `${issue.path.length === 0 ? 'the whole' : issue.path.join('.')}: ${issue.message}`;
}
