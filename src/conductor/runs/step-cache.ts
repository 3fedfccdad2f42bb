/**
 * The step cache: where the same work was done before, its output stands for doing it again. The same work means the same
 * definition (what concerns the work, not when or where it runs), the same code (all files of the commit, or those that the step
 * names) and the same values for everything that its input, command, environment or pod refers to, of a container also the
 * image; dates and parameters count where they are referred to. Each of these parts is a digest, so that a miss can say which of them changed.
 *
 * What was made for a pull request, another branch than the default one, or a commit that is not on it, is used for that
 * alone: a change that nobody merged yet never decides what another run gets.
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
import type { CacheDefinition, StepDefinition, Work } from '../../pipeline/definition.ts';
import { imageDigestOf } from '../../pipeline/names.ts';
import { podPlaceWords } from '../../pipeline/pod.ts';
import { formatDuration } from '../../std/duration.ts';
import { globsOf } from '../../std/glob.ts';
import { canonicalJson, isJsonObject, type Json } from '../../std/json.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { isOfDefaultBranch } from '../triggers/branch-of-run.ts';
import { useArtifactsOf } from './artifacts-of.ts';
import type { ConductorPorts, Project } from '../ports.ts';
import { shaOf } from '../sha.ts';

type Missed = Extract<CacheLook, { found: false }>;

/** What it is given could not be told, so nothing is kept of what it gives. */
const unknown = { key: null, scope: '', parts: {} } as const;

export interface Looked {
  readonly look: CacheLook;
  /** Null where it was not found. */
  readonly output: StepOutput | null;
}

export class StepCache {
  readonly #ports: ConductorPorts;
  /** Digests of code by commit and paths: the instances of a mapped step share one. */
  readonly #code = new Map<string, Promise<Result<string, string>>>();
  /** Scopes by run, for the same reason. */
  readonly #scopes = new Map<string, Promise<Result<string, string>>>();

  constructor(ports: ConductorPorts) {
    this.#ports = ports;
  }

  /** Null where the step has no cache. What cannot be told is a miss, and never ends the attempt. */
  async lookUp(project: Project, run: Run, key: AttemptKey, spec: AttemptSpec): Promise<Looked | null> {
    const definition = run.steps.get(key.step)?.definition;
    const cache = definition?.cache ?? null;
    if (definition === undefined || cache === null) return null;
    const { runsImages } = this.#ports.executor;
    const tagged = runsImages ? taggedImage(spec.work) : null;
    if (tagged !== null)
      return missed(
        `${tagged} is named by a tag, which can move: name the image by its digest, NAME@sha256:…`,
        unknown,
      );
    try {
      const code = await this.#codeOf(project, run.opened.sha, codePathsOf(definition, cache));
      if (!code.ok) return missed(`the code could not be read: ${code.error}`, unknown);
      const scope = await this.#scopeOf(project, run.opened);
      if (!scope.ok) return missed(`its branch could not be told: ${scope.error}`, unknown);
      const parts = partsOf(definition, spec, code.value, runsImages);
      return await this.#find(run.opened, key, cache, { scope: scope.value, parts });
    } catch (error) {
      return missed(`the cache could not be read: ${String(error)}`, unknown);
    }
  }

  async #find(
    opened: RunOpened,
    key: AttemptKey,
    cache: CacheDefinition,
    { scope, parts }: { readonly scope: string; readonly parts: CacheParts },
  ): Promise<Looked> {
    const { journal } = this.#ports;
    const given = { key: digest(canonicalJson(parts)), scope, parts };
    const { trigger } = opened;
    if (trigger.kind === 'rerun' && typeof trigger.steps === 'object' && trigger.steps.from === key.step)
      return missed('it was asked for again', given);
    const cached = cachedStep(opened, key.step, scope);
    const entry = await journal.cacheEntry(cached, given.key);
    if (entry === null) {
      const newest = await newestEntry(journal, cached, key.index);
      return missed(newest === null ? 'first time' : changedText(newest.parts, parts), given);
    }
    const wrong = await this.#unusable(entry, cache);
    if (wrong !== null) return missed(wrong, given);
    return { look: { found: true, runId: entry.runId }, output: entry.output };
  }

  async #unusable({ at, output }: CacheEntryRow, { forMs }: CacheDefinition): Promise<string | null> {
    const ageMs = this.#ports.clock.now() - at;
    if (forMs !== null && ageMs >= forMs) return `expired: it is ${formatDuration(ageMs)} old`;
    return useArtifactsOf(output, this.#ports.artifacts);
  }

  #codeOf(project: Project, sha: string, paths: readonly string[]): Promise<Result<string, string>> {
    const key = JSON.stringify([project.name, sha, paths]);
    return shared(this.#code, key, () => readCode(project, sha, paths));
  }

  #scopeOf(project: Project, opened: RunOpened): Promise<Result<string, string>> {
    return shared(this.#scopes, opened.runId, () => scopeOf(project, opened));
  }
}

