/**
 * The pipelines that a simulated repository may hold, and a compiler that knows them by the contents of their files:
 * `{ "pipeline": "churn", "edition": 3 }`. Between them they use what the conductor has a part in: lanes, overlap,
 * slots, pools, priorities, retries, memory, branches, maps, sensors, waits for another pipeline, ends of others, news of data, schedules,
 * backfills, challenges under each policy.
 */
import { createHash } from 'node:crypto';
import type { Pools } from '../../src/admission/admission.ts';
import { pipelinesFolder, type Compiled, type Compiler, type SourceFiles } from '../../src/compile/compile.ts';
import {
  endStates,
  type EndTrigger,
  type PipelineDefinition,
  type PromotionPolicy,
  type StepDefinition,
} from '../../src/pipeline/definition.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { channel } from './notifier.ts';
import type { Random } from './random.ts';

/** What a seed draws once, so that a pipeline means the same at every commit of its repository. */
export interface Catalogue {
  readonly names: readonly string[];
  readonly cron: string;
  readonly timeZone: string;
  definition(name: string, edition: number): PipelineDefinition;
}

const quickRetry = { count: 2, delayMs: 3000, factor: 2, delayMaxMs: 20_000 };
/** So that a second attempt has the limit, and running out of that is the end of it. */
const growing = { bytes: 2 ** 30, growth: { factor: 2, limitBytes: 2 ** 31 } };
/** Not reached with the retries that there are. */
const tripling = { bytes: 2 ** 30, growth: { factor: 3, limitBytes: 2 ** 40 } };
/** Has the limit at once. */
const grown = { bytes: 2 ** 31, growth: { factor: 2, limitBytes: 2 ** 31 } };
const pool = 'gpu';
const everywhere = { branches: ['**'], tags: [], paths: [] };

const byHand = { schedule: null, push: null, pullRequest: null };

/** Those that steps change, and one that people tell of. */
export const datasets = ['features', 'scores', 'lake'] as const;

/** Ends in one state or any, of the default branch or all. */
const followed: readonly EndTrigger[] = [
  { name: 'once', states: endStates, branches: [] },
  { name: 'churn', states: ['success'], branches: ['**'] },
  { name: 'wide', states: ['failed', 'cancelled'], branches: [] },
  { name: 'tick', states: ['success', 'failed'], branches: [] },
  { name: 'past', states: endStates, branches: [] },
];

/** So that a backfill has few intervals, and none of them comes up while a world lasts. */
const yearly = { cron: '0 0 1 1 *', timeZone: 'UTC', catchup: 'none' } as const;

/** No more slots than the executor has, so that all of them can be taken at once. */
export function drawPools(random: Random, slots: number): Pools {
  return new Map([[pool, random.between(1, Math.min(slots, 3))]]);
}

/** Tags that `release` listens to. */
export const releases = 'v*';

/** Less than a step may take, so that it is over now and then. */
const finallyTimeoutMs = 25_000;

