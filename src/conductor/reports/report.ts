/** A run as its report: the state in one word, the outcome in one sentence, steps, gates and verdicts. */
import { approvalsAwaited, type AwaitedApproval } from '../../engine/engine.ts';
import { firstTriggerOf, type AttemptOutcome, type StepState } from '../../engine/event.ts';
import type { Run, Step } from '../../engine/run.ts';
import { attemptId } from '../../executor/executor.ts';
import type { ReportState, RunReport } from '../../forge/forge.ts';
import type { EvaluationRow } from '../../journal/journal.ts';
import { formatDuration } from '../../std/duration.ts';
import { unreachable } from '../../std/unreachable.ts';
import { challengesOf, gatesOf, type ChallengeResult, type GateResult } from './challenge-result.ts';
import { outcomeOf } from './outcome.ts';

export function reportOf(
  run: Run,
  number: number,
  url: string | null,
  evaluations: readonly EvaluationRow[],
): RunReport {
  const { opened } = run;
  return {
    pipeline: opened.pipeline,
    sha: opened.sha,
    runId: opened.runId,
    runNumber: number,
    isAsked: isAsked(opened),
    url,
    state: reportState(run),
    summary: summaryOf(run, evaluations),
    startedAt: opened.at,
    finishedAt: run.finishedAt,
    steps: [...run.steps.values()].map((step) => ({
      name: step.definition.name,
      state: step.state,
      ...timing(step),
      message: messageOf(step),
      log: logOf(step, opened.runId),
    })),
    gates: gatesOf(run).map((gate) => ({
      step: gate.step,
      passed: gate.passed,
      path: gate.path,
      checks: gate.checks.map((check) => ({ ...check, limit: limitText(check) })),
    })),
    challenges: challengesOf(run).map((challenge) => ({
      step: challenge.step,
      model: challenge.work.model,
      verdict: challenge.verdict,
      championVersion: challenge.championVersion,
      next: nextText(
        run,
        challenge,
        evaluations.find((row) => row.step === challenge.step),
      ),
      awaitsApproval: evaluations.some((row) => row.step === challenge.step && awaitsApproval(row)),
    })),
    problems: [],
    mentions: [],
    baseSha: baseOf(opened),
    change: null,
  };
}

function baseOf({ trigger }: Run['opened']): string | null {
  const first = firstTriggerOf(trigger);
  return first.kind === 'pull-request' ? first.baseSha : null;
}

function isAsked({ trigger }: Run['opened']): boolean {
  const { kind } = firstTriggerOf(trigger);
  return trigger.kind === 'rerun' || kind === 'push' || kind === 'pull-request' || kind === 'manual';
}

function reportState(run: Run): ReportState {
  const outcome = outcomeOf(
    run.state,
    challengesOf(run).map(({ verdict }) => verdict),
  );
  switch (outcome) {
    case 'running':
      return approvalsAwaited(run).length > 0 ? 'waiting' : 'running';
    case 'cancelling':
      return 'running';
    case 'success':
      return 'success';
    // A model that is proved worse, or too bad to be used, is not something to merge: it shows red.
    case 'refused':
    case 'failed':
      return 'failure';
    case 'cancelled':
      return 'cancelled';
    default:
      return unreachable(outcome);
  }
}

function summaryOf(run: Run, evaluations: readonly EvaluationRow[]): string {
  if (run.finishedAt === null) {
    const [asked] = approvalsAwaited(run);
    if (asked !== undefined) return asked.message === null ? awaits(asked) : `${awaits(asked)}: ${asked.message}`;
    const done = [...run.steps.values()].filter((step) => step.state === 'success').length;
    const word = run.state === 'cancelling' ? 'Ending' : run.deadlineMissed ? 'Late' : 'Running';
    return `${word}: ${done} of ${run.steps.size} steps done`;
  }
  if (run.state !== 'success') return run.reason ?? `The run was ${run.state}`;
  const [challenge] = challengesOf(run);
  if (challenge === undefined) return `All steps ended well in ${formatDuration(run.finishedAt - run.opened.at)}`;
  const promoted = evaluations.find((row) => row.state === 'promoted');
  const prefix = promoted === undefined ? '' : `Champion v${promoted.version}: `;
  return `${prefix}${challenge.verdict.reason}`;
}

