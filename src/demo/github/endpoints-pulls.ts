/** Endpoints about pull requests and the comments on them. */
import type { JsonObject } from '../../std/json.ts';
import { addComment, deleteComment, editComment, react } from './comments.ts';
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
import { closePull, linesOf, mergePull, openPull, reopenPull, retargetPull } from './pulls.ts';
import type { Comment, Pull } from './world.ts';

const pulls = ['pull_requests'] as const;
const issues = ['issues', 'pull_requests'] as const;
const issue = '/repos/{owner}/{repo}/issues/{issue_number}';
const comment = '/repos/{owner}/{repo}/issues/comments/{comment_id}';
const pull = '/repos/{owner}/{repo}/pulls/{pull_number}';

export const pullEndpoints: readonly Endpoint[] = [
  { name: `GET ${issue}/comments`, need: { permissions: issues, level: 'read' }, handle: listComments },
  { name: `POST ${issue}/comments`, need: { permissions: issues, level: 'write' }, handle: createComment },
  { name: `GET ${comment}`, need: { permissions: issues, level: 'read' }, handle: getComment },
  { name: `PATCH ${comment}`, need: { permissions: issues, level: 'write' }, handle: updateComment },
  { name: `DELETE ${comment}`, need: { permissions: issues, level: 'write' }, handle: removeComment },
  { name: `GET ${comment}/reactions`, need: { permissions: issues, level: 'read' }, handle: listReactions },
  { name: `POST ${comment}/reactions`, need: { permissions: issues, level: 'write' }, handle: createReaction },
  {
    name: `DELETE ${comment}/reactions/{reaction_id}`,
    need: { permissions: issues, level: 'write' },
    handle: removeReaction,
  },
  { name: 'GET /repos/{owner}/{repo}/pulls', need: { permissions: pulls, level: 'read' }, handle: listPulls },
  { name: 'POST /repos/{owner}/{repo}/pulls', need: { permissions: pulls, level: 'write' }, handle: createPull },
  { name: `GET ${pull}`, need: { permissions: pulls, level: 'read' }, handle: getPull },
  { name: `PATCH ${pull}`, need: { permissions: pulls, level: 'write' }, handle: updatePull },
  { name: `PUT ${pull}/merge`, need: { permissions: ['contents'], level: 'write' }, handle: merge },
];

function findPull(call: Call, name: string): Pull | null {
  return call.core.world.pulls.find(({ number }) => String(number) === call.parameters[name]) ?? null;
}

function findComment({ core, parameters }: Call): Comment | null {
  return core.world.comments.find(({ id }) => String(id) === parameters['comment_id']) ?? null;
}

function listComments(call: Call): Answer {
  const found = findPull(call, 'issue_number');
  if (found === null) return notFound;
  const since = call.query['since'];
  const comments = call.core.world.comments.filter(
    (each) => each.pull === found.number && (since === undefined || each.updatedAt >= Date.parse(since)),
  );
  return page(
    call,
    comments.map((each) => call.core.shapes.comment(each)),
  );
}

function createComment(call: Call): Answer {
  const found = findPull(call, 'issue_number');
  if (found === null) return notFound;
  const created = addComment(call.core, found, {
    author: call.actor,
    viaApp: call.caller.kind === 'installation',
    body: field(call.body, 'body') ?? '',
  });
  if (!created.ok) return refuse(created.error);
  const shaped = call.core.shapes.comment(created.value);
  return { ...answer(shaped, 201), headers: { location: field(shaped, 'url') ?? '' } };
}

function getComment(call: Call): Answer {
  const found = findComment(call);
  return found === null ? notFound : answer(call.core.shapes.comment(found));
}

/** One's own, or anybody's with write permission; an App only its own. */
function mayChange(call: Call, found: Comment): boolean {
  if (found.author.id === call.actor.id) return true;
  return call.caller.kind === 'user' && ['write', 'admin'].includes(call.caller.user.permission);
}

const notYours = { status: 403, message: 'You cannot change this comment.' } as const;

function updateComment(call: Call): Answer {
  const found = findComment(call);
  if (found === null) return notFound;
  if (!mayChange(call, found)) return refuse(notYours);
  const edited = editComment(call.core, found, field(call.body, 'body') ?? '', call.actor);
  return edited.ok ? answer(call.core.shapes.comment(edited.value)) : refuse(edited.error);
}

function removeComment(call: Call): Answer {
  const found = findComment(call);
  if (found === null) return notFound;
  if (!mayChange(call, found)) return refuse(notYours);
  deleteComment(call.core, found, call.actor);
  return { status: 204 };
}

