/** Reads what the page of a run shows: the run, its report, the failure's lines, the tail of a log. */
import { noticesOf, type NoticeState } from '../../conductor/reports/notices-of.ts';
import { readRun } from '../../conductor/read.ts';
import { reportRun } from '../../conductor/reports/report-writes.ts';
import { reportOf } from '../../conductor/reports/report.ts';
import { turnText } from '../../conductor/waits/turn-text.ts';
import { stepWaits } from '../../conductor/waits/step-waits.ts';
import { approvalsAwaited, hasLookLog } from '../../engine/engine.ts';
import type { StepState, Trigger } from '../../engine/event.ts';
import { finalStepStates, type Run, type Step } from '../../engine/run.ts';
import { attemptId } from '../../executor/executor.ts';
import type { EvaluationRow, Journal, OutboxRow, RunRow } from '../../journal/journal.ts';
import { logLimits, removedText } from '../../outputs/outputs.ts';
import {
  firstErrorLine,
  headOf,
  logKeyOf,
  panelOf,
  select,
  stepsText,
  stepViewOf,
  viewLimits,
  type FailureView,
  type ForgeLinks,
  type LogTail,
  type PanelView,
  type RunChain,
  type RunLink,
  type RunView,
  type UndeliveredView,
  type Selected,
  type Selection,
} from '../../ui/ui.ts';
import type { ServerPorts } from '../ports.ts';
import { Graphs } from './graphs.ts';
import { followingOf } from './run-following.ts';

/** A view, and whether anything may still change it. */
export interface RunReading {
  readonly view: RunView;
  readonly settled: boolean;
}

const failureLinesKeptMax = 500;

export class RunReader {
  readonly #ports: ServerPorts;
  readonly #graphs = new Graphs();
  /** Several streams of one run share its reading. */
  readonly #reading = new Map<string, Promise<Folded | null>>();
  readonly #failureLines = new Map<string, Pick<FailureView, 'line' | 'lines'>>();

  constructor(ports: ServerPorts) {
    this.#ports = ports;
  }

