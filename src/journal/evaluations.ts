/** Challenges of champions and what became of them: a decision is a compare-and-set of the state. */
import type { Artifact, PromotionPolicy } from '../pipeline/definition.ts';
import type { Json } from '../std/json.ts';
import type { Query, RawRow, Step, Value } from './driver.ts';
import { journalLimits, type EvaluationRow, type EvaluationState, type Journal, type Write } from './journal.ts';
import * as parse from './parse.ts';

const evaluationStates: readonly EvaluationState[] = ['reported', 'promoting', 'promoted', 'refused'];

const columns = `id, run_id, step, repository, pipeline, model, sha, pull_request, branch, policy, verdict, promotable,
  artifact, predictions, champion_version, state, reason, version, at`;

function evaluationRow(row: RawRow): EvaluationRow {
  return {
    id: parse.text(row, 'id'),
    runId: parse.text(row, 'run_id'),
    step: parse.text(row, 'step'),
    repository: parse.text(row, 'repository'),
    pipeline: parse.text(row, 'pipeline'),
    model: parse.text(row, 'model'),
    sha: parse.text(row, 'sha'),
    pullRequest: parse.integerOrNull(row, 'pull_request'),
    branch: parse.text(row, 'branch'),
    policy: parse.json<PromotionPolicy>(row, 'policy'),
    verdict: parse.json<Json>(row, 'verdict'),
    promotable: parse.flag(row, 'promotable'),
    artifact: parse.json<Artifact>(row, 'artifact'),
    predictions: parse.jsonOrNull<Artifact>(row, 'predictions'),
    championVersion: parse.integerOrNull(row, 'champion_version'),
    state: parse.word(row, 'state', evaluationStates),
    reason: parse.textOrNull(row, 'reason'),
    version: parse.integerOrNull(row, 'version'),
    at: parse.integer(row, 'at'),
  };
}

export function evaluationPage(filter: Parameters<Journal['evaluations']>[0]): Query<EvaluationRow> {
  const conditions: string[] = [];
  const values: Value[] = [];
  const where = (column: string, value: Value | undefined): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(`${column} = $${values.length}`);
  };
  where('id', filter.id);
  where('run_id', filter.runId);
  where('sha', filter.sha);
  where('model', filter.model);
  where('pull_request', filter.pullRequest);
  where('repository', filter.repository);
  // As a value it would be planned anew each time, for the index of one state.
  if (filter.state !== undefined) conditions.push(`state = '${filter.state}'`);
  values.push(Math.min(filter.limit, journalLimits.pageMax));
  const condition = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
  return {
    text: `select ${columns} from evaluation ${condition} order by at desc, id desc limit $${values.length}`,
    values,
    parse: evaluationRow,
  };
}

export function neededEvaluations(after: string, limit: number): Query<EvaluationRow> {
  return {
    text: `select ${columns} from evaluation where id > $1 and state <> 'refused' order by id limit $2`,
    values: [after, Math.min(limit, journalLimits.pageMax)],
    parse: evaluationRow,
  };
}

/** The condition is that of the index. */
export function undecidedPullRequests(repository: string, limit: number): Query<number> {
  return {
    text: `
      select distinct pull_request from evaluation
      where repository = $1 and state = 'reported' and pull_request is not null and policy in ('"automatic"', '"on-merge"')
      order by pull_request desc limit $2`,
    values: [repository, limit],
    parse: (row) => parse.integer(row, 'pull_request'),
  };
}

/** The ids are filled up to a power of two, so that few different texts are prepared. */
export function unpromotableOf(runIds: readonly string[]): Query<{ readonly runId: string; readonly verdict: Json }> {
  const wanted = runIds.slice(0, journalLimits.pageMax);
  const places = Array.from({ length: 2 ** Math.ceil(Math.log2(wanted.length)) }, (_, at) => `$${at + 1}`);
  return {
    text: `select run_id, verdict from evaluation where run_id in (${places.join(', ')}) and promotable = 0`,
    values: places.map((_, at) => wanted[at] ?? ''),
    parse: (row) => ({ runId: parse.text(row, 'run_id'), verdict: parse.json<Json>(row, 'verdict') }),
  };
}

/** A second time changes nothing. */
export function putEvaluation({ evaluation: row }: Extract<Write, { write: 'evaluation' }>): Step[] {
  return [
    {
      text: `
        insert into evaluation (${columns})
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        on conflict (id) do nothing`,
      values: valuesOf(row),
      otherwise: null,
    },
  ];
}

/** A second time finds another state and is `changed`. */
export function setEvaluationState(write: Extract<Write, { write: 'evaluation-state' }>): Step[] {
  return [
    {
      text: `
        update evaluation set state = $3, reason = $4, version = $5, decided_at = $6
        where id = $1 and state = $2 returning id`,
      values: [write.id, write.from, write.to, write.reason, write.version, write.at],
      otherwise: 'changed',
    },
  ];
}

/** In the order of `columns`. */
function valuesOf(row: EvaluationRow): Value[] {
  const place = [row.id, row.runId, row.step, row.repository, row.pipeline, row.model, row.sha, row.pullRequest];
  const policy = JSON.stringify(row.policy);
  const verdict = JSON.stringify(row.verdict);
  const artifact = JSON.stringify(row.artifact);
  const predictions = row.predictions === null ? null : JSON.stringify(row.predictions);
  const result = [policy, verdict, row.promotable ? 1 : 0, artifact, predictions, row.championVersion];
  return [...place, row.branch, ...result, row.state, row.reason, row.version, row.at];
}