function listReactions(call: Call): Answer {
  const found = findComment(call);
  if (found === null) return notFound;
  const wanted = call.query['content'];
  const reactions = found.reactions.filter(({ content }) => wanted === undefined || content === wanted);
  return page(
    call,
    reactions.map((each) => call.core.shapes.reaction(each)),
  );
}

const contents = new Set(['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes']);

function createReaction(call: Call): Answer {
  const found = findComment(call);
  if (found === null) return notFound;
  const content = field(call.body, 'content') ?? '';
  if (!contents.has(content)) return unprocessable('Reaction', 'content', 'content is not included in the list');
  const { reaction, fresh } = react(call.core, found, content, call.actor);
  return answer(call.core.shapes.reaction(reaction), fresh ? 201 : 200);
}

function removeReaction(call: Call): Answer {
  const found = findComment(call);
  const reaction = found?.reactions.find(({ id }) => String(id) === call.parameters['reaction_id']);
  if (found === null || reaction === undefined || reaction.user.id !== call.actor.id) return notFound;
  found.reactions = found.reactions.filter((each) => each !== reaction);
  return { status: 204 };
}

function listPulls(call: Call): Answer {
  const { state = 'open', head, base, sort = 'created', direction } = call.query;
  const newestFirst = direction === undefined ? sort === 'created' : direction === 'desc';
  const label = (each: Pull): string => `${each.headRepository.owner.login}:${each.headBranch}`;
  const found = call.core.world.pulls
    .filter((each) => state === 'all' || each.state === state)
    // GitHub takes a head without owner as no filter at all.
    .filter((each) => head?.includes(':') !== true || label(each).toLowerCase() === head.toLowerCase())
    .filter((each) => base === undefined || each.baseBranch === base)
    .toSorted((one, other) =>
      sort === 'updated' ? one.updatedAt - other.updatedAt || one.number - other.number : one.number - other.number,
    );
  return page(
    call,
    (newestFirst ? found.toReversed() : found).map((each) => call.core.shapes.pull(each)),
  );
}

async function whole(call: Call, found: Pull): Promise<JsonObject> {
  return call.core.shapes.wholePull(found, await linesOf(call.core, found));
}

async function createPull(call: Call): Promise<Answer> {
  const { body } = call;
  const opened = await openPull(call.core, {
    head: field(body, 'head') ?? '',
    base: field(body, 'base') ?? '',
    title: field(body, 'title') ?? '',
    body: field(body, 'body'),
    author: call.actor,
  });
  if (!opened.ok) return refuse(opened.error);
  return answer(await whole(call, opened.value), 201);
}

async function getPull(call: Call): Promise<Answer> {
  const found = findPull(call, 'pull_number');
  return found === null ? notFound : answer(await whole(call, found));
}

async function updatePull(call: Call): Promise<Answer> {
  const found = findPull(call, 'pull_number');
  if (found === null) return notFound;
  const { body } = call;
  found.title = field(body, 'title') ?? found.title;
  if (body['body'] !== undefined) found.body = field(body, 'body');
  found.updatedAt = call.core.world.clock.now();
  const base = field(body, 'base');
  const retargeted = base === null ? null : await retargetPull(call.core, found, base, call.actor);
  if (retargeted?.ok === false) return refuse(retargeted.error);
  if (body['state'] === 'closed') await closePull(call.core, found, call.actor);
  if (body['state'] === 'open') {
    const reopened = await reopenPull(call.core, found, call.actor);
    if (!reopened.ok) return refuse(reopened.error);
  }
  return answer(await whole(call, found));
}

async function merge(call: Call): Promise<Answer> {
  const found = findPull(call, 'pull_number');
  if (found === null) return notFound;
  const method = field(call.body, 'merge_method') ?? 'merge';
  if (method !== 'merge' && method !== 'squash')
    return refuse({ status: 405, message: 'Rebase merges are not allowed on this repository.' });
  const title = field(call.body, 'commit_title');
  const message = field(call.body, 'commit_message');
  const expectedHead = field(call.body, 'sha');
  const merged = await mergePull(call.core, found, {
    by: call.actor,
    method,
    ...(title === null ? {} : { title }),
    ...(message === null ? {} : { message }),
    ...(expectedHead === null ? {} : { expectedHead }),
  });
  if (!merged.ok) return refuse(merged.error);
  return answer({ sha: merged.value, merged: true, message: 'Pull Request successfully merged' });
}
