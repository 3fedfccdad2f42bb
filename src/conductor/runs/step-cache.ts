/**
 * The step cache: where the same work was done before, its output stands for doing it again. The same work means the same
 * definition (what concerns the work, not when or where it runs), the same code (all files of the commit, or those that the step
 * names) and the same values for everything that its input, command, environment or pod refers to; dates and parameters
 * count where they are referred to. Each of these parts is a digest, so that a miss can say which of them changed.
 *
 * What was made for a pull request is used for that pull request alone: a change that nobody merged yet never decides
 * what another run gets.
 */
import { createHash } from 'node:crypto';
import {
  firstTriggerOf,
  type AttemptKey,
  type CacheLook,
  type CacheParts,
  type RunOpened,
  type StepOutput,
} from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import type { AttemptSpec, AttemptWork } from '../../executor/executor.ts';
import type { CachedStep, CacheEntryRow, Journal } from '../../journal/journal.ts';
import type { CacheDefinition, StepDefinition } from '../../pipeline/definition.ts';
import { podPlaceWords } from '../../pipeline/pod.ts';
import { formatDuration } from '../../std/duration.ts';
import { globsOf } from '../../std/glob.ts';
import { canonicalJson, isJsonObject, type Json } from '../../std/json.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { artifactsOf } from './artifacts-of.ts';
import type { ConductorPorts, Project } from '../ports.ts';
import { shaOf } from '../sha.ts';

export interface Looked {
  readonly look: CacheLook;
  /** Null where it was not found. */
  readonly output: StepOutput | null;
}

export class StepCache {
  readonly #ports: ConductorPorts;
  /** Digests of code by commit and paths: the instances of a mapped step share one. */
  readonly #code = new Map<string, Promise<Result<string, string>>>();

  constructor(ports: ConductorPorts) {
    this.#ports = ports;
  }

  /** Null where the step has no cache. What cannot be told is a miss, and never ends the attempt. */
  async lookUp(project: Project, run: Run, key: AttemptKey, spec: AttemptSpec): Promise<Looked | null> {
    const definition = run.steps.get(key.step)?.definition;
    const cache = definition?.cache ?? null;
    if (definition === undefined || cache === null) return null;
    try {
      const code = await this.#codeOf(project, run.opened.sha, codePathsOf(definition, cache));
      if (!code.ok) return missed(`the code could not be read: ${code.error}`, null, {});
      return await this.#find(run.opened, key, cache, partsOf(definition, spec, code.value));
    } catch (error) {
      return missed(`the cache could not be read: ${String(error)}`, null, {});
    }
  }

  async #find(opened: RunOpened, key: AttemptKey, cache: CacheDefinition, parts: CacheParts): Promise<Looked> {
    const { journal } = this.#ports;
    const text = digest(canonicalJson(parts));
    const { trigger } = opened;
    if (trigger.kind === 'rerun' && typeof trigger.steps === 'object' && trigger.steps.from === key.step)
      return missed('it was asked for again', text, parts);
    const cached = cachedStep(opened, key.step);
    const entry = await journal.cacheEntry(cached, text);
    if (entry === null) {
      const newest = await newestEntry(journal, cached, key.index);
      return missed(newest === null ? 'first time' : changedText(newest.parts, parts), text, parts);
    }
    const wrong = await this.#unusable(entry, cache);
    if (wrong !== null) return missed(wrong, text, parts);
    return { look: { found: true, runId: entry.runId }, output: entry.output };
  }

  async #unusable({ at, output }: CacheEntryRow, { forMs }: CacheDefinition): Promise<string | null> {
    const ageMs = this.#ports.clock.now() - at;
    if (forMs !== null && ageMs >= forMs) return `expired: it is ${formatDuration(ageMs)} old`;
    for (const { $artifact, name } of artifactsOf(output))
      if (!(await this.#ports.artifacts.has($artifact))) return `${name} is no longer stored`;
    return null;
  }

  #codeOf(project: Project, sha: string, paths: readonly string[]): Promise<Result<string, string>> {
    const key = JSON.stringify([project.name, sha, paths]);
    const known = this.#code.get(key);
    if (known !== undefined) return known;
    const reading = readCode(project, sha, paths);
    this.#code.set(key, reading);
    const [oldest] = this.#code.keys();
    if (this.#code.size > codeKeptMax && oldest !== undefined) this.#code.delete(oldest);
    const forget = (): void => void this.#code.delete(key);
    // What could not be read is read again.
    reading.then((code) => (code.ok ? undefined : forget()), forget);
    return reading;
  }
}

