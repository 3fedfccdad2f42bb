/** Endpoints about what is said of a commit: statuses, check runs, pull requests. */
import type { JsonObject } from '../../std/json.ts';
import * as bare from './bare.ts';
import { readCheckRun, refusalOfCheckRun } from './check-run.ts';
import {
  answer,
  field,
  notFound,
  page,
  refuse,
  unprocessable,
  type Answer,
  type Call,
  type Endpoint,
} from './endpoint.ts';
import type { Core } from './core.ts';
import { timestamp, type CheckRun, type Pull, type Status, type StatusState } from './world.ts';

const statuses = ['statuses'] as const;
const checks = ['checks'] as const;

export const commitEndpoints: readonly Endpoint[] = [
  {
    name: 'POST /repos/{owner}/{repo}/statuses/{sha}',
    need: { permissions: statuses, level: 'write' },
    handle: createStatus,
  },
  {
    name: 'GET /repos/{owner}/{repo}/commits/{ref}/statuses',
    need: { permissions: statuses, level: 'read' },
    handle: listStatuses,
  },
  {
    name: 'GET /repos/{owner}/{repo}/commits/{ref}/status',
    need: { permissions: statuses, level: 'read' },
    handle: getCombinedStatus,
  },
  {
    name: 'POST /repos/{owner}/{repo}/check-runs',
    need: { permissions: checks, level: 'write' },
    handle: createCheckRun,
  },
  {
    name: 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}',
    need: { permissions: checks, level: 'write' },
    handle: updateCheckRun,
  },
  {
    name: 'GET /repos/{owner}/{repo}/check-runs/{check_run_id}',
    need: { permissions: checks, level: 'read' },
    handle: getCheckRun,
  },
  {
    name: 'GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations',
    need: { permissions: checks, level: 'read' },
    handle: listAnnotations,
  },
  {
    name: 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
    need: { permissions: checks, level: 'read' },
    handle: listCheckRuns,
  },
  {
    name: 'GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls',
    need: { permissions: ['pull_requests'], level: 'read' },
    handle: listPullsOfCommit,
  },
];

const descriptionMax = 140;
const statusesPerContextMax = 1000;

async function createStatus(call: Call): Promise<Answer> {
  const { core, body, actor } = call;
  const sha = call.parameters['sha'] ?? '';
  if ((await knownCommit(core, sha)) === null)
    return refuse({ status: 422, message: `No commit found for SHA: ${sha}` });
  const description = field(body, 'description');
  const context = field(body, 'context') ?? 'default';
  const state = readState(body['state']);
  if (state === null) return unprocessable('Status', 'state', 'state is not included in the list');
  if (description !== null && description.length > descriptionMax)
    return unprocessable('Status', 'description', `description is too long (maximum is ${descriptionMax} characters)`);
  const before = core.world.statuses.filter((status) => status.sha === sha && sameContext(status.context, context));
  if (before.length >= statusesPerContextMax)
    return unprocessable('Status', 'base', 'This SHA and context has reached the maximum number of statuses.');
  const status: Status = {
    id: core.world.nextId(),
    sha,
    state,
    context,
    description,
    targetUrl: field(body, 'target_url'),
    creator: actor,
    createdAt: core.world.clock.now(),
  };
  core.world.statuses.push(status);
  return {
    ...answer(core.shapes.status(status), 201),
    headers: { location: `${core.shapes.addresses.repositoryApi}/statuses/${sha}` },
  };
}

function readState(value: unknown): StatusState | null {
  return value === 'error' || value === 'failure' || value === 'pending' || value === 'success' ? value : null;
}

