/**
 * Inputs as a step can use them: an artifact becomes a read-only file in the attempt's scratch directory, an output
 * that was too large to stand inline is read, text is put together.
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Artifact } from '../../pipeline/definition.ts';
import type { ArtifactStore } from '../../outputs/outputs.ts';
import { artifactName } from '../../outputs/safe-name.ts';
import { isJsonObject, type Json } from '../../std/json.ts';
import { formatBytes } from '../../std/bytes.ts';
import type { InputValue, ListFile, RunnerTask } from '../executor.ts';
import { stepEnvironment } from './environment.ts';
import { withoutLongLists, writeList, type LongList } from './long-lists.ts';
import { AttemptRefusal } from './refusal.ts';
import { missingArtifact, refuseDamaged, type StoredPlace, type StoredValues } from './stored-values.ts';

export interface Inputs {
  /** The value, with artifacts as `{ $artifact, name, bytes, path }`. */
  json(value: InputValue): Promise<Json>;
  /** The value as text: strings as they are, artifacts as their path, all else as JSON. */
  text(value: InputValue): Promise<string>;
  /** The list as a file. */
  list(list: LongList): Promise<ListFile>;
}

/** Puts an artifact at a path. Throws a refusal where it is missing or damaged. */
export type PlaceArtifact = (artifact: Artifact, path: string) => Promise<void>;

export function placeFrom(artifacts: ArtifactStore): PlaceArtifact {
  return async (artifact, path) => {
    await mkdir(dirname(path), { recursive: true });
    if (!(await refuseDamaged(() => artifacts.getFile(artifact.$artifact, path)))) throw missingArtifact(artifact);
  };
}

/**
 * Inputs of one attempt, whose files go into `folder`: where in it follows from what they are. `here`: where a file is
 * written that will stand at a path. Throws as `place` does.
 */
export function openInputs(
  place: PlaceArtifact,
  stored: StoredValues,
  folder: string,
  here: (path: string) => string = (path) => path,
): Inputs {
  const files = new Map<string, Promise<string>>();
  let lists = 0;

  const fileOf = (artifact: Artifact): Promise<string> => {
    const path = join(folder, artifact.$artifact.slice(0, 16), artifactName(artifact.name));
    const present = files.get(path) ?? place(artifact, here(path)).then(() => path);
    files.set(path, present);
    return present;
  };

  /** `trusted`: what the engine put together, where `$stored` and `$text` have their meaning. */
  const resolve = async (value: InputValue, trusted: boolean): Promise<Json> => {
    if (Array.isArray(value)) return Promise.all(value.map((item: Json) => resolve(item, trusted)));
    if (!isJsonObject(value)) return value;
    if (isArtifact(value))
      return { $artifact: value.$artifact, name: value.name, bytes: value.bytes, path: await fileOf(value) };
    if (trusted && isStored(value)) return resolve(await stored.read(value), false);
    if (trusted && Array.isArray(value['$text']))
      return (await Promise.all(value['$text'].map((part: Json) => text(part)))).join('');
    const entries = Object.entries(value).map(async ([key, inner]) => [key, await resolve(inner, trusted)] as const);
    return Object.fromEntries(await Promise.all(entries));
  };
  const text = async (value: InputValue): Promise<string> => {
    const resolved = await resolve(value, true);
    if (typeof resolved === 'string') return resolved;
    if (isJsonObject(resolved) && isArtifact(resolved) && typeof resolved['path'] === 'string') return resolved['path'];
    return JSON.stringify(resolved);
  };
  const json = (value: InputValue): Promise<Json> => resolve(value, true);
  return {
    json,
    text,
    async list({ at, items }) {
      const path = join(folder, `list-${(lists += 1)}.jsonl`);
      return { at, path, ends: await writeList(items, here(path), json) };
    },
  };
}