/** The pipeline `probe`, that nothing starts, takes all slots at once, of the executor and of the pool. */
export function drawCatalogue(random: Random, slots: number, pools: Pools): Catalogue {
  const all = ['churn', 'wide', 'tick', 'after', 'deep', 'once', 'asking'];
  const names = all.filter((name) => random.chance(name === 'churn' ? 0.8 : 0.6));
  const cron = random.pick(['*/5 * * * *', '*/2 * * * *', '7 * * * *', '30 2 * * *', '0,30 2,3 * * *']);
  const timeZone = random.pick(['UTC', 'Europe/Berlin', 'Australia/Lord_Howe']);
  const overlap = random.pick(['allow', 'forbid', 'replace'] as const);
  const catchup = random.pick(['none', 'latest', 'all'] as const);
  const maxActiveRuns = random.pick([1, 1, 2, 16]);
  const policy = random.pick<PromotionPolicy>(['on-merge', 'on-merge', 'automatic', 'never']);
  const cancelInProgress = random.chance(0.5);
  const runTimeoutMs = random.pick([null, 90_000]);
  const deadlineMs = random.fork('deadline').pick([null, 15_000, 60_000]);
  const poolSlots = pools.get(pool) ?? 0;
  const schedule = { cron, timeZone, catchup };
  const pullRequest = { branches: [], paths: [] };
  const definition = (name: string, edition: number): PipelineDefinition => {
    const common = { name, description: `edition ${edition}`, maxActiveRuns, deadlineMs };
    switch (name) {
      case 'churn':
        return pipelineOf(trainAndChallenge('churn', policy), {
          ...common,
          on: { schedule: null, push: { ...everywhere, branches: [] }, pullRequest },
        });
      case 'wide':
        return pipelineOf(fan(poolSlots), {
          ...common,
          cancelInProgress,
          finallyTimeoutMs,
          on: { schedule: null, push: everywhere, pullRequest },
        });
      case 'tick':
        return pipelineOf(trainAndChallenge('tick', 'automatic'), {
          ...common,
          overlap,
          on: { schedule, push: null, pullRequest: null },
        });
      case 'after':
        return pipelineOf(waitFor('tick'), { ...common, on: { schedule, push: null, pullRequest: null } });
      case 'deep':
        return pipelineOf(chain(poolSlots), {
          ...common,
          runTimeoutMs,
          finallyTimeoutMs,
          on: { schedule: null, push: { branches: [], tags: [], paths: ['training/**'] }, pullRequest },
        });
      case 'once':
        return pipelineOf([stepOf({ name: 'only', updates: [{ dataset: 'features', output: null }] })], {
          ...common,
          notify: { recovery: [channel] },
          overlap,
          on: { schedule, push: everywhere, pullRequest: null },
        });
      case 'asking':
        return pipelineOf(asking(), {
          ...common,
          runTimeoutMs,
          on: { schedule: null, push: everywhere, pullRequest },
        });
      case 'fork':
        return pipelineOf(fork(), { ...common, on: { schedule: null, push: everywhere, pullRequest: null } });
      case 'past':
        return pipelineOf(trainAndChallenge('tick', 'automatic'), {
          ...common,
          overlap,
          on: { schedule: yearly, push: null, pullRequest: null },
        });
      case 'follow':
        return pipelineOf([stepOf({ name: 'only', updates: [{ dataset: 'scores', output: [] }] })], {
          ...common,
          overlap,
          on: { ...byHand, pipelines: followed },
        });
      case 'release':
        return pipelineOf([stepOf({ name: 'publish' })], {
          ...common,
          on: { ...byHand, push: { branches: [], tags: [releases], paths: ['nothing/**'] } },
        });
      case 'fresh':
        return pipelineOf([stepOf({ name: 'only' })], {
          ...common,
          overlap,
          on: { ...byHand, data: { datasets: [...datasets], when } },
        });
      case 'probe':
        return pipelineOf(
          Array.from({ length: slots }, (_, index) =>
            // First in every line: a run that begins meanwhile and wants more than is left would hold the rest of them up.
            stepOf({ name: `hold-${index}`, priority: 1000, ...(index < poolSlots ? pooled(1) : {}) }),
          ),
          common,
        );
      default:
        throw new Error(`no pipeline ${name}`);
    }
  };
  // Drawn last and seldom: backfills keep a world busy with little else.
  if (random.chance(0.2)) names.push('past');
  if (random.chance(0.4)) names.push('follow');
  if (random.chance(0.4)) names.push('fresh');
  const when = random.pick(['all', 'any', 'any'] as const);
  if (random.chance(0.4)) names.push('fork');
  if (random.fork('release').chance(0.4)) names.push('release');
  return { names: names.length === 0 ? ['churn'] : names, cron, timeZone, definition };
}

function trainAndChallenge(model: string, promote: PromotionPolicy): StepDefinition[] {
  return [
    stepOf({
      name: 'train',
      priority: model === 'tick' ? 5 : -5,
      retry: quickRetry,
      outputs: { model: 'artifact' },
      memory: model === 'tick' ? grown : growing,
      timeoutMs: 60_000,
      graceMs: 2000,
    }),
    stepOf({
      name: 'challenge',
      upstream: ['train'],
      retry: quickRetry,
      timeoutMs: 60_000,
      work: works.challenge({ model, promote }),
    }),
  ];
}

function pooled(slots: number): Pick<StepDefinition, 'pool'> {
  return { pool: { name: pool, slots } };
}

function fan(poolSlots: number): StepDefinition[] {
  const cache = { forMs: null, paths: ['training/**'] };
  return [
    stepOf({ name: 'split', timeoutMs: 30_000, cache: { forMs: 600_000, paths: [] } }),
    stepOf({
      name: 'each',
      upstream: ['split'],
      map: mapOver([1, 2, 3, 4]),
      work: { kind: 'command', command: ['true', [{ item: 'item', path: [] }]], environment: {} },
      cache,
      ...pooled(Math.min(2, poolSlots)),
      retry: quickRetry,
      memory: tripling,
      timeoutMs: 30_000,
    }),
    stepOf({ name: 'gate', upstream: ['each'], work: works.gate() }),
    stepOf({ name: 'tidy', upstream: ['gate'], finally: true, triggerRule: 'all_done' }),
  ];
}

