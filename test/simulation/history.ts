/**
 * What was kept, in order, as the journal's callers were told. Here stand the promises that must hold at every moment;
 * each is judged from the writes alone, so that neither a constraint of the database nor the code that is tested has a
 * say in it.
 *
 *   P1  a cause opens at most one run                  P3  at most one attempt of an instance counts
 *   P2  a tick has one record, and it runs or says why  P5  a decision on a promotion is taken once
 *   P9  an interval of a backfill is decided once, and no more of its runs go on than it may have
 *   P8  what is asked of a run is settled by the events that come of it
 */
import {
  firstTriggerOf,
  type RunEvent,
  type RunOpened,
  type RunState,
  type StepOutput,
} from '../../src/engine/event.ts';
import type { DecideRequest, RunRequest } from '../../src/engine/request.ts';
import type {
  BackfillOptions,
  BackfillState,
  EvaluationRow,
  EvaluationState,
  Write,
} from '../../src/journal/journal.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import type { JsonObject } from '../../src/std/json.ts';
import { unreachable } from '../../src/std/unreachable.ts';
import { wrongWait } from './awaited.ts';
import { besideOf, isReplacedBy } from './beside.ts';
import { brokenLimit } from './limits.ts';
import { wrongDecision, wrongPlan, type KeptInterval } from './intervals.ts';
import { Lines } from './lines.ts';
import { Listeners } from './listeners.ts';
import { wrongStep } from './steps.ts';

export interface KeptRun {
  readonly opened: RunOpened;
  readonly definition: PipelineDefinition;
  readonly events: RunEvent[];
  state: RunState;
  /** Of the world's time, as the next. */
  readonly since: number;
  endedAt: number | null;
  /** By step and index: the number of the current attempt, and whether it has ended. */
  readonly instances: Map<string, { attempt: number; ended: boolean; final: boolean }>;
}

export interface KeptRequest {
  readonly runId: string;
  readonly request: RunRequest;
  /** Of the world's time. */
  readonly since: number;
  open: boolean;
}

export interface KeptTick {
  readonly tick: number;
  /** By the clock of whoever decided. */
  readonly at: number;
  readonly decision: 'run' | 'missed';
  readonly reason: string | null;
  readonly runId: string | null;
}

export interface KeptBackfill {
  state: BackfillState;
  readonly pipeline: string;
  readonly options: BackfillOptions;
  readonly intervals: readonly KeptInterval[];
  /** Positions of the intervals that nobody has decided on. */
  readonly waiting: Set<number>;
  readonly runs: Set<string>;
}

/** What the body of a report's row says; null where it says nothing of the kind. */
export interface AboutReport {
  readonly sha: string | null;
  readonly pipeline: string | null;
  readonly runId: string | null;
  readonly state: string | null;
  readonly pullRequest: number | null;
}

export interface KeptOutbox {
  readonly kind: string;
  readonly about: AboutReport;
  state: 'due' | 'done' | 'given-up';
  error: string | null;
}

export type Violated = (promise: string, what: string) => void;

export class History {
  readonly runs = new Map<string, KeptRun>();
  readonly unfinished = new Set<string>();
  readonly requests = new Map<string, KeptRequest>();
  /** By pipeline, in the order of their records. */
  readonly ticks = new Map<string, Map<number, KeptTick>>();
  /** `tick 1750000000000`: those that a run of the same pipeline kept from theirs. */
  readonly refusedTicks = new Set<string>();
  /** From when a schedule counts, by pipeline. */
  readonly since = new Map<string, number>();
  readonly deliveries = new Map<string, { state: string; note: string }>();
  /** What the kept webhooks mean. */
  readonly meanings = new Set<string | null>();
  readonly backfills = new Map<string, KeptBackfill>();
  readonly evaluations = new Map<string, EvaluationRow & { state: EvaluationState }>();
  readonly outbox = new Map<string, KeptOutbox>();
  readonly heads = new Map<string, string | null>();
  /** Where the first look at the tags found them, which starts nothing. */
  readonly firstTags = new Map<string, string | null>();
  /** Keys of triggers, of runs and of those that led to none. */
  readonly triggers = new Set<string>();
  /** Runs that are replaced, and by which. */
  readonly replaced: (readonly [earlier: string, later: string])[] = [];
  readonly listeners: Listeners;
  readonly #causes = new Map<string, string>();
  readonly #violated: Violated;
  readonly #definitionOf: (opened: RunOpened) => PipelineDefinition;
  readonly #now: () => number;
  /** Who waited before then must not be passed by now. */
  readonly #passedBy: () => number;
  readonly #filesOf: (sha: string) => ReadonlyMap<string, string>;
  /** From the look at what there is until what is decided by it is kept. */
  readonly #decidedWithinMs: number;
  readonly #wasTagged: (ref: string, sha: string) => boolean;
  readonly #lines = new Lines();

