/** The API of the server beside this command, as far as commands use it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Telling } from '../conductor/runs/told.ts';
import type { Config } from '../config/config.ts';
import type { CancelRequest, DecideRequest } from '../engine/request.ts';
import { dataEventStates, type Reprocess } from '../journal/journal.ts';
import { problemCodes } from '../std/problem-codes.ts';
import { ProblemError, type Problem } from '../std/problem.ts';
import { actorName } from './actor.ts';
import { commandHelp } from './command-helps.ts';

export interface ServerClient {
  readonly url: string;
  /** Gives the run's id. Rejects with a `ProblemError`. */
  startRun(request: RunRequest): Promise<string>;
  /** Gives the id of the new run. Rejects with a `ProblemError`. */
  rerun(runId: string, request: RerunRequest): Promise<string>;
  /** Kept when it resolves. Rejects with a `ProblemError`. */
  promote(runId: string, model: string | null): Promise<void>;
  /** Kept when it resolves. Rejects with a `ProblemError`. */
  ask(runId: string, request: AskedOfRun): Promise<void>;
  /** Rejects with a `ProblemError`. */
  pools(): Promise<readonly PoolInUse[]>;
  /** What `startBackfill` would make now. Rejects with a `ProblemError`. */
  planBackfill(request: BackfillRequest): Promise<BackfillPlan>;
  /** Kept when it resolves, with the backfill's id. Rejects with a `ProblemError`. */
  startBackfill(request: BackfillRequest): Promise<string>;
  /** Kept when it resolves. Rejects with a `ProblemError`. */
  cancelBackfill(id: string, by: string): Promise<void>;
  /** Kept when it resolves. Rejects with a `ProblemError`. */
  tellData(telling: Telling): Promise<ToldData>;
}

export interface BackfillRequest {
  readonly id: string;
  readonly repository: string;
  readonly pipeline: string;
  readonly revision: string;
  /** `YYYY-MM-DD`, both included. */
  readonly from: string;
  readonly to: string;
  readonly newestFirst: boolean;
  readonly maxActive: number;
  readonly reprocess: Reprocess;
  readonly by: string;
}

const poolsSchema = z.object({
  pools: z.array(z.object({ pool: z.string().nullable(), slots: z.number(), taken: z.number(), waiting: z.number() })),
});
/** Slots of the executor where `pool` is null; `waiting`: runs in line. */
export type PoolInUse = z.infer<typeof poolsSchema>['pools'][number];

/** What is asked of a run. */
export type AskedOfRun = CancelRequest | DecideRequest;

export interface RunRequest {
  readonly repository: string;
  readonly pipeline: string;
  readonly revision: string;
  /** `YYYY-MM-DD`; null: now. */
  readonly date: string | null;
  readonly parameters: Readonly<Record<string, string>>;
  readonly key: string;
}

export interface RerunRequest {
  readonly failed: boolean;
  /** Name of a step; null: not from one. */
  readonly from: string | null;
  readonly atHead: boolean;
  readonly key: string;
}

/** The server fetches the repository before it answers. */
const answerTimeoutMs = 180_000;

/** What to do where a run, or a re-run, is refused. */
export const runHelp =
  'A run is of a commit: commit what is new first. `contender check --ref HEAD` lists the pipelines of the last one.';
export const backfillHelp = '`contender next` lists the pipelines that have a schedule.';
export const rerunHelp = '`contender runs` lists the runs; `contender rerun --help` shows how to run one again.';

export const promoteHelp = 'The page of the run shows its verdicts, and what happens with each.';

const startedSchema = z.object({ id: z.string() });
const planSchema = z.object({
  sha: z.string(),
  intervals: z.array(z.object({ logicalDate: z.number(), intervalEnd: z.number(), skipped: z.string().nullable() })),
});
export type BackfillPlan = z.infer<typeof planSchema>;
const toldSchema = z.object({
  dataset: z.string(),
  digest: z.string().nullable(),
  at: z.number(),
  state: z.enum(dataEventStates),
});
type ToldData = z.infer<typeof toldSchema>;
const refusedSchema = z.object({
  error: z.string(),
  problem: z
    .object({
      code: z.string(),
      message: z.string(),
      where: z.object({ file: z.string(), line: z.number(), column: z.number() }).nullable(),
      help: z.string(),
    })
    .nullish(),
});