function sameContext(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

async function knownCommit({ world }: Core, sha: string): Promise<string | null> {
  if (!/^[0-9a-f]{40}$/.test(sha)) return null;
  if (world.knownCommits.has(sha)) return sha;
  const found = await bare.resolveCommit(world.repository.directory, sha);
  if (found !== null) world.knownCommits.add(found);
  return found;
}

async function resolveRef({ core, parameters }: Call): Promise<string | null> {
  return bare.resolveCommit(core.world.repository.directory, parameters['ref'] ?? '');
}

async function listStatuses(call: Call): Promise<Answer> {
  const sha = await resolveRef(call);
  if (sha === null) return notFound;
  const found = call.core.world.statuses.filter((status) => status.sha === sha).toReversed();
  return page(
    call,
    found.map((status) => call.core.shapes.status(status)),
  );
}

async function getCombinedStatus(call: Call): Promise<Answer> {
  const { shapes, world } = call.core;
  const sha = await resolveRef(call);
  if (sha === null) return notFound;
  const latest = latestStatuses(world.statuses, sha);
  return page(
    call,
    latest.map((status) => shapes.simpleStatus(status)),
    (statuses) => ({
      state: combined(latest),
      statuses,
      sha,
      total_count: latest.length,
      repository: shapes.repository(world.repository),
      commit_url: `${shapes.addresses.repositoryApi}/commits/${sha}`,
      url: `${shapes.addresses.repositoryApi}/commits/${sha}/status`,
    }),
  );
}

/** The last word of each context. */
export function latestStatuses(statuses: readonly Status[], sha: string): readonly Status[] {
  const latest = new Map<string, Status>();
  for (const status of statuses) if (status.sha === sha) latest.set(status.context.toLowerCase(), status);
  return [...latest.values()];
}

function combined(statuses: readonly Status[]): StatusState {
  if (statuses.some(({ state }) => state === 'error' || state === 'failure')) return 'failure';
  return statuses.length === 0 || statuses.some(({ state }) => state === 'pending') ? 'pending' : 'success';
}

/** Check runs belong to an App; the token of a person never writes one. */
function withoutApp({ caller }: Call): Answer | null {
  return caller.kind === 'installation'
    ? null
    : refuse({ status: 403, message: 'You must authenticate via a GitHub App.' });
}

async function createCheckRun(call: Call): Promise<Answer> {
  const { core, body } = call;
  const refused = withoutApp(call) ?? refusalOfCheckRun(body);
  if (refused !== null) return refused;
  const sha = field(body, 'head_sha') ?? '';
  if ((await knownCommit(core, sha)) === null)
    return refuse({ status: 422, message: `No commit found for SHA: ${sha}` });
  const check: CheckRun = {
    id: core.world.nextId(),
    sha,
    name: field(body, 'name') ?? '',
    createdAt: core.world.clock.now(),
    status: 'queued',
    conclusion: null,
    startedAt: timestamp(core.world.clock.now()),
    completedAt: null,
    externalId: '',
    detailsUrl: `${core.places.web}/apps/${core.world.app?.slug ?? ''}`,
    title: null,
    summary: null,
    text: null,
    annotations: [],
    actions: [],
  };
  readCheckRun(check, body, core.world.clock.now());
  core.world.checkRuns.push(check);
  return answer(core.shapes.checkRun(check), 201);
}

function updateCheckRun(call: Call): Answer {
  const check = findCheckRun(call);
  if (check === null) return notFound;
  const refused = withoutApp(call) ?? refusalOfCheckRun(call.body);
  if (refused !== null) return refused;
  readCheckRun(check, call.body, call.core.world.clock.now());
  return answer(call.core.shapes.checkRun(check));
}

function findCheckRun({ core, parameters }: Call): CheckRun | null {
  return core.world.checkRuns.find((check) => String(check.id) === parameters['check_run_id']) ?? null;
}

function getCheckRun(call: Call): Answer {
  const check = findCheckRun(call);
  return check === null ? notFound : answer(call.core.shapes.checkRun(check));
}

function listAnnotations(call: Call): Answer {
  const check = findCheckRun(call);
  if (check === null) return notFound;
  const shaped = check.annotations.map((annotation): JsonObject => ({
    path: annotation.path,
    start_line: annotation.start_line,
    end_line: annotation.end_line,
    start_column: null,
    end_column: null,
    annotation_level: annotation.annotation_level,
    title: annotation.title ?? null,
    message: annotation.message,
    raw_details: annotation.raw_details ?? null,
    blob_href: `${call.core.shapes.addresses.repositoryApi}/contents/${annotation.path}?ref=${check.sha}`,
  }));
  return page(call, shaped);
}

async function listCheckRuns(call: Call): Promise<Answer> {
  const { core, query } = call;
  const sha = await resolveRef(call);
  if (sha === null) return refuse({ status: 422, message: `No commit found for SHA: ${call.parameters['ref'] ?? ''}` });
  const named = core.world.checkRuns.filter(
    (check) =>
      check.sha === sha &&
      (query['check_name'] === undefined || check.name === query['check_name']) &&
      (query['status'] === undefined || check.status === query['status']),
  );
  const found = query['filter'] === 'all' ? named : [...new Map(named.map((check) => [check.name, check])).values()];
  return page(
    call,
    found.toReversed().map((check) => core.shapes.checkRun(check)),
    (check_runs) => ({ total_count: found.length, check_runs }),
  );
}

async function listPullsOfCommit(call: Call): Promise<Answer> {
  const { core } = call;
  const sha = await knownCommit(core, call.parameters['commit_sha'] ?? '');
  if (sha === null)
    return refuse({ status: 422, message: `No commit found for SHA: ${call.parameters['commit_sha'] ?? ''}` });
  const found: JsonObject[] = [];
  for (const pull of core.world.pulls) if (await belongs(core, pull, sha)) found.push(core.shapes.pull(pull));
  return page(call, found);
}

/** Open ones have it among their commits; a merged one has it there too, or was merged by it. */
async function belongs(core: Core, pull: Pull, sha: string): Promise<boolean> {
  if (pull.state === 'closed' && !pull.merged) return false;
  if (pull.merged && pull.mergeSha === sha) return true;
  const directory = core.world.repository.directory;
  return (
    (await bare.isAncestor(directory, sha, pull.headSha)) && !(await bare.isAncestor(directory, sha, pull.baseSha))
  );
}