  constructor(given: {
    readonly violated: Violated;
    readonly definitionOf: (opened: RunOpened) => PipelineDefinition;
    readonly now: () => number;
    readonly passedBy: () => number;
    readonly decidedWithinMs: number;
    readonly filesOf: (sha: string) => ReadonlyMap<string, string>;
    readonly wasTagged: (ref: string, sha: string) => boolean;
  }) {
    this.#violated = given.violated;
    this.#definitionOf = given.definitionOf;
    this.#now = given.now;
    this.#passedBy = given.passedBy;
    this.#decidedWithinMs = given.decidedWithinMs;
    this.#filesOf = given.filesOf;
    this.#wasTagged = given.wasTagged;
    this.listeners = new Listeners(this.runs, given.violated);
  }

  kept(write: Write): void {
    switch (write.write) {
      case 'delivery':
        this.deliveries.set(write.id, { state: 'pending', note: '' });
        if (write.semanticKey !== null && this.meanings.has(write.semanticKey))
          this.#violated('P1', `${write.id} was kept a second time`);
        this.meanings.add(write.semanticKey);
        return;
      case 'delivery-done':
        this.deliveries.set(write.id, { state: write.state, note: write.note });
        return;
      case 'head':
        this.heads.set(write.branch, write.sha);
        return;
      case 'trigger-skipped':
        this.triggers.add(write.key);
        this.#refused(write);
        return this.listeners.skipped(write);
      case 'open-run':
        return this.#opened(write);
      case 'append':
        return this.#appended(write);
      case 'request':
        return this.#asked(write);
      case 'request-done':
        return this.#settled(write.id);
      case 'tick':
        return this.#ticked(write);
      case 'evaluation':
        if (!this.evaluations.has(write.evaluation.id))
          this.evaluations.set(write.evaluation.id, { ...write.evaluation });
        return;
      case 'evaluation-state':
        return this.#decided(write);
      case 'outbox':
        this.outbox.set(write.key, {
          kind: write.kind,
          about: aboutOf(write.body),
          // What was told already is only looked at again.
          state: typeof write.body['toldAt'] === 'number' ? 'done' : 'due',
          error: null,
        });
        return;
      case 'outbox-done':
      case 'outbox-failed':
        return this.#carried(write);
      case 'forge-object':
        return this.#noted(write);
      case 'backfill':
        return this.#planned(write);
      case 'backfill-interval':
        return this.#decidedInterval(write);
      case 'backfill-state':
        return this.#backfillMoved(write);
      case 'data-event':
        return this.listeners.told(write);
      case 'data-event-decided':
        return this.listeners.decided(write);
      case 'data-listening':
        return this.listeners.listening(write);
      case 'data-taken':
        return this.listeners.taken(write);
      case 'versions':
      case 'session':
      case 'session-used':
      case 'session-ended':
      case 'order':
      case 'order-answered':
      case 'cache-trim':
      case 'run-end':
      case 'run-end-done':
        return;
      case 'cache-entry':
        return this.#cached(write);
      default:
        return unreachable(write);
    }
  }