/** The work with every input resolved, as the runner gets it. */
export async function resolveWork(
  work: RunnerTask['work'],
  inputs: Inputs,
): Promise<Pick<RunnerTask, 'work' | 'lists'>> {
  if (work.kind === 'challenge') await demandChampion(work, inputs);
  const found: LongList[] = [];
  const short = withoutLongLists(work, found);
  // Inputs are JSON, and JSON stays JSON of the same shape: only artifacts, stored values and texts are replaced.
  const resolved = (await inputs.json(short as unknown as Json)) as unknown as RunnerTask['work'];
  const lists: ListFile[] = [];
  for (const list of found) lists.push(await inputs.list(list));
  if (resolved.kind !== 'challenge' || work.kind !== 'challenge' || work.score?.kind !== 'command')
    return { work: resolved, lists };
  const score = { kind: 'command' as const, ...(await resolveCommand(work.score, inputs)) };
  return { work: { ...resolved, score }, lists };
}

/** Which version is champion stands in Git, whatever became of its bytes: a run of what made them would give others. */
async function demandChampion(
  { champion, rule }: Extract<RunnerTask['work'], { kind: 'challenge' }>,
  inputs: Inputs,
): Promise<void> {
  if (champion === null) return;
  try {
    await inputs.json([{ ...champion.artifact }, champion.predictions === null ? null : { ...champion.predictions }]);
  } catch (error) {
    if (!(error instanceof AttemptRefusal) || error.failure !== 'invalid') throw error;
    throw new AttemptRefusal(
      'invalid',
      `version ${champion.version} of ${rule.model} is champion, and nothing can be compared with it: ${error.message}. Bring back the folder of the artifacts, or name another version, or null, as \`aliases.champion\` in models/${rule.model}.json of the branch contender/models`,
    );
  }
}

/** Arguments and variables as text. Throws a refusal where one is too long for a process. */
export async function resolveCommand(
  work: { readonly command: readonly InputValue[]; readonly environment: { readonly [name: string]: InputValue } },
  inputs: Inputs,
): Promise<{ readonly command: readonly string[]; readonly environment: { readonly [name: string]: string } }> {
  const command = await resolveArguments(work.command, inputs);
  const entries = Object.entries(work.environment).map(
    async ([name, value]) => [name, fitting(`the variable ${name}`, await inputs.text(value), `${name}=`)] as const,
  );
  return { command, environment: stepEnvironment(Object.fromEntries(await Promise.all(entries))) };
}

/** In their order, as text. Throws a refusal where one is too long for a process. */
export function resolveArguments(values: readonly InputValue[], inputs: Inputs): Promise<readonly string[]> {
  return Promise.all(
    values.map(async (value, place) => fitting(`argument ${place} of the command`, await inputs.text(value))),
  );
}

/** What Linux gives a process in one piece at most, with the zero at its end. */
const pieceBytesMax = 128 * 1024;

function fitting(what: string, text: string, before = ''): string {
  const bytes = Buffer.byteLength(before) + Buffer.byteLength(text);
  if (bytes < pieceBytesMax) return text;
  throw new AttemptRefusal(
    'invalid',
    `${what} has ${formatBytes(bytes)}, too large for a process, which takes less than ${formatBytes(pieceBytesMax)} in one piece: let a function write it to a file, keep that with context.artifact, and give the command the artifact, which it gets as a path`,
  );
}

export function isArtifact(value: Json | undefined): value is Json & Artifact {
  if (!isJsonObject(value)) return false;
  const { $artifact, name, bytes } = value;
  return (
    typeof $artifact === 'string' &&
    /^[0-9a-f]{64}$/.test($artifact) &&
    typeof name === 'string' &&
    typeof bytes === 'number'
  );
}

function isStored(value: Json): value is Json & StoredPlace {
  if (!isJsonObject(value) || !isArtifact(value['$stored']) || !Array.isArray(value['path'])) return false;
  const { element, elementPath } = value;
  return element === undefined || (typeof element === 'number' && Array.isArray(elementPath));
}