const codeKeptMax = 100;
/** Beyond them, the whole input is one part. */
const partsMax = 64;

/** Whose entries a run of this kind writes, and reads beside those of no scope. */
export function cachedStep({ repository, pipeline, trigger }: RunOpened, step: string): CachedStep {
  const first = firstTriggerOf(trigger);
  return { repository, pipeline, step, scope: first.kind === 'pull-request' ? `#${first.number}` : '' };
}

async function newestEntry(journal: Journal, cached: CachedStep, index: number): Promise<CacheEntryRow | null> {
  const own = await journal.newestCacheEntry(cached, index);
  return own ?? (cached.scope === '' ? null : journal.newestCacheEntry({ ...cached, scope: '' }, index));
}

/** A function stands in the file of its definition, whatever paths are named. */
function codePathsOf({ work }: StepDefinition, { paths }: CacheDefinition): readonly string[] {
  return paths.length > 0 && work.kind === 'function' ? [...paths, work.file] : paths;
}

async function readCode({ git }: Project, sha: string, paths: readonly string[]): Promise<Result<string, string>> {
  const commit = shaOf(sha);
  if (commit === null) return failure(`${sha} is no commit`);
  if (paths.length === 0) {
    const found = await git.commit(commit);
    return found.ok ? success(found.value.tree) : failure(found.error.message);
  }
  const files = await git.files(commit, '');
  if (!files.ok) return failure(files.error.message);
  // Where it would take too long to say what is its code, all the rest is.
  const code = globsOf(paths, true);
  const own = files.value.filter(({ path }) => code.match(path));
  return success(digest(canonicalJson(own.map(({ path, objectId }) => [path, objectId]))));
}

function partsOf(definition: StepDefinition, { work, pod }: AttemptSpec, code: string): CacheParts {
  const { work: defined, outputs, secrets } = definition;
  const own = { work: defined, outputs, secrets: [...secrets] } as unknown as Json;
  const given = Object.entries({ ...inputsOf(work), ...named('pod', whatCounts(pod)) }).map(([name, value]) => [
    name,
    digest(canonicalJson(value)),
  ]);
  return { definition: digest(canonicalJson(own)), code, ...Object.fromEntries(given) };
}

/** Of a pod; where it runs, and with how much, makes no other work of it. */
function whatCounts(pod: AttemptSpec['pod']): { readonly [word: string]: Json } {
  const words = isJsonObject(pod) ? Object.entries(pod) : [];
  return Object.fromEntries(words.filter(([word, value]) => value !== null && !podPlaceWords.has(word)));
}

/** By the name that a reader knows it by. */
function inputsOf(work: AttemptWork): { readonly [part: string]: Json } {
  if (work.kind === 'command') return { command: work.command, ...named('env', work.environment) };
  if (!('input' in work)) return {};
  const { input } = work;
  const isRecord = isJsonObject(input) && !Object.keys(input).some((key) => key.startsWith('$'));
  return isRecord ? named('input', input) : { input };
}

function named(kind: string, values: { readonly [name: string]: Json }): { readonly [part: string]: Json } {
  const names = Object.keys(values);
  if (names.length > partsMax) return { [kind]: values };
  return Object.fromEntries(names.map((name) => [`${kind} ${name}`, values[name] ?? null]));
}

function changedText(before: CacheParts, now: CacheParts): string {
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])].filter(
    (name) => before[name] !== now[name],
  );
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  const [last = 'nothing', ...others] = shown.toReversed();
  return `${others.length === 0 ? last : `${others.toReversed().join(', ')} and ${last}`} changed`;
}

function missed(why: string, key: string | null, parts: CacheParts): Looked {
  return { look: { found: false, why, key, parts }, output: null };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