  /** A commit that is the head again has its run again that one of another commit had ended. */
  #wasReplaced(runId: string): boolean {
    const isAsked = [...this.requests.values()].some(
      ({ runId: of, request }) => of === runId && request.type === 'cancel' && request.by === 'contender',
    );
    return isAsked && this.runs.get(runId)?.state === 'cancelled';
  }

  #opened({ opened, triggerKey, reused }: Extract<Write, { write: 'open-run' }>): void {
    this.triggers.add(triggerKey);
    const cause = causeOf(opened);
    const before = this.#causes.get(cause);
    if (before !== undefined && !this.#wasReplaced(before)) this.#violated('P1', `two runs for ${cause}`);
    this.#causes.set(cause, opened.runId);
    // One that is asked for again stands for the first: it too can be replaced.
    const first = causeOf({ ...opened, trigger: firstTriggerOf(opened.trigger) });
    if (this.#causes.has(first)) this.#causes.set(first, opened.runId);
    const definition = this.#definitionOf(opened);
    const run: KeptRun = {
      opened,
      definition,
      events: [opened],
      state: 'running',
      since: this.#now(),
      endedAt: null,
      instances: new Map(),
    };
    this.runs.set(opened.runId, run);
    this.#checkBeside(run);
    const { trigger, sha } = opened;
    const isOfTag = trigger.kind === 'push' && trigger.branch.startsWith('refs/tags/');
    if (isOfTag && !this.#wasTagged(trigger.branch, sha))
      this.#violated('P1', `${opened.runId} is of ${trigger.branch}, which never stood at ${sha}`);
    this.listeners.opened(opened);
    for (const event of reused) {
      this.#happened(run, event);
      run.events.push(event);
    }
    this.unfinished.add(opened.runId);
  }

  #appended(write: Extract<Write, { write: 'append' }>): void {
    const run = this.runs.get(write.runId);
    if (run === undefined) return this.#violated('P3', `events of ${write.runId}, which was never opened`);
    if (write.position !== run.events.length)
      this.#violated('P3', `${write.runId} is at ${run.events.length}, and events were kept at ${write.position}`);
    for (const event of write.events) {
      this.#happened(run, event);
      run.events.push(event);
    }
    if (write.becomes !== null) run.state = write.becomes.state;
    if (write.becomes === null || write.becomes.finishedAt === null) return;
    run.endedAt = this.#now();
    this.unfinished.delete(write.runId);
    if (run.state !== 'cancelled' && run.events.some(({ type }) => type === 'cancel-requested'))
      this.#violated('P8', `${write.runId} was told to cancel, and ended as ${run.state}`);
    for (const asked of this.requests.values()) if (asked.runId === write.runId) asked.open = false;
  }

  #checkBeside(run: KeptRun): void {
    const { definition, opened } = run;
    for (const earlier of besideOf(this, run)) {
      if (definition.overlap === 'forbid')
        this.#violated('overlap', `${opened.runId} was opened beside ${earlier.opened.runId} of ${opened.pipeline}`);
      if (isReplacedBy(definition, earlier, run)) this.replaced.push([earlier.opened.runId, opened.runId]);
    }
  }

  wasAsked(runId: string, by: string): boolean {
    return [...this.requests.values()].some((each) => each.runId === runId && each.request.by === by);
  }

  /** Approvals that wait for a decision. */
  awaited(): readonly { readonly runId: string; readonly step: string; readonly dueAt: number }[] {
    return [...this.unfinished].flatMap((runId) => {
      const events = this.runs.get(runId)?.events ?? [];
      return events.flatMap((event) => {
        if (event.type !== 'approval-requested') return [];
        const { step, dueAt } = event;
        return events.some((each) => each.type === 'step-finished' && each.step === step)
          ? []
          : [{ runId, step, dueAt }];
      });
    });
  }

  #asked({ id, runId, request, whereEnded }: Extract<Write, { write: 'request' }>): void {
    const goesOn = this.unfinished.has(runId);
    if (!goesOn && whereEnded === 'conflict') this.#violated('P8', `${request.type} of ${runId}, which has ended`);
    if (request.type === 'decide' && this.#decisionOf(runId, request.step) !== undefined)
      this.#violated('P8', `a second decision on ${runId}/${request.step} was accepted`);
    // Of a run that has ended meanwhile nothing comes of it.
    const isReplacement = goesOn && id.includes('/replaces/');
    if (isReplacement && !this.replaced.some(([earlier, later]) => earlier === runId && id.startsWith(later)))
      this.#violated('overlap', `${runId} was told to end, and nothing replaces it`);
    if (goesOn && !this.requests.has(id)) this.requests.set(id, { runId, request, since: this.#now(), open: true });
  }

  #settled(id: string): void {
    const asked = this.requests.get(id);
    if (asked === undefined) return;
    asked.open = false;
    const { request } = asked;
    const events = this.runs.get(asked.runId)?.events ?? [];
    const isKnown = events.some((event) => {
      const { type } = event;
      if (type === 'run-finished') return true;
      if (request.type === 'cancel-finally') return type === 'finally-cancel-requested' || type === 'finally-timed-out';
      if (type === 'cancel-requested' || type === 'run-timed-out') return true;
      return request.type === 'decide' && type === 'step-finished' && event.step === request.step;
    });
    if (!isKnown) this.#violated('P8', `${id} was settled, and ${asked.runId} knows nothing of it`);
  }

  /** The one that was accepted. */
  #decisionOf(runId: string, step: string): DecideRequest | undefined {
    const all = [...this.requests.values()].filter((each) => each.runId === runId).map(({ request }) => request);
    return all.find((request): request is DecideRequest => request.type === 'decide' && request.step === step);
  }

  #happened(run: KeptRun, event: RunEvent): void {
    const { runId } = run.opened;
    this.#checkLine(run, event);
    const limit = brokenLimit(run, run.definition, event);
    if (limit !== null) this.#violated(limit.promise, limit.what);
    const step = wrongStep(run, event);
    if (step !== null) this.#violated('steps', step);
    if (run.events.some((each) => each.type === 'run-finished') && event.type !== 'late-report-ignored')
      this.#violated('P3', `${event.type} in ${runId}, which has ended`);
    if (event.type === 'attempt-started') {
      const key = `${event.step}/${event.index}`;
      const before = run.instances.get(key) ?? { attempt: 0, ended: true, final: false };
      if (!before.ended || before.final || event.attempt !== before.attempt + 1)
        this.#violated('P3', `${runId}/${key}: attempt ${event.attempt} after ${JSON.stringify(before)}`);
      run.instances.set(key, { attempt: event.attempt, ended: false, final: false });
      this.#checkLane(run);
    }
    if (event.type === 'attempt-finished') {
      this.#foundInCache(run, event);
      const instance = run.instances.get(`${event.step}/${event.index}`);
      if (instance === undefined || instance.ended || instance.attempt !== event.attempt)
        this.#violated('P3', `${runId}/${event.step}/${event.index}: an end of attempt ${event.attempt} too many`);
      else instance.ended = true;
    }
    if (event.type === 'step-reused') this.#reused(run, event);
    const wrong = wrongWait({
      event,
      run,
      definitionOf: this.#definitionOf,
      runs: this.runs,
      seenBy: this.#passedBy(),
    });
    if (wrong !== null) this.#violated('wait', wrong);
    if (event.type === 'approval-decided') {
      const accepted = this.#decisionOf(runId, event.step);
      if (accepted?.by !== event.by || accepted.decision !== event.decision)
        this.#violated('P8', `${runId}/${event.step}: ${event.decision} by ${event.by}, which nobody accepted`);
    }
    if (event.type === 'step-finished' && event.index !== null) {
      const instance = run.instances.get(`${event.step}/${event.index}`);
      if (instance?.final === true) this.#violated('P3', `${runId}/${event.step}/${event.index} ended twice`);
      if (instance !== undefined) instance.final = true;
    }
  }

  /** What a run has from another is what that one came to, and nothing runs for it. */
  #reused(run: KeptRun, event: Extract<RunEvent, { type: 'step-reused' }>): void {
    const name = `${run.opened.runId}/${event.step}/${event.index}`;
    const end = this.runs
      .get(event.runId)
      ?.events.findLast(
        (each) => each.type === 'step-finished' && each.step === event.step && (each.index ?? 0) === (event.index ?? 0),
      );
    if (end?.type !== 'step-finished' || end.state !== event.state)
      this.#violated('reuse', `${name} is ${event.state} as in ${event.runId}, where it is ${JSON.stringify(end)}`);
    const given = this.runs.get(event.runId)?.events.findLast((each) => endsInstance(each, event));
    const output = given === undefined ? null : outputOf(given);
    if (JSON.stringify(output) !== JSON.stringify(event.output))
      this.#violated('reuse', `${name} gave ${JSON.stringify(output)}, and stands for ${JSON.stringify(event.output)}`);
    if (event.index !== null)
      run.instances.set(`${event.step}/${event.index}`, { attempt: 0, ended: true, final: true });
  }

  /** An entry is what an attempt of that run gave, in the commit of its end. */
  #cached({ runId, cached, index, output }: Extract<Write, { write: 'cache-entry' }>): void {
    const given = this.runs
      .get(runId)
      ?.events.some(
        (each) =>
          each.type === 'attempt-finished' && each.step === cached.step && each.index === index && gave(each, output),
      );
    if (given !== true)
      this.#violated('cache', `${runId}/${cached.step}/${index} never gave ${JSON.stringify(output)}`);
  }

  /** What stands for an attempt is what the run that is named gave, for that step. */
  #foundInCache(run: KeptRun, event: Extract<RunEvent, { type: 'attempt-finished' }>): void {
    const { step, index, attempt } = event;
    const looked = run.events.findLast(
      (each) =>
        each.type === 'cache-looked-up' && each.step === step && each.index === index && each.attempt === attempt,
    );
    if (looked?.type !== 'cache-looked-up' || !looked.look.found || event.outcome.kind !== 'succeeded') return;
    const { output } = event.outcome;
    const source = this.runs.get(looked.look.runId);
    const definition = run.definition.steps.find(({ name }) => name === step);
    const isThere = source?.events.some(
      (each) => each.type === 'attempt-finished' && each.step === step && each.index === index && gave(each, output),
    );
    const name = `${run.opened.runId}/${step}/${index}`;
    if (source === undefined || isThere !== true || source.opened.pipeline !== run.opened.pipeline)
      this.#violated('cache', `${name} is not from ${looked.look.runId}`);
    else if (this.#codeOf(source, definition) !== this.#codeOf(run, definition))
      this.#violated('cache', `${name} is from ${looked.look.runId}, which had other code`);
    else if (!mayShare(source, run)) this.#violated('cache', `${name} is of the pull request of ${looked.look.runId}`);
  }

  /** All files of its commit, or those in the folders that its cache names. */
  #codeOf({ opened }: KeptRun, step: StepDefinition | undefined): string {
    const folders = (step?.cache?.paths ?? []).map((path) => path.replace(/\*\*$/, ''));
    const files = [...this.#filesOf(opened.sha)].filter(
      ([path]) => folders.length === 0 || folders.some((folder) => path.startsWith(folder)),
    );
    return JSON.stringify(files.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  }

  #checkLine({ opened }: KeptRun, event: RunEvent): void {
    if (event.type === 'cancel-requested' || event.type === 'run-timed-out') this.#lines.stopped(opened.runId);
    if (!('step' in event)) return;
    const step = this.#definitionOf(opened).steps.find(({ name }) => name === event.step);
    const at = { now: this.#now(), since: this.#passedBy() };
    const passed = this.#lines.happened(opened.runId, step, event, at);
    if (passed !== null) this.#violated('priority', passed);
  }

  #checkLane(run: KeptRun): void {
    const { repository, pipeline } = run.opened;
    const active = [...this.unfinished].filter((id) => {
      const other = this.runs.get(id);
      return (
        other?.opened.repository === repository &&
        other.opened.pipeline === pipeline &&
        other.state === 'running' &&
        [...other.instances.values()].some((instance) => !instance.ended)
      );
    });
    if (active.length > this.#definitionOf(run.opened).maxActiveRuns)
      this.#violated('lane', `${active.length} runs of ${pipeline} at work: ${active.join(', ')}`);
  }

  #ticked({ pipeline, tick, at, decision, reason, runId }: Extract<Write, { write: 'tick' }>): void {
    const ticks = this.ticks.get(pipeline) ?? new Map<number, KeptTick>();
    this.ticks.set(pipeline, ticks);
    const name = `${pipeline} at ${new Date(tick).toISOString()}`;
    if (ticks.has(tick)) this.#violated('P2', `${name} has two records`);
    if (decision === 'run' && (runId === null || !this.runs.has(runId)))
      this.#violated('P2', `${name} has no run ${String(runId)}`);
    if (decision === 'missed' && (reason === null || reason === ''))
      this.#violated('P2', `${name} was missed without a reason`);
    ticks.set(tick, { tick, at, decision, reason, runId });
  }

  /** The run that is named was under way a moment before. */
  #refused({ key, coveredBy }: Extract<Write, { write: 'trigger-skipped' }>): void {
    const [kind, , pipeline = '', tick = ''] = key.split(':');
    const beside = this.runs.get(coveredBy ?? '');
    if (kind !== 'schedule' || beside?.opened.pipeline !== pipeline) return;
    if (beside.endedAt === null || beside.endedAt > this.#now() - this.#decidedWithinMs)
      this.refusedTicks.add(`${pipeline} ${tick}`);
  }

  #noted({ key, id }: Extract<Write, { write: 'forge-object' }>): void {
    if (key.startsWith('watched-tags:')) for (const [ref, sha] of this.heads) this.firstTags.set(ref, sha);
    if (!key.startsWith('schedules:')) return;
    const schedules = JSON.parse(id) as { readonly pipeline: string; readonly since: number }[];
    for (const { pipeline, since } of schedules) if (!this.since.has(pipeline)) this.since.set(pipeline, since);
  }

  #planned(write: Extract<Write, { write: 'backfill' }>): void {
    const { backfill, intervals } = write;
    const { id, pipeline, options } = backfill;
    if (this.backfills.has(id)) this.#violated('P9', `${id} was kept twice`);
    const wrong = wrongPlan(write, { runs: this.runs, seenBy: this.#now() - this.#decidedWithinMs });
    if (wrong !== null) this.#violated('P9', wrong);
    const waiting = intervals.flatMap(({ skipped }, position) => (skipped === null ? [position] : []));
    const rows = { pipeline, options, intervals, waiting: new Set(waiting), runs: new Set<string>() };
    this.backfills.set(id, { state: 'running', ...rows });
  }

  #decidedInterval(write: Extract<Write, { write: 'backfill-interval' }>): void {
    const { id, position, decision, reason, runId } = write;
    const backfill = this.backfills.get(id);
    const name = `interval ${position} of ${id}`;
    if (backfill?.waiting.has(position) !== true) return this.#violated('P9', `${name} is decided twice`);
    const wrong = wrongDecision(write, backfill, { runs: this.runs, seenBy: this.#now() - this.#decidedWithinMs });
    if (wrong !== null) this.#violated('P9', wrong);
    backfill.waiting.delete(position);
    if (decision === 'skipped' && (reason === null || reason === '')) this.#violated('P9', `${name}: no reason`);
    if (decision === 'skipped') return;
    if (runId === null || !this.runs.has(runId)) return this.#violated('P9', `${name} has no run ${String(runId)}`);
    backfill.runs.add(runId);
    const active = [...backfill.runs].filter((run) => this.unfinished.has(run));
    if (active.length > backfill.options.maxActive) this.#violated('P9', `${active.length} runs of ${id} at once`);
  }

  #backfillMoved({ id, from, to }: Extract<Write, { write: 'backfill-state' }>): void {
    const backfill = this.backfills.get(id);
    if (backfill?.state !== from) return this.#violated('P9', `${id} is ${String(backfill?.state)}, not ${from}`);
    backfill.state = to;
    if (to === 'cancelling') return backfill.waiting.clear();
    const left = [...backfill.runs].filter((run) => this.unfinished.has(run));
    if (left.length + backfill.waiting.size > 0) this.#violated('P9', `${id} is ${to} before its end`);
  }

  #decided({ id, from, to, reason, version }: Extract<Write, { write: 'evaluation-state' }>): void {
    const evaluation = this.evaluations.get(id);
    if (evaluation === undefined || evaluation.state !== from)
      this.#violated('P5', `${id} is ${String(evaluation?.state)} and went from ${from} to ${to}`);
    if (evaluation !== undefined) this.evaluations.set(id, { ...evaluation, state: to, reason, version });
  }

  #carried(write: Extract<Write, { write: 'outbox-done' | 'outbox-failed' }>): void {
    const row = this.outbox.get(write.key);
    if (row === undefined) return;
    if (write.write === 'outbox-done') row.state = 'done';
    else {
      row.state = write.dueAt === null ? 'given-up' : 'due';
      row.error = write.error;
    }
  }
}

