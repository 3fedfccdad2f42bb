/** The options `memory` and `memoryGrowth`: how much an attempt may take, and one after it that ran out of that. */
import { formatBytes, parseBytes } from '../std/bytes.ts';
import { amountOf } from '../std/quantity.ts';
import { bindingAt, viewOf } from './binding-view.ts';
import type { Binding, MemoryDefinition, MemoryGrowth, StepDefinition, Work } from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import { handleData, hasMarker } from './handle.ts';
import { plainRecord, type OptionReader } from './options.ts';

export interface MemoryOptions {
  /** What an attempt takes at most, in Kubernetes' words: `'2Gi'`. No limit unless given. `null`: none after all. */
  readonly memory?: string | number | null;
  /** What an attempt takes at most after one that ran out of memory: `factor` times as much, up to `limit`. `null`: the same. */
  readonly memoryGrowth?: {
    /** 2 unless given. */
    readonly factor?: number;
    readonly limit: string | number;
  } | null;
}

export const memoryOptionNames = ['memory', 'memoryGrowth'];

/**
 * What the options say over `before`; left out where there is no limit. `resources`: what those of a container
 * or pod say, in whose place nothing else can be said.
 */
export function readMemory(
  options: OptionReader,
  before: MemoryDefinition | null,
  resources: ResourcesMemory | null,
): { readonly memory?: MemoryDefinition } {
  const given = options.has('memory') && options.raw('memory') !== null;
  if (given && resources !== null)
    options.problem(
      `the limit of memory is said twice, by "memory" and by "${resources.option}"`,
      'Leave one of them out: they mean the same.',
    );
  const own = options.raw('memory') === null ? null : (readBytes(options, 'memory') ?? before?.bytes ?? null);
  const bytes = resources?.bytes ?? own;
  const growth = readGrowth(options, before?.growth ?? null);
  if (bytes === null) {
    if (growth !== null && options.has('memoryGrowth'))
      options.problem(
        'option "memoryGrowth" is given without "memory"',
        'Say what the first attempt may take too: memory: "2Gi", memoryGrowth: { limit: "16Gi" }.',
      );
    return {};
  }
  if (growth === null) return { memory: { bytes } };
  if (growth.limitBytes < bytes)
    options.problem(
      `the memory may grow up to ${formatBytes(growth.limitBytes)}, which is less than the ${formatBytes(bytes)} of the first attempt`,
      'Raise "memoryGrowth.limit", or leave growth out with memoryGrowth: null.',
    );
  return { memory: { bytes, growth } };
}

function readGrowth(options: OptionReader, before: MemoryGrowth | null): MemoryGrowth | null {
  if (options.raw('memoryGrowth') === null) return null;
  const given = options.nested('memoryGrowth', ['factor', 'limit']);
  if (given === null) return before;
  const { memoryFactorMin: min, memoryFactorMax: max } = definitionLimits;
  return {
    factor: given.number('factor', { min, max }, 2),
    limitBytes: readBytes(given, 'limit') ?? given.missing('limit'),
  };
}

function readBytes(options: OptionReader, name: string): number | null {
  const value = options.raw(name);
  if (value === undefined || value === null) return null;
  return (
    memoryBytesOf(typeof value === 'string' ? options.text(name, value) : value) ?? wrongBytes(options, name, value)
  );
}

function wrongBytes(options: OptionReader, name: string, value: unknown): never {
  const { memoryBytesMin: min, memoryBytesMax: max } = definitionLimits;
  const expected = `an amount of memory such as "512Mi" or "2Gi", from ${formatBytes(min)} up to ${formatBytes(max)}`;
  return options.wrong(name, expected, value);
}

/** Null where it is no amount of memory, or none that a step could be limited to. */
function memoryBytesOf(value: unknown): number | null {
  const bytes = typeof value === 'string' || typeof value === 'number' ? parseBytes(value) : null;
  const { memoryBytesMin: min, memoryBytesMax: max } = definitionLimits;
  return bytes !== null && bytes >= min && bytes <= max ? bytes : null;
}

/** The limit of memory among resources. */
export interface ResourcesMemory {
  readonly bytes: number;
  /** Where it is said. */
  readonly option: string;
}

/** What the resources of a container, or of the pod, limit its memory to; null where they do not. */
export function resourcesMemory(
  options: OptionReader,
  work: Work | null,
  pod: Readonly<Record<string, unknown>> | null,
): ResourcesMemory | null {
  const own = work === null ? null : limitOf(work);
  const [option, text] =
    own === null ? ['pod.resources.limits.memory', limitInPod(pod)] : ['resources.limits.memory', own];
  if (text === undefined || text === null) return null;
  if (handleData(text) !== null || (typeof text === 'string' && hasMarker(text)))
    options.problem(
      `option "${option}" depends on a value that exists only in a run`,
      'Write it out: how much an attempt may take has to be known before one begins.',
    );
  return { bytes: memoryBytesOf(text) ?? wrongBytes(options, option, text), option };
}

function limitOf(work: Work): string | null {
  if (work.kind !== 'container' || !Object.hasOwn(work.resources.limits, 'memory')) return null;
  return work.resources.limits['memory'] ?? null;
}

/** What a container requests, where that is more than it may take; null where it fits. */
function requestAbove(work: Work, memory: MemoryDefinition | undefined): string | null {
  if (work.kind !== 'container' || memory === undefined) return null;
  const requested = work.resources.requests['memory'];
  return requested !== undefined && amountOf(requested) > memory.bytes ? requested : null;
}

/** Kubernetes makes no pod that requests more than its limit. */
export function checkRequest(options: OptionReader, work: Work, memory: MemoryDefinition | undefined): void {
  const requested = requestAbove(work, memory);
  if (requested !== null && memory !== undefined)
    options.problem(
      `option "resources.requests.memory" is ${requested}, more than the ${formatBytes(memory.bytes)} of "memory"`,
      'Request less, or raise "memory", here or where the pipeline says it.',
    );
}

function limitInPod(pod: Readonly<Record<string, unknown>> | null): unknown {
  return pod === null ? null : plainRecord(plainRecord(pod['resources'])?.['limits'])?.['memory'];
}

/** What is wrong with the memory of a definition, however it was made. */
export function wrongMemory({ memory, work, pod }: StepDefinition): string | null {
  const inPod = pod === undefined ? null : bindingAt(pod, ['resources', 'limits', 'memory']);
  for (const limit of [limitOf(work), inPod === null ? null : plainValue(inPod)])
    if (limit !== null && memoryBytesOf(limit) !== (memory?.bytes ?? null))
      return `has another limit of memory than its resources: ${String(limit)}`;
  if (inPod === null && requestAbove(work, memory) !== null) return 'requests more memory than it may take';
  if (memory?.growth !== undefined && memory.growth.limitBytes < memory.bytes)
    return 'has memory that would have to shrink in order to grow';
  return null;
}

function plainValue(binding: Binding): string | number | boolean | null {
  const view = viewOf(binding);
  return view.kind === 'scalar' ? view.value : 'a value of the run';
}

/** Without a retry the memory would never grow. */
export function checkGrowth(options: OptionReader, retries: number): void {
  const given = options.has('memoryGrowth') && options.raw('memoryGrowth') !== null;
  if (given && retries === 0)
    options.problem(
      'option "memoryGrowth" is given, and the step has no retries',
      'Say how often it may be tried again, with more memory each time it ran out of it: retries: 3.',
    );
}
