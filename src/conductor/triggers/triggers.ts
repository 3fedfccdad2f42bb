/**
 * From what happened to runs: each trigger has a key (repository, pipeline, commit, kind), and the journal opens at most
 * one run for a key, however often and from wherever the trigger comes.
 */
import { refusalOf, replacementReason, replaces, type Refusal } from '../../admission/admission.ts';
import { reuseEvents, type Reused } from '../../engine/engine.ts';
import type { RunEvent, RunOpened, Trigger } from '../../engine/event.ts';
import type { RequestRow, VersionRow, Write } from '../../journal/journal.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import {
  parameterText,
  parameterTypeText,
  parseParameterValue,
  type ParameterValue,
} from '../../pipeline/parameter.ts';
import type { Problem } from '../../std/problem.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { namesOfBroken } from '../broken-files.ts';
import type { About } from '../desk.ts';
import type { ConductorPorts } from '../ports.ts';
import { reportRun, reportWithoutRun } from '../reports/report-writes.ts';
import { conductorLimits } from '../ports.ts';
import { replacementId, requestWrites } from '../requests.ts';
import type { Turns } from '../runs/turns.ts';

export interface TriggerRequest {
  readonly key: string;
  readonly repository: string;
  readonly sha: string;
  readonly trigger: Trigger;
  readonly definition: PipelineDefinition;
  readonly digest: string;
  readonly logicalDate: number;
  readonly dataIntervalEnd: number;
  readonly parameters: RunOpened['parameters'];
  /** A record kept in the same commit as the run (a tick); null where there is none. */
  readonly alongside: ((runId: string) => Write) | null;
  /** What an earlier run gave, of a run that begins in the middle. */
  readonly reused: readonly Reused[];
}

/** Opens a run, or gives the one that this trigger opened before. `skipped` says why there is none. */
export type Opened = { readonly runId: string; readonly opened: boolean } | { readonly skipped: string };

/** Where it matters what is under way, one at a time for each pipeline; else together, so that those of a burst are one commit. */
export function openRun(ports: ConductorPorts, turns: Turns, request: TriggerRequest): Promise<Opened> {
  return takeLane(turns, request, () => openInLane(ports, turns, request));
}

/** The same for what can wait: null where the overlap policy forbids a run now, and nothing of it is kept. */
export function openRunWhenFree(ports: ConductorPorts, turns: Turns, request: TriggerRequest): Promise<Opened | null> {
  return takeLane(turns, request, () => openNext(ports, turns, request, () => Promise.resolve(null)));
}

function takeLane<T>({ opening }: Turns, request: TriggerRequest, work: () => Promise<T>): Promise<T> {
  const lane = laneOf(request);
  return looksAtOthers(request.definition) ? opening.run(lane, work) : opening.beside(lane, work);
}

function looksAtOthers(definition: PipelineDefinition): boolean {
  return definition.overlap === 'forbid' || mayCancelOthers(definition);
}

function mayCancelOthers({ overlap, cancelInProgress }: PipelineDefinition): boolean {
  return overlap === 'replace' || cancelInProgress;
}

/** Where runs are opened. */
export function laneOf({ repository, definition }: Pick<TriggerRequest, 'repository' | 'definition'>): string {
  return `${repository}\n${definition.name}`;
}

/** For who has looked, in the lane, at what is under way. */
export function openInLane(ports: ConductorPorts, turns: Turns, request: TriggerRequest): Promise<Opened> {
  return openNext(ports, turns, request, (refusal) => forbid(ports, request, refusal, ports.clock.now()));
}

async function openNext<Refused>(
  ports: ConductorPorts,
  turns: Turns,
  request: TriggerRequest,
  refuse: (refusal: Refusal) => Promise<Refused>,
): Promise<Opened | Refused> {
  const { definition } = request;
  const at = ports.clock.now();
  const refusal = refusalOf(definition, await underWay(ports, request));
  if (refusal !== null) {
    const earlier = await ports.journal.runByTrigger(request.key);
    return earlier === null ? refuse(refusal) : { runId: earlier.id, opened: false };
  }
  const opened = openedOf(request, ports.newId(), at);
  const kept = { reused: reuseEvents(request.reused, at), cancels: await cancelsOf(ports, request, opened) };
  if (await keepOpened(ports, request, opened, kept)) {
    turns.enter(opened, kept.reused, definition);
    ports.jobQueue.wake('outbox', at + conductorLimits.reportDebounceMs);
    turns.take(kept.cancels);
    return { runId: opened.runId, opened: true };
  }
  const earlier = await ports.journal.runByTrigger(request.key);
  if (earlier !== null) return { runId: earlier.id, opened: false };
  const trigger = await ports.journal.trigger(request.key);
  return { skipped: trigger?.reason ?? 'it was triggered before' };
}

/** As the journal has it: a run whose opening was kept without an answer is one, and no turn has seen it. */
async function underWay({ journal }: ConductorPorts, request: TriggerRequest): Promise<readonly string[]> {
  const { definition, repository } = request;
  if (definition.overlap !== 'forbid') return [];
  const active = await journal.activeRuns(repository, definition.name);
  return active.map(({ id }) => id);
}

