/**
 * Who becomes champion, and when. A run only reports; the decision is taken here, by the pipeline's policy:
 *
 *   on-merge, automatic   at the end of a run of the default branch, and of a pull request when it is merged into that: then
 *                         the very artifact that was evaluated
 *   on-approval           at the word of a person, by the same rules (approve-model.ts)
 *   never                 not at all
 *
 * An unmerged pull request never promotes, nor does a group of them in a merge queue, and a re-run never registers a model
 * that is a version already. A backfill never promotes either: it asks what would have been, of the same dates as often as
 * somebody likes, and no date may give a model a second version. The registry compares and sets: where the champion is no
 * longer the one that the challenger was compared with, the promotion is refused and the reason kept.
 */
import { firstTriggerOf, type FirstTrigger, type Trigger } from '../engine/event.ts';
import type { EvaluationRow, EvaluationState, Journal, OutboxRow, Write } from '../journal/journal.ts';
import { shaOf } from './sha.ts';
import { ArtifactDamagedError, type ArtifactStream } from '../outputs/outputs.ts';
import type { Promotion, RegistryError } from '../registry/registry.ts';
import type { JsonObject } from '../std/json.ts';
import { failure, success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';
import { promotionNotices } from './reports/notices.ts';
import { reportRun, settleLater } from './reports/report-writes.ts';
import type { Carried } from './reports/carried.ts';
import { mergeGroupOf } from './triggers/merge-group.ts';
import { isOnBranch } from './triggers/on-branch.ts';
import type { ConductorPorts, Project } from './ports.ts';

/** What the policy says of an evaluation now. */
type Decision =
  | { readonly decision: 'promote'; readonly by: string }
  /** Nothing more to do until something else happens: a merge, a person. */
  | { readonly decision: 'wait' }
  /** It will never be promoted. */
  | { readonly decision: 'refuse'; readonly reason: string }
  | { readonly decision: 'ask-again'; readonly message: string };

/** Outbox `settle`: decides on an evaluation that was reported. */
export async function settle(ports: ConductorPorts, row: OutboxRow): Promise<Carried> {
  const evaluation = await evaluationById(ports.journal, row);
  if (evaluation === null || evaluation.state !== 'reported') return { done: [] };
  const project = ports.projects.get(evaluation.repository);
  if (project === undefined) return { givenUp: notConfigured(evaluation) };
  const run = await ports.journal.run(evaluation.runId);
  if (run === null) return { done: [] };
  const decided = await decide(project, evaluation, run.opened.trigger);
  const at = ports.clock.now();
  switch (decided.decision) {
    case 'ask-again':
      return { retry: decided.message, retryAt: null };
    case 'wait':
      return { done: [] };
    case 'refuse':
      return { done: [...refused(evaluation, 'reported', decided.reason, at), ...reportRun(run.opened, at, 0)] };
    case 'promote':
      return { done: promotionWrites(evaluation, decided.by, at) };
    default:
      return unreachable(decided);
  }
}

/** From now on it is being promoted; see `promote`. */
export function promotionWrites(evaluation: EvaluationRow, by: string, at: number): readonly Write[] {
  const { id: evaluationId, repository } = evaluation;
  const [key, body] = [`promote:${evaluationId}`, { evaluationId, repository, by }];
  return [
    moved(evaluation, { from: 'reported', to: 'promoting', reason: null, version: null }, at),
    { write: 'outbox', key, kind: 'promote', body, at, dueAt: at },
  ];
}

function moved(
  { id }: EvaluationRow,
  change: Pick<Extract<Write, { write: 'evaluation-state' }>, 'from' | 'to' | 'reason' | 'version'>,
  at: number,
): Write {
  return { write: 'evaluation-state', id, ...change, at };
}

function refused(evaluation: EvaluationRow, from: EvaluationState, reason: string, at: number): readonly Write[] {
  return [moved(evaluation, { from, to: 'refused', reason, version: null }, at)];
}

function notConfigured(evaluation: EvaluationRow): string {
  return `the repository ${evaluation.repository} is no longer in the configuration`;
}

/** Other policies leave the decision to a person, or to nobody. */
function decidesItself({ policy }: EvaluationRow): boolean {
  return policy === 'automatic' || policy === 'on-merge';
}

/** A re-run is for what the first run was for. */
async function decide(project: Project, evaluation: EvaluationRow, trigger: Trigger): Promise<Decision> {
  if (!decidesItself(evaluation)) return { decision: 'wait' };
  const decided = await decideFirst(project, evaluation, firstTriggerOf(trigger));
  return decided.decision === 'promote' && trigger.kind === 'rerun'
    ? { ...decided, by: `${decided.by}, run again for ${trigger.actor}` }
    : decided;
}

/** What becomes of it, whoever asks, by where its commit is. */
export async function decideFirst(
  project: Project,
  evaluation: EvaluationRow,
  trigger: FirstTrigger,
): Promise<Decision> {
  switch (trigger.kind) {
    case 'pull-request':
      return decidePullRequest(project, evaluation, trigger.number);
    case 'schedule':
      return { decision: 'promote', by: 'the schedule' };
    case 'push':
      if (mergeGroupOf(trigger.branch) !== null)
        return { decision: 'refuse', reason: 'A merge queue evaluates and never promotes.' };
      return decideCommit(project, evaluation, `push to ${trigger.branch} by ${trigger.actor}`);
    case 'backfill':
      return { decision: 'refuse', reason: 'A backfill evaluates and never promotes.' };
    case 'manual':
      return decideCommit(project, evaluation, `a run started by ${trigger.actor}`);
    case 'pipeline':
      return decideCommit(project, evaluation, `a run after ${trigger.pipeline} on ${trigger.branch}`);
    case 'data':
      return { decision: 'promote', by: 'new data' };
    default:
      return unreachable(trigger);
  }
}

/** What the default branch holds has nothing left to merge. Any other commit runs again when it has come there. */
async function decideCommit(project: Project, evaluation: EvaluationRow, by: string): Promise<Decision> {
  const branch = await project.git.defaultBranch();
  if (!branch.ok) return { decision: 'ask-again', message: branch.error.message };
  const sha = shaOf(evaluation.sha);
  if (sha === null) return { decision: 'ask-again', message: 'not a SHA' };
  const merged = await isOnBranch(project.git, branch.value, sha);
  if (!merged.ok) return { decision: 'ask-again', message: merged.error };
  if (merged.value) return { decision: 'promote', by };
  return { decision: 'refuse', reason: `Only commits of ${branch.value} promote, and this one is not merged.` };
}

async function decidePullRequest(project: Project, evaluation: EvaluationRow, number: number): Promise<Decision> {
  const pullRequest = await project.forge.pullRequest(number);
  if (!pullRequest.ok) return { decision: 'ask-again', message: pullRequest.error.message };
  const { merged, headSha, baseBranch, author } = pullRequest.value;
  if (!merged) return { decision: 'wait' };
  if (headSha !== evaluation.sha)
    return { decision: 'refuse', reason: `Another commit was merged: ${headSha.slice(0, 7)}.` };
  const branch = await project.git.defaultBranch();
  if (!branch.ok) return { decision: 'ask-again', message: branch.error.message };
  if (baseBranch !== branch.value)
    return {
      decision: 'refuse',
      reason: `Only what is merged into ${branch.value} promotes, and #${number} was merged into ${baseBranch}.`,
    };
  return { decision: 'promote', by: `merge of #${number} by ${author}` };
}

/** Outbox `promote`: asks the registry, and keeps its answer. */
export async function promote(ports: ConductorPorts, row: OutboxRow): Promise<Carried> {
  const evaluation = await evaluationById(ports.journal, row);
  if (evaluation === null || evaluation.state !== 'promoting') return { done: [] };
  const project = ports.projects.get(evaluation.repository);
  if (project === undefined) return { givenUp: notConfigured(evaluation) };
  const run = await ports.journal.run(evaluation.runId);
  if (run === null) return { done: [] };
  const at = ports.clock.now();
  const by = textOf(row.body['by']);
  const twin = await registeredBefore(project, evaluation, run.opened.trigger);
  if (!twin.ok) return { retry: twin.error, retryAt: null };
  if (twin.value !== null)
    return { done: [...refused(evaluation, 'promoting', twin.value, at), ...reportRun(run.opened, at, 0)] };
  const report = reportRun(run.opened, at, 0);
  const lost = await lostBytes(ports, evaluation);
  if (lost !== null) {
    const told = await promotionNotices(ports, run.opened, evaluation.id, lost);
    return { done: [...refused(evaluation, 'promoting', lost, at), ...report, ...told] };
  }
  const promoted = await project.registry.promote(promotionOf(evaluation, run.opened.digest, by, at));
  if (promoted.ok) {
    const { version } = promoted.value;
    ports.log.info({ model: evaluation.model, version, run: evaluation.runId }, 'a champion was promoted');
    return {
      done: [moved(evaluation, { from: 'promoting', to: 'promoted', reason: by, version }, at), ...report],
    };
  }
  if (promoted.error.kind === 'denied') {
    const { message } = promoted.error;
    const isSaid = evaluation.reason !== null && evaluation.reason !== by;
    const writes = isSaid
      ? []
      : [
          moved(evaluation, { from: 'promoting', to: 'promoting', reason: message, version: null }, at),
          ...report,
          ...(await promotionNotices(ports, run.opened, `${evaluation.id}/denied`, message)),
        ];
    return { retry: message, retryAt: null, writes };
  }
  const refusal = refusalOf(promoted.error, evaluation);
  if (!refusal.ok) return { retry: refusal.error, retryAt: null };
  const told = await promotionNotices(ports, run.opened, evaluation.id, refusal.value);
  return { done: [...refused(evaluation, 'promoting', refusal.value, at), ...report, ...told] };
}

/**
 * That the very same model is a version already, as a sentence, or null: of a re-run any version counts, else the
 * champion. A run's own version is no obstacle: its promotion is asked for again where no answer came. The error is worth
 * another try.
 */
async function registeredBefore(
  project: Project,
  { model, artifact, runId }: EvaluationRow,
  trigger: Trigger,
): Promise<Result<string | null, string>> {
  const pointer = await project.registry.model(model);
  if (!pointer.ok) return failure(pointer.error.message);
  const champion = pointer.value?.aliases.champion ?? null;
  const twin = pointer.value?.versions.find(
    (version) =>
      version.artifact.$artifact === artifact.$artifact &&
      (trigger.kind === 'rerun' || version.version === champion) &&
      version.evidence.runId !== runId,
  );
  if (twin === undefined) return success(null);
  return success(`this very model is version ${twin.version} already, from run ${twin.evidence.runId}.`);
}

/**
 * A champion whose bytes are gone, or are not those that were evaluated, could neither be used nor be compared with again:
 * why it is none, or null. Rejects where they cannot be read now.
 */
async function lostBytes(
  { artifacts }: ConductorPorts,
  { artifact, predictions }: EvaluationRow,
): Promise<string | null> {
  for (const { name, $artifact } of [artifact, ...(predictions === null ? [] : [predictions])]) {
    const found = await artifacts.openVerified($artifact);
    const lack = found === null ? 'is no longer in the artifact store' : await damageOf(found);
    if (lack !== null) return `${name} (${$artifact.slice(0, 12)}) ${lack}: run it again.`;
  }
  return null;
}

async function damageOf({ content }: ArtifactStream): Promise<string | null> {
  try {
    for await (const _bytes of content);
    return null;
  } catch (error) {
    if (error instanceof ArtifactDamagedError) return 'is damaged in the artifact store';
    throw error;
  }
}

/** Why a promotion is refused for good; the error is worth another try. */
function refusalOf(
  error: Exclude<RegistryError, { readonly kind: 'denied' }>,
  evaluation: EvaluationRow,
): Result<string, string> {
  switch (error.kind) {
    case 'unreachable':
      return failure(error.message);
    case 'champion-changed':
      return success(
        `it was compared with ${versionName(evaluation.championVersion)}, but the champion is ${versionName(error.actual)} now: evaluate it again`,
      );
    case 'held':
    case 'invalid':
      return success(error.message);
    default:
      return unreachable(error);
  }
}

function versionName(version: number | null): string {
  return version === null ? 'no champion' : `v${version}`;
}

function promotionOf(evaluation: EvaluationRow, digest: string, by: string, at: number): Promotion {
  return {
    decision: evaluation.id,
    model: evaluation.model,
    artifact: evaluation.artifact,
    predictions: evaluation.predictions,
    expectedChampion: evaluation.championVersion,
    evidence: {
      repository: evaluation.repository,
      pipeline: evaluation.pipeline,
      runId: evaluation.runId,
      sha: evaluation.sha,
      digest,
      verdict: evaluation.verdict as JsonObject,
      comparedWith: evaluation.championVersion,
      decidedBy: by,
    },
    at,
  };
}

async function evaluationById(journal: Journal, row: OutboxRow): Promise<EvaluationRow | null> {
  const [found] = await journal.evaluations({ id: textOf(row.body['evaluationId']), limit: 1 });
  return found ?? null;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** After a merge: the evaluations of the pull request are decided on (again). */
export async function settleMerged(
  ports: ConductorPorts,
  repository: string,
  pullRequest: number,
): Promise<readonly Write[]> {
  const undecided = await ports.journal.evaluations({ repository, pullRequest, state: 'reported', limit: 200 });
  const at = ports.clock.now();
  return undecided.filter(decidesItself).map((row) => settleLater(row, at));
}
