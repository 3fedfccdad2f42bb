/**
 * Values inside of outputs that were too large to stand inline. The instances of a mapped step all read the same one,
 * so what was parsed last is kept for a moment.
 */
import type { Artifact } from '../../pipeline/definition.ts';
import { ArtifactDamagedError, type ArtifactStore } from '../../outputs/outputs.ts';
import { isJsonObject, type Json } from '../../std/json.ts';
import { AttemptRefusal } from './refusal.ts';

/** A value at `path`; or, of the list or record there, what an instance of a mapped step is given, at `elementPath`. */
export interface StoredPlace {
  readonly $stored: Artifact;
  readonly path: readonly string[];
  readonly element?: number;
  readonly elementPath?: readonly string[];
}

export interface StoredValues {
  /** Throws a refusal where the artifact or the place is not there. */
  read(place: StoredPlace): Promise<Json>;
}

const parsedMax = 2;
const keptMs = 10_000;

export function createStoredValues(artifacts: ArtifactStore): StoredValues {
  const parsed = new Map<string, Promise<Json>>();
  let timer: NodeJS.Timeout | null = null;

  const whole = (artifact: Artifact): Promise<Json> => {
    const present = parsed.get(artifact.$artifact) ?? parse(artifacts, artifact);
    // Behind the others, which are thrown away before it.
    parsed.delete(artifact.$artifact);
    parsed.set(artifact.$artifact, present);
    for (const oldest of parsed.keys()) if (parsed.size > parsedMax) parsed.delete(oldest);
    present.catch(() => parsed.delete(artifact.$artifact));
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => parsed.clear(), keptMs).unref();
    return present;
  };
  return {
    async read({ $stored, path, element, elementPath = [] }) {
      const value = lookInto(await whole($stored), path);
      return element === undefined ? value : lookInto(elementOf(value, element, path), elementPath);
    },
  };
}

async function parse(artifacts: ArtifactStore, artifact: Artifact): Promise<Json> {
  const bytes = await refuseDamaged(() => artifacts.getBytes(artifact.$artifact));
  if (bytes === null) throw missingArtifact(artifact);
  return JSON.parse(Buffer.from(bytes).toString());
}

/** Of a list its n-th element, of a record its n-th key and value: the order is that of the keys. */
function elementOf(value: Json, element: number, path: readonly string[]): Json {
  if (Array.isArray(value) && value.length > element) return value[element];
  if (isJsonObject(value)) {
    const [key, inner] = Object.entries(value)[element] ?? [];
    if (key !== undefined && inner !== undefined) return { key, value: inner };
  }
  throw new AttemptRefusal(
    'invalid',
    `the output that this step is mapped over has no element ${element} at "${path.join('.')}"`,
  );
}

function lookInto(whole: Json, path: readonly string[]): Json {
  let value = whole;
  for (const key of path) {
    const inner: Json | undefined = Array.isArray(value)
      ? value[Number(key)]
      : isJsonObject(value) && Object.hasOwn(value, key)
        ? value[key]
        : undefined;
    if (inner === undefined)
      throw new AttemptRefusal('invalid', `the output that this step uses has no "${path.join('.')}"`);
    value = inner;
  }
  return value;
}

export function missingArtifact(artifact: Artifact): AttemptRefusal {
  return new AttemptRefusal(
    'invalid',
    `the artifact ${artifact.name} (${artifact.$artifact}) is not in the artifact store of this server: run the step that made it again`,
  );
}

/** Damaged bytes stay damaged: no other try would help. */
export async function refuseDamaged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ArtifactDamagedError) throw new AttemptRefusal('invalid', error.message);
    throw error;
  }
}