/** What is being read, or was, under that key; what could not be read is read again. */
function shared<T>(
  known: Map<string, Promise<Result<T, string>>>,
  key: string,
  read: () => Promise<Result<T, string>>,
): Promise<Result<T, string>> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const reading = read();
  known.set(key, reading);
  const [oldest] = known.keys();
  if (known.size > keptMax && oldest !== undefined) known.delete(oldest);
  const forget = (): void => void known.delete(key);
  reading.then((value) => (value.ok ? undefined : forget()), forget);
  return reading;
}

/** Of commits and of runs. */
const keptMax = 100;
/** Beyond them, the whole input is one part. */
const partsMax = 64;

export function cachedStep({ repository, pipeline }: RunOpened, step: string, scope: string): CachedStep {
  return { repository, pipeline, step, scope };
}

/** Whose entries a run of this kind writes, and reads beside those of no scope: what is merged is for all. */
async function scopeOf(project: Project, opened: RunOpened): Promise<Result<string, string>> {
  const first = firstTriggerOf(opened.trigger);
  if (first.kind === 'pull-request') return success(`#${first.number}`);
  const isShared = await isOfDefaultBranch(project, opened);
  if (!isShared.ok) return isShared;
  if (isShared.value) return success('');
  return success('branch' in first ? `branch ${first.branch}` : `commit ${opened.sha}`);
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

function partsOf(
  definition: StepDefinition,
  { work, pod }: AttemptSpec,
  code: string,
  runsImages: boolean,
): CacheParts {
  const { outputs, secrets } = definition;
  const own = { work: definedOf(definition.work), outputs, secrets: [...secrets] } as unknown as Json;
  const given = Object.entries({ ...inputsOf(work, runsImages), ...named('pod', whatCounts(pod)) }).map(
    ([name, value]) => [name, digest(canonicalJson(value))],
  );
  return { definition: digest(canonicalJson(own)), code, ...Object.fromEntries(given) };
}

/** Of a pod; where it runs, and with how much, makes no other work of it. */
function whatCounts(pod: AttemptSpec['pod']): { readonly [word: string]: Json } {
  const words = isJsonObject(pod) ? Object.entries(pod) : [];
  return Object.fromEntries(words.filter(([word, value]) => value !== null && !podPlaceWords.has(word)));
}

/** Of a container nothing that is a part of its own, and not with how much it runs. */
function definedOf(work: Work): unknown {
  return work.kind === 'container' ? { kind: work.kind, environment: work.environment } : work;
}

/** The image of a container that its digest does not name; null of all else. */
function taggedImage(work: AttemptWork): string | null {
  if (work.kind !== 'container') return null;
  const image = imageOf(work);
  return imageDigestOf(image) === null ? image : null;
}

/** What only the executor could put together is no digest either. */
function imageOf({ image }: Extract<AttemptWork, { kind: 'container' }>): string {
  return typeof image === 'string' ? image : 'its image';
}

/** By the name that a reader knows it by. */
function inputsOf(work: AttemptWork, runsImages: boolean): { readonly [part: string]: Json } {
  if (work.kind === 'command') return { command: work.command, ...named('env', work.environment) };
  if (work.kind === 'container') {
    const { command, args, localCommand: local } = work;
    const program = runsImages ? { image: imageDigestOf(imageOf(work)), command, args } : { local };
    return { ...program, ...named('env', work.environment) };
  }
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

function missed(why: string, given: Pick<Missed, 'key' | 'scope' | 'parts'>): Looked {
  return { look: { found: false, why, ...given }, output: null };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
