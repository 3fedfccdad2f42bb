/** A local executor with its stores in a temporary folder, its reports, and waiting for facts. */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import type {
  AttemptReport,
  AttemptSpec,
  AttemptWork,
  Executor,
  InputValue,
  LookSpec,
} from '../../src/executor/executor.ts';
import { createLocalExecutor } from '../../src/executor/local/local.ts';
import type { PulseLimits } from '../../src/executor/local/pulse.ts';
import { createDirectoryStores } from '../../src/outputs/directory.ts';
import type { ArtifactStore, LogStore } from '../../src/outputs/outputs.ts';

export type FinishedReport = Extract<AttemptReport, { type: 'finished' }>;

export interface Workshop {
  readonly folder: string;
  readonly sourceTree: string;
  readonly executor: Executor;
  readonly artifacts: ArtifactStore;
  readonly logs: LogStore;
  readonly reports: readonly AttemptReport[];
  readonly secrets: Map<string, string>;
  /** Another server on the same folder, with reports of its own. */
  reopen(): { readonly executor: Executor; readonly reports: AttemptReport[] };
  finished(attemptId: string): Promise<FinishedReport>;
  running(attemptId: string): Promise<AttemptReport>;
  run(work: AttemptWork, changes?: Partial<AttemptSpec>): Promise<AttemptOutcome>;
  log(attemptId: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Polls until `fact` gives something; fails after a minute with what was waited for. */
export async function until<T>(
  what: string,
  fact: () => T | null | undefined | false | Promise<T | null | undefined | false>,
): Promise<T> {
  for (let waited = 0; waited < 60_000; waited += 10) {
    const found = await fact();
    if (found !== null && found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain for ${what}`);
}

export function command(...parts: string[]): AttemptWork {
  return { kind: 'command', command: parts, environment: {} };
}

export function shell(script: string, environment: { [name: string]: string } = {}): AttemptWork {
  return { kind: 'command', command: ['sh', '-c', script], environment };
}

/** A container that carries out a script, here too. */
export function boxed(image: string, script: string): AttemptWork {
  const command = ['sh', '-c', script];
  const resources = { requests: {}, limits: {} };
  return { kind: 'container', image, command, args: [], environment: {}, resources, localCommand: command };
}

export function specOf(work: AttemptWork, changes: Partial<AttemptSpec> = {}): AttemptSpec {
  const runId = `run-${randomUUID()}`;
  const context = {
    runId,
    repository: 'acme/churn',
    pipeline: 'weekly',
    step: 'train',
    index: 0,
    attempt: 1,
    sha: 'a'.repeat(40),
    branch: 'main',
    trigger: { kind: 'manual' as const, upstream: null, events: [] },
    date: '2024-03-04',
    dateNoDash: '20240304',
    timestamp: '2024-03-04T02:00:00.000Z',
    dataIntervalStart: '2024-03-04T02:00:00.000Z',
    dataIntervalEnd: '2024-03-11T02:00:00.000Z',
    memoryBytes: null,
    parameters: { rate: 0.1 },
  };
  return {
    attemptId: `${runId}/train/0/1`,
    repository: 'acme/churn',
    sha: 'a'.repeat(40),
    work,
    queue: null,
    startMs: null,
    pod: null,
    context,
    outputs: {},
    secrets: [],
    timeoutMs: 3_600_000,
    graceMs: 5000,
    ...changes,
  };
}

/** The first look of a new wait with the function of the step `looks`. */
export function lookSpecOf(file: string, input: InputValue, changes: Partial<LookSpec> = {}): LookSpec {
  const { work: _command, outputs: _none, context, ...spec } = specOf(command('true'));
  return {
    ...spec,
    context: { ...context, step: 'looks' },
    work: { kind: 'wait', file, input },
    number: 1,
    ...changes,
  };
}

export async function openWorkshop(
  files: { readonly [path: string]: string } = {},
  nodeModules: string | null = null,
  pulse?: PulseLimits,
): Promise<Workshop> {
  const folder = await mkdtemp(join(tmpdir(), 'executor-'));
  const sourceTree = join(folder, 'source');
  await mkdir(sourceTree);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(sourceTree, path)), { recursive: true });
    await writeFile(join(sourceTree, path), text, { mode: 0o755 });
  }
  const clock = { now: () => Date.now() };
  const { artifacts, logs } = createDirectoryStores({ directory: join(folder, 'stores'), clock });
  const secrets = new Map<string, string>();
  const opened: Executor[] = [];
  const reopen = (): { executor: Executor; reports: AttemptReport[] } => {
    const reports: AttemptReport[] = [];
    const ports = {
      report: (report: AttemptReport) => void reports.push(report),
      sourceTree: async () => sourceTree,
      secret: (name: string) => secrets.get(name) ?? null,
    };
    const executor = createLocalExecutor({
      ports,
      artifacts,
      logs,
      directory: join(folder, 'state'),
      slots: 4,
      clock,
      nodeModules,
      ...(pulse === undefined ? {} : { pulse }),
    });
    opened.push(executor);
    return { executor, reports };
  };
  const { executor, reports } = reopen();
  const finished = (attemptId: string): Promise<FinishedReport> =>
    until(
      `the end of ${attemptId}`,
      () =>
        reports.find((report) => report.type === 'finished' && report.attemptId === attemptId) as
          | FinishedReport
          | undefined,
    );
  return {
    folder,
    sourceTree,
    executor,
    artifacts,
    logs,
    reports,
    secrets,
    reopen,
    finished,
    running: (attemptId) =>
      until(`${attemptId} to run`, () =>
        reports.find((report) => report.type === 'running' && report.attemptId === attemptId),
      ),
    async run(work, changes) {
      const spec = specOf(work, changes);
      await executor.start(spec);
      return (await finished(spec.attemptId)).outcome;
    },
    log: async (attemptId) => (await logs.read(attemptId, 1, 10_000)).lines.map((line) => line.text),
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
