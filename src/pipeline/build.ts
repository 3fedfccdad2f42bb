/**
 * The pipeline that is being defined. `pipeline` opens a build and calls the user's function; each word inside adds its
 * step to the build that is open. There is one at a time, since definitions are synchronous.
 */
import type { MapDefinition, MemoryDefinition, PoolClaim, RetryDefinition, StepDefinition } from './definition.ts';
import { definitionLimits } from './definition-limits.ts';
import type { HandleScope } from './handle.ts';
import { misuse } from './misuse.ts';

/** What the options of the pipeline give to every step that does not say otherwise. */
export interface StepDefaults {
  readonly retry: RetryDefinition;
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly secrets: readonly string[];
  readonly pool?: PoolClaim;
  readonly priority?: number;
  readonly queue?: string;
  readonly startTimeoutMs?: number;
  readonly memory?: MemoryDefinition;
}

/** What the options of the pipeline say of the pod of every step, as it is written. */
export interface PodDefault {
  readonly fields: Readonly<Record<string, unknown>>;
  /** The memory among the defaults is that of its resources. */
  readonly limitsMemory: boolean;
}

export type StepFunction = (input: never, context: never) => unknown;

export interface Build {
  readonly scope: HandleScope;
  readonly defaults: StepDefaults;
  /** The options of the pipeline say `maxRetryDelay`. */
  readonly limitsDelay: boolean;
  readonly pod: PodDefault | null;
  readonly steps: BuiltStep[];
  readonly positions: Map<string, number>;
  readonly functions: Map<string, StepFunction>;
  /** Groups that are open, with their slashes: `prepare/`. */
  prefix: string;
  map: OpenMap | null;
}

export interface BuiltStep {
  readonly definition: StepDefinition;
  /** Of what is checked when more is known than at the call: made there, for its stack. */
  readonly at: Error | null;
}

/** A call of `map` whose callback runs: the one step that it defines takes these axes. */
export interface OpenMap {
  readonly scope: HandleScope;
  readonly definition: MapDefinition;
  readonly upstream: ReadonlySet<string>;
  step: string | null;
}

/** One call of a word, while its options are read. */
export interface Call {
  /** For messages: `step "train"`. */
  readonly label: string;
  readonly build: Build;
  /** Steps whose outputs it uses, or that it names in `after`. */
  readonly upstream: Set<string>;
}

let open: Build | null = null;

/** Runs `define` with `build` open. */
export function withBuild(build: Build, define: () => unknown): unknown {
  if (open !== null) {
    misuse(
      'definition-invalid',
      `pipeline() is called inside the definition of ${open.scope.label}`,
      'Give each pipeline a file of its own below .pipelines; `waitFor.pipeline` makes one wait for another.',
    );
  }
  open = build;
  try {
    return define();
  } finally {
    open = null;
    build.scope.open = false;
  }
}

/** The open build, or a problem: words work only while a pipeline is being defined. */
export function openBuild(word: string): Build {
  return (
    open ??
    misuse(
      'definition-invalid',
      `${word}() is called outside of a pipeline`,
      `Call it inside the function that is given to pipeline(), synchronously: pipeline('name', {}, () => { ${word}(...) }).`,
    )
  );
}

/** Adds a finished step. `saysPod`: it says something of its pod itself. */
export function addStep(build: Build, definition: StepDefinition, run: StepFunction | null, saysPod: boolean): void {
  if (build.steps.length >= definitionLimits.stepsMax) {
    misuse(
      'definition-limit',
      `${build.scope.label} has more than ${definitionLimits.stepsMax} steps`,
      'Use `map` for work that repeats over a list, or split the pipeline and join the parts with `waitFor.pipeline`.',
    );
  }
  build.positions.set(definition.name, build.steps.length);
  build.steps.push({ definition, at: isCheckedLater(definition) || saysPod ? new Error(definition.name) : null });
  if (run !== null) build.functions.set(definition.name, run);
}

/** A branch, once all steps are there; the names of pools, stores and secrets, against the settings; what is warned of. */
function isCheckedLater({ work, pool, secrets }: StepDefinition): boolean {
  return pool !== undefined || secrets.length > 0 || ['branch', 'container', 'wait'].includes(work.kind);
}