/** False: the trigger has been seen before. */
async function keepOpened(
  ports: ConductorPorts,
  request: TriggerRequest,
  opened: RunOpened,
  { reused, cancels }: { readonly reused: readonly RunEvent[]; readonly cancels: readonly RequestRow[] },
): Promise<boolean> {
  const { key, alongside } = request;
  try {
    const [result] = await ports.journal.commit([
      [
        { write: 'open-run', triggerKey: key, opened, reused },
        ...(alongside === null ? [] : [alongside(opened.runId)]),
        ...requestWrites(cancels),
        ...reportRun(opened, opened.at, conductorLimits.reportDebounceMs),
      ],
    ]);
    return result?.ok === true;
  } catch (error) {
    // It may have been kept all the same: a turn finds the run then, and nothing where there is none.
    ports.runQueue.wake(opened.runId, ports.clock.now() + conductorLimits.turnAgainMs);
    throw error;
  }
}

function openedOf(request: TriggerRequest, runId: string, at: number): RunOpened {
  return {
    type: 'run-opened',
    at,
    runId,
    repository: request.repository,
    pipeline: request.definition.name,
    sha: request.sha,
    digest: request.digest,
    trigger: request.trigger,
    logicalDate: request.logicalDate,
    dataIntervalEnd: request.dataIntervalEnd,
    parameters: request.parameters,
  };
}

/** A commit whose run is forbidden says so: a required check must never hang. */
async function forbid(
  ports: ConductorPorts,
  request: TriggerRequest,
  { underWay, reason: summary }: Refusal,
  at: number,
): Promise<{ readonly skipped: string }> {
  const { repository, sha, trigger, definition } = request;
  const isCommit = trigger.kind === 'push' || trigger.kind === 'pull-request';
  const [pullRequest, baseSha] = trigger.kind === 'pull-request' ? [trigger.number, trigger.baseSha] : [null, null];
  const report = isCommit
    ? reportWithoutRun(
        {
          repository,
          pipeline: definition.name,
          sha,
          pullRequest,
          baseSha,
          state: 'neutral',
          summary,
          problems: [],
          coveredBy: null,
        },
        at,
      )
    : [];
  const skipped: Write = { write: 'trigger-skipped', key: request.key, at, reason: summary, coveredBy: underWay };
  await ports.journal.commit([[skipped, ...report]]);
  ports.jobQueue.wake('outbox');
  return { skipped: summary };
}

/** What a new run asks of those under way: `replace`, and `cancelInProgress` for the same branch or pull request. */
async function cancelsOf(
  { journal }: ConductorPorts,
  { definition, repository, trigger }: TriggerRequest,
  { runId, sha, at }: RunOpened,
): Promise<readonly RequestRow[]> {
  if (!mayCancelOthers(definition)) return [];
  const reason = replacementReason(trigger, sha);
  const active = await journal.activeRuns(repository, definition.name);
  return active
    .filter((earlier) => replaces(definition, trigger, earlier.opened.trigger))
    .map(({ id }) => {
      return { id: replacementId(runId, id), runId: id, request: { type: 'cancel', by: 'contender', reason }, at };
    });
}

/** Error reports for the broken files of a commit, under the context that a good version would have. */
export function problemReports(about: About, versions: readonly VersionRow[], at: number): readonly Write[] {
  const names = namesOfBroken(versions);
  return versions.flatMap(({ file, problems }) => {
    const pipeline = names.get(file);
    if (pipeline === undefined) return [];
    const summary = firstLine(problems);
    return reportWithoutRun({ ...about, pipeline, state: 'error', summary, problems, coveredBy: null }, at);
  });
}

function firstLine(problems: readonly Problem[]): string {
  const [first] = problems;
  if (first === undefined) return 'The definition is broken';
  const place = first.where === null ? '' : `${first.where.file}:${first.where.line}: `;
  return `${place}${first.message}`;
}

/** Values for the declared parameters, from text as people write it. */
export function parseParameters(
  declared: PipelineDefinition['parameters'],
  given: RunOpened['parameters'],
): Result<RunOpened['parameters'], string> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(declared, name));
  const names = Object.keys(declared).join(', ') || 'none';
  if (unknown !== undefined) return failure(`there is no parameter "${unknown}"; declared: ${names}`);
  const values: Record<string, ParameterValue> = {};
  for (const [name, definition] of Object.entries(declared)) {
    const value = Object.hasOwn(given, name) ? (given[name] ?? null) : definition.default;
    if (value === null)
      return failure(`the parameter "${name}" (${parameterTypeText(definition)}) has no default and must be given`);
    const parsed = parseParameterValue(definition, value);
    if (!parsed.ok) return failure(`the parameter "${name}" ${parsed.error}`);
    values[name] = parsed.value;
  }
  return success(values);
}

/** For a person who gave parameters that do not fit: which are missing, and what there is to give. */
export function parameterProblem(
  declared: PipelineDefinition['parameters'],
  given: RunOpened['parameters'],
  message: string,
): Problem {
  const missing = Object.keys(declared).filter(
    (name) => declared[name]?.default === null && !Object.hasOwn(given, name),
  );
  const give = missing.length === 0 ? '' : `Give ${missing.map((name) => `--param ${name}=VALUE`).join(' ')}. `;
  return { code: 'run-refused', message, where: null, help: `${give}The parameters: ${parametersText(declared)}.` };
}

/** `depth: number, default 3; region: string, must be given`. */
function parametersText(declared: PipelineDefinition['parameters']): string {
  const each = Object.entries(declared).map(([name, definition]) => {
    const { default: value } = definition;
    const otherwise = value === null ? 'must be given' : `default ${parameterText(value)}`;
    return `${name}: ${parameterTypeText(definition)}, ${otherwise}`;
  });
  return each.length === 0 ? 'none' : each.join('; ');
}