/** What happens with the challenger now, for a reader of the pull request, who has read the verdict already. */
function nextText(run: Run, challenge: ChallengeResult, evaluation: EvaluationRow | undefined): string {
  if (evaluation === undefined) return 'Nothing is decided before the run has ended.';
  switch (evaluation.state) {
    case 'promoted':
      return `It is champion now, as version ${evaluation.version}.`;
    case 'promoting':
      return evaluation.reason === null
        ? 'It is being promoted.'
        : `It is to be promoted, which is tried again and again: ${evaluation.reason}.`;
    case 'refused':
      return refusedText(run, challenge, evaluation.reason);
    case 'reported':
      return waitingText(run, evaluation);
    default:
      return unreachable(evaluation.state);
  }
}

function refusedText(run: Run, { verdict, championVersion }: ChallengeResult, reason: string | null): string {
  if (run.state !== 'success') return `It is not promoted, because the run ${endedText(run)}.`;
  if (verdict.promotable) return `It is not promoted: ${reason ?? 'see the verdict'}`;
  return championVersion === null
    ? 'It is not promoted, and there is still no champion.'
    : `It is not promoted: version ${championVersion} stays champion.`;
}

function endedText({ state }: Run): string {
  return state === 'failed' ? state : `was ${state}`;
}

function waitingText(run: Run, evaluation: EvaluationRow): string {
  if (evaluation.policy === 'never') return 'The pipeline never promotes by itself.';
  const { kind } = firstTriggerOf(run.opened.trigger);
  if (awaitsApproval(evaluation))
    return kind === 'pull-request'
      ? 'It becomes champion when this pull request is merged and somebody approves it then.'
      : 'It becomes champion when somebody approves it.';
  if (kind === 'pull-request') return 'It becomes champion when this pull request is merged, and not before.';
  return evaluation.reason ?? 'It is not promoted from this branch.';
}

/** Whether a person's word makes it champion, and nothing else does. */
export function awaitsApproval({ state, policy }: Pick<EvaluationRow, 'state' | 'policy'>): boolean {
  return state === 'reported' && policy === 'on-approval';
}

function timing(step: Step): { durationMs: number | null } {
  const attempts = (step.instances ?? []).flatMap((instance) => instance.attempts);
  const starts = attempts.map((attempt) => attempt.runningAt ?? attempt.startedAt);
  const ends = attempts.flatMap((attempt) => attempt.finishedAt ?? []);
  if (starts.length === 0 || ends.length < attempts.length) return { durationMs: null };
  return { durationMs: Math.max(...ends) - Math.min(...starts) };
}

const quietStates: ReadonlySet<StepState> = new Set(['success', 'none', 'scheduled', 'queued', 'running']);

function awaits({ step }: AwaitedApproval): string {
  return `Waiting for the approval of "${step}"`;
}

function messageOf(step: Step): string | null {
  const asked = step.instances?.[0]?.approval ?? null;
  if (step.state === 'deferred' && asked !== null) return asked.message ?? 'waits for a decision';
  if (quietStates.has(step.state)) return null;
  const failed = (step.instances ?? [])
    .map((instance) => outcomeMessage(instance.attempts.at(-1)?.outcome ?? null))
    .find((text) => text !== null);
  return failed ?? step.reason;
}

/** Of the same attempt as its message. */
function logOf({ definition, state, instances }: Step, runId: string): string | null {
  if (state !== 'failed') return null;
  for (const { index, attempts } of instances ?? []) {
    const last = attempts.at(-1);
    if (last?.outcome?.kind === 'failed')
      return attemptId(runId, { step: definition.name, index, attempt: last.number });
  }
  return null;
}

function outcomeMessage(outcome: AttemptOutcome | null): string | null {
  return outcome?.kind === 'failed' ? outcome.message : null;
}

/** What is counted only because there should be none of it. */
const faultChecks: ReadonlySet<string> = new Set(['columns', 'unique']);

function limitText({ check, min, max }: GateResult['checks'][number]): string {
  if (faultChecks.has(check) && max === 0) return 'none allowed';
  if (min !== null && max !== null) return `${min} to ${max}`;
  if (min !== null) return `at least ${min}`;
  if (max !== null) return `at most ${max}`;
  return '';
}