/** With the token of the environment, or the one that the server keeps in its folder. */
export async function connectServer(config: Config, url: string): Promise<ServerClient> {
  const token = config.server.apiToken ?? (await keptToken(config.stateDirectory));
  const ask = async (path: string, request: RequestInit): Promise<Response> => {
    try {
      return await fetch(new URL(path, url), {
        ...request,
        redirect: 'error',
        signal: AbortSignal.timeout(answerTimeoutMs),
      });
    } catch (error) {
      throw new ProblemError(unreachableServer(url, error));
    }
  };
  const send = (path: string, body: object): Promise<Response> =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  const answered = async <T>(path: string, body: object, schema: z.ZodType<T>, help: string): Promise<T> => {
    const response = await send(path, body);
    const answer: unknown = await response.json().catch(() => null);
    const parsed = schema.safeParse(answer);
    if (response.ok && parsed.success) return parsed.data;
    throw new ProblemError(refusal(url, response.status, answer, help));
  };
  const start = async (path: string, body: object, help: string): Promise<string> =>
    (await answered(path, body, startedSchema, help)).id;
  return {
    url,
    startRun: ({ date, ...request }) =>
      start('/api/v1/runs', { by: actorName(), ...request, ...(date === null ? {} : { date }) }, runHelp),
    rerun: (runId, { from, ...request }) =>
      start(
        `/api/v1/runs/${runId}/rerun`,
        { by: actorName(), ...request, ...(from === null ? {} : { from }) },
        rerunHelp,
      ),
    async promote(runId, model) {
      const body = { by: actorName(), ...(model === null ? {} : { model }) };
      await start(`/api/v1/runs/${runId}/promote`, body, promoteHelp);
    },
    async ask(runId, request) {
      const { by, reason } = request;
      await answered(pathOf(runId, request), { by, reason }, z.unknown(), runHelp);
    },
    planBackfill: (request) => answered('/api/v1/backfills', { ...request, dryRun: true }, planSchema, backfillHelp),
    startBackfill: (request) => start('/api/v1/backfills', request, backfillHelp),
    async cancelBackfill(id, by) {
      await start(`/api/v1/backfills/${id}/cancel`, { by }, backfillHelp);
    },
    tellData: ({ id: key, digest, at, ...telling }) =>
      answered(
        '/api/v1/events',
        { ...telling, key, at: new Date(at).toISOString(), ...(digest === null ? {} : { digest }) },
        toldSchema,
        runHelp,
      ),
    async pools() {
      const response = await ask('/api/v1/pools', {});
      const answer: unknown = await response.json().catch(() => null);
      const found = poolsSchema.safeParse(answer);
      if (response.ok && found.success) return found.data.pools;
      throw new ProblemError(refusal(url, response.status, answer, runHelp));
    },
  };
}

function pathOf(runId: string, request: AskedOfRun): string {
  if (request.type === 'cancel') return `/api/v1/runs/${runId}/cancel`;
  return `/api/v1/runs/${runId}/steps/${encodeURIComponent(request.step)}/${request.decision}`;
}

async function keptToken(directory: string): Promise<string> {
  return (await readFile(join(directory, 'api-token'), 'utf8').catch(() => '')).trim();
}

function unreachableServer(url: string, error: unknown): Problem {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  return {
    code: 'server-refused',
    message: `the server at ${url}, which holds this folder, does not answer: ${cause}`,
    where: null,
    help: 'Look at its log; it may be starting or stopping.',
  };
}

function refusal(url: string, status: number, answer: unknown, otherwise: string): Problem {
  const refused = refusedSchema.safeParse(answer);
  const said = refused.success ? (refused.data.problem?.message ?? refused.data.error) : `status ${status}`;
  const problem = refused.success ? refused.data.problem : null;
  const code = problemCodes.find((each) => each === problem?.code);
  return {
    code: code ?? (status === 422 ? 'run-refused' : 'server-refused'),
    message: `the server at ${url} said: ${said}`,
    where: problem?.where ?? null,
    help: commandHelp(code) ?? problem?.help ?? (status === 401 ? tokenHelp : otherwise),
  };
}

const tokenHelp = 'Set CONTENDER_API_TOKEN to the token that the server was given.';