function waitFor(pipeline: string): StepDefinition[] {
  return [
    stepOf({
      name: 'wait',
      work: {
        kind: 'wait',
        for: {
          condition: 'pipeline',
          pipeline,
          date: [{ context: 'date' }],
          shiftMs: 0,
          states: ['success', 'failed'],
          failStates: ['cancelled'],
        },
        intervalMs: 10_000,
        timeoutMs: 60_000,
        softFail: true,
      },
    }),
    stepOf({
      name: 'trained',
      work: {
        kind: 'wait',
        for: {
          condition: 'step',
          pipeline,
          step: 'train',
          date: [{ context: 'timestamp' }],
          shiftMs: 0,
          states: ['success', 'failed', 'skipped'],
        },
        intervalMs: 20_000,
        timeoutMs: 50_000,
        softFail: true,
      },
    }),
    stepOf({ name: 'then', upstream: ['wait', 'trained'], triggerRule: 'all_done' }),
  ];
}

function chain(poolSlots: number): StepDefinition[] {
  return [
    stepOf({ name: 'look', work: works.wait({ intervalMs: 5000, timeoutMs: 30_000, softFail: false }) }),
    stepOf({
      name: 'ask',
      work: works.until({ intervalMs: 5000, timeoutMs: 60_000, softFail: false }),
      retry: quickRetry,
      graceMs: 10_000,
      map: mapOver([1, 2, 3, 4, 5, 6]),
    }),
    stepOf({ name: 'first', upstream: ['look', 'ask'], retry: quickRetry, ...pooled(1), priority: 10 }),
    stepOf({ name: 'second', upstream: ['look'], retry: quickRetry, ...pooled(poolSlots) }),
    stepOf({ name: 'last', upstream: ['first', 'second'], triggerRule: 'one_success', timeoutMs: 20_000 }),
    stepOf({ name: 'tell', finally: true, triggerRule: 'one_failed', timeoutMs: 20_000 }),
  ];
}

/** Of the branch in `fork`. */
export const ways = ['left', 'right'];

/** Ways that are taken or not, and a map over what a step gave. */
function fork(): StepDefinition[] {
  const input = { literal: null };
  const over = { reference: { output: 'list', path: ['items'] } };
  return [
    stepOf({ name: 'choose', work: works.branch(ways) }),
    stepOf({ name: 'left', upstream: ['choose'], retry: quickRetry }),
    stepOf({ name: 'right', upstream: ['choose'] }),
    stepOf({ name: 'join', upstream: ['left', 'right'], triggerRule: 'none_failed_min_one_success' }),
    stepOf({ name: 'go', work: works.shortCircuit(false) }),
    stepOf({ name: 'list', upstream: ['go'], work: { kind: 'function', file: 'p.ts', input }, retry: quickRetry }),
    stepOf({
      name: 'every',
      upstream: ['list'],
      map: { axes: [{ name: 'item', over }], concurrency: 2, lengthMax: 10 },
      retry: quickRetry,
    }),
    stepOf({ name: 'end', upstream: ['join', 'every'], triggerRule: 'all_done' }),
  ];
}

/** Two decisions, one of which may come to nothing. */
function asking(): StepDefinition[] {
  const approval = { message: 'Go on?', timeoutMs: 60_000 };
  return [
    stepOf({ name: 'measure', retry: quickRetry }),
    stepOf({ name: 'release', upstream: ['measure'], work: works.approval(approval) }),
    stepOf({ name: 'announce', work: works.approval({ ...approval, onReject: 'skip', softFail: true }) }),
    stepOf({ name: 'deploy', upstream: ['release', 'announce'], triggerRule: 'none_failed', retry: quickRetry }),
  ];
}

type Change = (definition: PipelineDefinition) => PipelineDefinition;

/** Reads the file that `commit` of a simulated repository holds; everything else is broken. */
export function stubCompiler(catalogue: Catalogue, change: Change = (definition) => definition): Compiler {
  return {
    async compile(source: SourceFiles): Promise<readonly Compiled[]> {
      const paths = (await source.list(pipelinesFolder)).map(({ path }) => path);
      const contents = await source.read(paths);
      return paths
        .toSorted()
        .map((file) => compiled(catalogue, change, file, new TextDecoder().decode(contents.get(file))));
    },
    wake: () => undefined,
    close: () => Promise.resolve(),
  };
}

export function fileOf(pipeline: string, edition: number): string {
  return JSON.stringify({ pipeline, edition });
}

function compiled(catalogue: Catalogue, change: Change, file: string, text: string): Compiled {
  const match = /^\{"pipeline":"([a-z]+)","edition":(\d+)\}$/.exec(text);
  const where = { file, line: 1, column: 1 };
  if (match === null) {
    return {
      file,
      version: null,
      problems: [{ code: 'definition-invalid', message: 'it is broken', where, help: 'Mend it.' }],
      where: () => where,
    };
  }
  const definition = change(catalogue.definition(match[1] ?? '', Number(match[2])));
  const canonical = JSON.stringify(definition);
  const digest = createHash('sha256').update(canonical).digest('hex');
  return { file, version: { definition, canonical, digest }, problems: [], where: () => where };
}