  async read(runId: string, selection: Selection): Promise<RunReading | null> {
    const folded = await this.#fold(runId);
    if (folded === null) return null;
    const { run, number, evaluations, chain, notices, reports, turn } = folded;
    const report = reportOf(run, number, null, evaluations);
    const selected = select(run, selection);
    const view: RunView = {
      position: run.position,
      now: this.#ports.clock.now(),
      head: headOf(run, number, turn ?? report.summary, linksOf(this.#ports, run.opened.repository), chain),
      challenges: report.challenges,
      gates: report.gates,
      notices,
      undelivered: undeliveredOf(reports),
      approvals: approvalsAwaited(run),
      failure: await this.#failureOf(run),
      steps: [...run.steps.values()].map((step) => this.#stepOf(run, step)),
      graph: await this.#graphs.of(run.opened.digest, run.definition),
      panel: selected === null ? null : this.#panelOf(run, selected),
    };
    return {
      view,
      settled:
        run.finishedAt !== null &&
        evaluations.every((row) => isSettled(row)) &&
        [...notices, ...reports].every(({ dueAt }) => dueAt === null),
    };
  }

  /** One that waits outside, or is ready and has not failed before, says what it waits for. */
  #stepOf(run: Run, step: Step): RunView['steps'][number] {
    const view = stepViewOf(step);
    const waits = step.state === 'deferred' || (step.state === 'scheduled' && view.message === null);
    return waits ? { ...view, message: this.#waits(run, step, null) ?? view.message } : view;
  }

  #panelOf(run: Run, selected: Selected): PanelView {
    const panel = panelOf(selected);
    return { ...panel, reason: this.#waits(run, selected.step, panel.index) ?? panel.reason };
  }

  #waits(run: Run, step: Step, index: number | null): string | null {
    const { conductor, clock } = this.#ports;
    return stepWaits(run, step, index, conductor, clock.now());
  }

  /** The last lines of the log that the view's panel stands for. */
  async tail(view: RunView): Promise<LogTail | null> {
    const { panel } = view;
    if (panel === null || panel.attempt === null) return null;
    const key = logKeyOf(panel.step, panel.index, panel.attempt);
    const id = attemptId(view.head.id, { step: panel.step, index: panel.index, attempt: panel.attempt });
    const { total, closed } = await this.#ports.logs.read(id, 1, 0);
    const { lines } = await this.#ports.logs.read(id, total - viewLimits.logTailLines + 1, total);
    const isEnd = isClosed(closed, panel.kind, panel.state);
    return { key, lines: lines.map(cutLine), total, closed: isEnd, removed: this.removed(view.head.finishedAt) };
  }

  /** What became of a log of which nothing is here, of a run that ended then; null: its age is not why. */
  removed(finishedAt: number | null): string | null {
    const { logsKeptMs = null, clock } = this.#ports;
    return removedText(finishedAt, logsKeptMs, clock.now());
  }

  /** Number of the line at which a reader of a failed attempt wants to be. */
  async errorLine(key: string): Promise<number | null> {
    return (await this.#linesOfFailure(key)).line;
  }

  #fold(runId: string): Promise<Folded | null> {
    const present = this.#reading.get(runId);
    if (present !== undefined) return present;
    const reading = fold(this.#ports, runId).finally(() => this.#reading.delete(runId));
    this.#reading.set(runId, reading);
    return reading;
  }

  async #failureOf(run: Run): Promise<FailureView | null> {
    const step = [...run.steps.values()].find((each) => each.state === 'failed' && each.reusedFrom === null);
    const instance = step?.instances?.find((each) => each.state === 'failed');
    if (step === undefined || instance === undefined) return null;
    const { name, work } = step.definition;
    const attempt = instance.attempts.at(-1);
    const number = attempt?.number ?? (hasLookLog(work, instance) ? 1 : null);
    if (number === null) return null;
    const failed = attempt?.outcome?.kind === 'failed' ? attempt.outcome : null;
    const key = attemptId(run.opened.runId, { step: name, index: instance.index, attempt: number });
    return {
      step: name,
      index: instance.index,
      attempt: number,
      mapped: step.definition.map !== null,
      cause: failed?.cause ?? instance.wait?.failure?.cause ?? null,
      message: failed?.message ?? instance.reason ?? step.reason ?? 'It failed.',
      ...(await this.#linesOfFailure(key)),
    };
  }

  async #linesOfFailure(key: string): Promise<Pick<FailureView, 'line' | 'lines'>> {
    const kept = this.#failureLines.get(key);
    if (kept !== undefined) return kept;
    const first = await this.#ports.logs.read(key, 1, logLimits.pageLinesMax);
    const { total, closed } = first;
    const last =
      total > logLimits.pageLinesMax
        ? await this.#ports.logs.read(key, total - logLimits.pageLinesMax + 1, total)
        : null;
    // An annotation anywhere in the beginning is better than a word at the end.
    const annotated = first.lines.find((line) => line.text.startsWith('::error')) ?? null;
    const error = annotated ?? firstErrorLine(last?.lines ?? first.lines);
    const from = (error?.number ?? 0) - viewLimits.failureLinesBefore;
    const around =
      error === null
        ? []
        : (await this.#ports.logs.read(key, Math.max(1, from), error.number + viewLimits.failureLinesAfter)).lines;
    const found = { line: error?.number ?? null, lines: around.map(cutLine) };
    if (closed) {
      const [oldest] = this.#failureLines.keys();
      if (this.#failureLines.size >= failureLinesKeptMax && oldest !== undefined) this.#failureLines.delete(oldest);
      this.#failureLines.set(key, found);
    }
    return found;
  }
}

interface Folded {
  readonly run: Run;
  readonly number: number;
  readonly evaluations: readonly EvaluationRow[];
  readonly chain: RunChain;
  readonly notices: readonly NoticeState[];
  readonly reports: readonly OutboxRow[];
  /** Which runs it waits for before it begins, in words; null: none. */
  readonly turn: string | null;
}

async function fold({ journal }: ServerPorts, runId: string): Promise<Folded | null> {
  const [run, row, evaluations, notices, later] = await Promise.all([
    readRun(journal, runId),
    journal.run(runId),
    journal.evaluations({ runId, limit: 100 }),
    noticesOf(journal, runId),
    journal.runs({ rerunOf: runId, limit: viewLimits.laterRunsMax }),
  ]);
  if (run === null || row === null) return null;
  const { trigger } = run.opened;
  const earlier = trigger.kind === 'rerun' ? await journal.run(trigger.of) : null;
  const chain = {
    earlier: earlier === null ? null : linkTo(earlier, trigger),
    later: later.map((again) => linkTo(again, again.opened.trigger)),
    ...(await followingOf(journal, run)),
  };
  const turn = run.begunAt === null ? await turnText(journal, run.opened) : null;
  const reports = await reportsOf(journal, run);
  return {
    run,
    number: row.number,
    evaluations,
    chain,
    notices,
    reports,
    turn: turn === null ? null : `It ${turn}`,
  };
}

/** A newer run of the same commit, or of the same pull request, takes the place of its reports. */
async function reportsOf(journal: Journal, { opened }: Run): Promise<readonly OutboxRow[]> {
  const keys = reportRun(opened, 0, 0).flatMap((row) => (row.write === 'outbox' ? [row.key] : []));
  const rows = await Promise.all(keys.map((key) => journal.outboxRow(key)));
  return rows.flatMap((row) => (row?.body['runId'] === opened.runId ? [row] : []));
}

function undeliveredOf(reports: readonly OutboxRow[]): readonly UndeliveredView[] {
  const failed = reports.flatMap((row) => (row.error === null ? [] : [{ ...row, error: row.error }]));
  return [...Map.groupBy(failed, ({ error }) => error)].map(([error, alike]) => {
    const due = alike.flatMap(({ dueAt }) => dueAt ?? []);
    return {
      reports: reportKinds.filter((kind) => alike.some((row) => row.kind === kind)),
      error,
      dueAt: due.length === 0 ? null : Math.min(...due),
    };
  });
}

const reportKinds = ['status', 'check', 'comment'] as const;

function linkTo({ id, number }: RunRow, trigger: Trigger): RunLink {
  return { id, number, steps: stepsText(trigger.kind === 'rerun' ? trigger.steps : 'all') };
}

/** Whether the decision on it is taken, or waits for a person or a merge. */
function isSettled(row: EvaluationRow): boolean {
  if (row.state === 'promoted' || row.state === 'refused') return true;
  return (
    row.state === 'reported' &&
    (row.reason !== null || row.policy === 'never' || row.policy === 'on-approval' || row.pullRequest !== null)
  );
}

export function linksOf(ports: ServerPorts, repository: string): ForgeLinks {
  const forge = ports.projects.get(repository)?.forge;
  return {
    commitUrl: (sha) => forge?.commitUrl(sha) ?? null,
    pullRequestUrl: (number) => forge?.pullRequestUrl(number) ?? null,
  };
}

/** Between two looks their log is closed, and goes on while they are not over. */
export function isClosed(closed: boolean, kind: PanelView['kind'], state: StepState): boolean {
  return closed && (kind !== 'wait' || finalStepStates.has(state));
}

export function cutLine<Line extends { readonly text: string }>(line: Line): Line {
  return line.text.length <= viewLimits.logTailCharactersMax
    ? line
    : { ...line, text: `${line.text.slice(0, viewLimits.logTailCharactersMax)} …` };
}
