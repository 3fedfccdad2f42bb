/**
 * What a command gives: the JSON in its file $CONTENDER_OUTPUTS, or else the last line that it printed where that is
 * JSON. Declared outputs are held to their types; a file that one names goes into the artifact store.
 */
import { statSync, type Stats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { engineLimits, type StepOutput } from '../../engine/event.ts';
import type { OutputType } from '../../pipeline/definition.ts';
import { lengthsOf } from '../../outputs/lengths.ts';
import type { ArtifactStore } from '../../outputs/outputs.ts';
import { canonicalJson, isJsonObject, isTooDeep, jsonLevelsMax, type Json } from '../../std/json.ts';
import { isArtifact } from './inputs.ts';
import { AttemptRefusal } from './refusal.ts';
import { failedReadReason, messageOfError } from '../../std/error-message.ts';

/** Of one attempt, as canonical JSON. */
export const outputBytesMax = 16 * 1024 * 1024;

export interface CommandOutputs {
  readonly declared: { readonly [key: string]: OutputType };
  /** The file that the command may have written. */
  readonly file: string;
  /** The last line of standard output; null where it had none. */
  readonly lastLine: string | null;
  /** Where relative paths of artifacts are looked for, in this order. */
  readonly folders: readonly string[];
}

/** The output of a command that ended well. Throws a refusal of cause `output` that names the key. */
export async function readCommandOutputs(from: CommandOutputs, artifacts: ArtifactStore): Promise<Json> {
  const given = await readGiven(from);
  if (given !== undefined) refuseTooDeep(given);
  const keys = Object.keys(from.declared);
  if (keys.length === 0) return given ?? null;
  if (given === undefined) {
    throw refusal(
      `the outputs ${keys.join(', ')} are missing: ${whatWasPrinted(from.lastLine)}; print them as a JSON object in the last line, or write that to the file $CONTENDER_OUTPUTS`,
    );
  }
  if (!isJsonObject(given))
    throw refusal(
      `the outputs ${keys.join(', ')} are missing: the step gave ${describe(given)} where an object with these keys was expected`,
    );
  const output: { [key: string]: Json } = { ...given };
  for (const [key, type] of Object.entries(from.declared)) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (value === undefined)
      throw refusal(
        `the output "${key}" is missing: expected ${nameOf(type)}, and the step gave ${describeKeys(given)}`,
      );
    output[key] =
      type === 'artifact' ? await keepArtifact(key, value, from.folders, artifacts) : checked(key, type, value);
  }
  return output;
}

/** To be done before anything else walks through an output. */
export function refuseTooDeep(output: Json): void {
  if (isTooDeep(output))
    throw refusal(
      `the output is nested deeper than ${jsonLevelsMax} levels: write it to a file, and give that as an artifact`,
    );
}

/** As it stands in the journal: inline, or in the store where it is too large for that. */
export async function storeOutput(output: Json, artifacts: ArtifactStore): Promise<StepOutput> {
  const text = toCanonical(output);
  const bytes = Buffer.byteLength(text);
  if (bytes <= engineLimits.outputInlineBytesMax) return { inline: output };
  if (bytes > outputBytesMax)
    throw refusal(`the output has ${bytes} bytes, and at most ${outputBytesMax} are kept: give it as an artifact`);
  return { stored: await artifacts.putBytes(Buffer.from(text), 'output.json'), lengths: lengthsOf(output) };
}

function toCanonical(output: Json): string {
  try {
    return canonicalJson(output);
  } catch (error) {
    throw refusal(`the output cannot be kept as JSON: ${messageOfError(error)}`);
  }
}

/** Undefined where the command gave nothing. */
async function readGiven({ file, lastLine }: CommandOutputs): Promise<Json | undefined> {
  const found = outputsFileAt(file);
  if (found === null || found.size === 0) return lastLine === null ? undefined : parseOrUndefined(lastLine);
  if (!found.isFile()) throw refusal('$CONTENDER_OUTPUTS is not a regular file any more');
  if (found.size > outputBytesMax)
    throw refusal(
      `the file $CONTENDER_OUTPUTS has ${found.size} bytes, and at most ${outputBytesMax} are read: give large results as artifacts`,
    );
  const text = await readFile(file, 'utf8').catch(unread);
  const value = parseOrUndefined(text);
  if (value === undefined) throw refusal(`the file $CONTENDER_OUTPUTS ${whyNoJson(text)}`);
  return value;
}

function whatWasPrinted(lastLine: string | null): string {
  if (lastLine === null) return 'nothing was printed to standard output';
  return `the last line of standard output ${whyNoJson(lastLine)}: ${clipped(lastLine)}`;
}

/** As Python writes a loss that diverged. */
const noNumbers = /(?<=[[:,\s])(?:NaN|-?Infinity)(?=[\s,}\]])/g;

function whyNoJson(text: string): string {
  const isOtherwise = parseOrUndefined(text.replaceAll(noNumbers, '0')) !== undefined;
  return isOtherwise ? 'holds NaN or Infinity, which JSON has not' : 'is not JSON';
}

/** Null: there is none. Throws a refusal where that cannot be seen. */
export function outputsFileAt(path: string): Stats | null {
  try {
    // Most commands write none, which is asked without a thread.
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    return unread(error);
  }
}

function unread(error: unknown): never {
  throw refusal(`the file $CONTENDER_OUTPUTS cannot be read: ${failedReadReason(error)}`);
}

function parseOrUndefined(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checked(key: string, type: Exclude<OutputType, 'artifact'>, value: Json): Json {
  if (type === 'json' || typeof value === type) return value;
  throw refusal(`the output "${key}" has the wrong type: expected ${nameOf(type)}, got ${describe(value)}`);
}

async function keepArtifact(
  key: string,
  value: Json,
  folders: readonly string[],
  artifacts: ArtifactStore,
): Promise<Json> {
  if (isArtifact(value)) return { $artifact: value.$artifact, name: value.name, bytes: value.bytes };
  if (typeof value !== 'string' || value === '')
    throw refusal(`the output "${key}" has the wrong type: expected ${nameOf('artifact')}, got ${describe(value)}`);
  const candidates = isAbsolute(value) ? [value] : folders.map((folder) => join(folder, value));
  for (const path of candidates) {
    try {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue;
      if (found.isDirectory())
        throw new Error(
          'it is a folder, and an artifact is one file: pack it, as Python does with shutil.make_archive',
        );
      return { ...(await artifacts.putFile(path, value)) };
    } catch (error) {
      throw refusal(`the output "${key}" names ${value}, which cannot be kept: ${failedReadReason(error)}`);
    }
  }
  throw refusal(
    `the output "${key}" names the file ${value}, which is neither in the scratch directory nor in the source tree`,
  );
}

function refusal(message: string): AttemptRefusal {
  return new AttemptRefusal('output', message);
}

function nameOf(type: OutputType): string {
  return { json: 'JSON', artifact: 'the path of a file', string: 'a string', number: 'a number', boolean: 'a boolean' }[
    type
  ];
}

function describe(value: Json): string {
  const text = JSON.stringify(value);
  return `${value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`} (${clipped(text)})`;
}

function clipped(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function describeKeys(given: { readonly [key: string]: Json }): string {
  const keys = Object.keys(given);
  if (keys.length === 0) return 'an object without keys';
  return `only ${keys
    .slice(0, 20)
    .map((key) => `"${key}"`)
    .join(', ')}`;
}