/** What was made for a pull request is used for that alone. */
function mayShare(source: KeptRun, run: KeptRun): boolean {
  const [one, other] = [source, run].map(({ opened }) => firstTriggerOf(opened.trigger));
  return one?.kind !== 'pull-request' || (other?.kind === 'pull-request' && other.number === one.number);
}

function gave({ outcome }: Extract<RunEvent, { type: 'attempt-finished' }>, output: StepOutput): boolean {
  return outcome.kind === 'succeeded' && JSON.stringify(outcome.output) === JSON.stringify(output);
}

function endsInstance(
  event: RunEvent,
  { step, index }: { readonly step: string; readonly index: number | null },
): boolean {
  if (event.type === 'approval-decided') return event.step === step;
  if (event.type !== 'attempt-finished' && event.type !== 'wait-seen') return false;
  return event.step === step && event.index === index;
}

/** What a step gave: an approval, the decision. */
function outputOf(event: RunEvent): StepOutput | null {
  if (event.type === 'wait-seen') return event.output;
  if (event.type === 'attempt-finished') return event.outcome.kind === 'succeeded' ? event.outcome.output : null;
  if (event.type !== 'approval-decided' || event.decision !== 'approve') return null;
  const { by, reason, at } = event;
  return { inline: { by, reason, at: new Date(at).toISOString() } };
}

function aboutOf(body: JsonObject): AboutReport {
  const text = (name: string): string | null => {
    const value = body[name];
    return typeof value === 'string' ? value : null;
  };
  const number = body['pullRequest'];
  return {
    sha: text('sha'),
    pipeline: text('pipeline'),
    runId: text('runId'),
    state: text('state'),
    pullRequest: typeof number === 'number' ? number : null,
  };
}

/** What a run is for, in words of the world: never the key that the conductor made of it. */
export function causeOf({ repository, pipeline, sha, trigger, logicalDate }: RunOpened): string {
  switch (trigger.kind) {
    case 'push':
      return `push of ${sha} to ${repository} ${trigger.branch}: ${pipeline}`;
    case 'pull-request':
      return `${sha} in ${repository} #${trigger.number}: ${pipeline}`;
    case 'schedule':
      return `tick ${trigger.tick} of ${repository}: ${pipeline}`;
    case 'manual':
      return `${trigger.actor} asked in ${repository}: ${pipeline}`;
    case 'rerun':
      return `${trigger.actor} asked in ${repository} for ${pipeline} again`;
    case 'backfill':
      return `backfill ${trigger.backfill} of ${logicalDate} in ${repository}: ${pipeline}`;
    case 'pipeline':
      return `end of ${trigger.upstream}: ${pipeline}`;
    case 'data':
      return `data ${trigger.events.map(({ id }) => id).join()} in ${repository}: ${pipeline}`;
    default:
      return unreachable(trigger);
  }
}
