/** What a delivery of GitHub means to us, and the key under which it means that only once. */
import { z } from 'zod';
import type { Delivery, ForgeEvent } from '../forge.ts';
import { pullRequestShape, toPullRequest } from './pull-requests.ts';

export interface EventContext {
  /** `owner/name` that this forge speaks for. */
  readonly repository: string;
  readonly appId: number | null;
  /** Whether this user is our App's bot. Only asked of bots. */
  readonly isOwnBot: (login: string) => Promise<boolean>;
}

type Reading = Pick<Delivery, 'repository' | 'semanticKey' | 'event'>;
/** An event and what makes it the same event in another delivery. */
interface Meaning {
  readonly event: ForgeEvent;
  readonly key: readonly (string | number)[] | null;
}

const user = z.object({ login: z.string(), type: z.string().nullish() });
const envelope = z.object({
  action: z.string().nullish(),
  repository: z.object({ full_name: z.string() }).nullish(),
  sender: user.nullish(),
});
const sha = z.string().regex(/^[0-9a-f]{40}$/);
const noCommit = '0'.repeat(40);

/** GitHub tells names of repositories as somebody wrote them, and means the same in any case. */
export function isOurs(repository: string, context: Pick<EventContext, 'repository'>): boolean {
  return repository.toLowerCase() === context.repository.toLowerCase();
}

/** Never rejects: a payload that cannot be read is ignored with the place where it differs. */
export async function readEvent(name: string, payload: unknown, context: EventContext): Promise<Reading> {
  const read = envelope.safeParse(payload);
  if (!read.success) return { repository: null, semanticKey: null, event: unreadable(read.error) };
  const repository = read.data.repository?.full_name ?? null;
  const { event, key } = await meaningOf(name, payload, read.data, context);
  return { repository, event, semanticKey: key === null ? null : [repository?.toLowerCase(), name, ...key].join(' ') };
}

async function meaningOf(
  name: string,
  payload: unknown,
  head: z.infer<typeof envelope>,
  context: EventContext,
): Promise<Meaning> {
  if (name === 'ping') return { event: { type: 'ping' }, key: null };
  const handler = handlers[name];
  if (handler === undefined) return ignored(`${name} events mean nothing here`);
  const repository = head.repository?.full_name ?? null;
  if (repository === null || !isOurs(repository, context)) return ignored('it concerns no repository of ours');
  const sender = head.sender ?? { login: 'ghost', type: null };
  const meaning = handler(payload, head.action ?? '', { login: sender.login, bot: isBot(sender) }, context);
  if (meaning.event.type === 'ignored' || meaning.event.type === 'pull-request' || !isBot(sender)) return meaning;
  // What we did ourselves must not make us act again. Pull requests that we open are different: their checks are required.
  return (await context.isOwnBot(sender.login)) ? ignored('it is our own doing') : meaning;
}

interface Actor {
  readonly login: string;
  readonly bot: boolean;
}
type Handler = (payload: unknown, action: string, actor: Actor, context: EventContext) => Meaning;

const handlers: Readonly<Record<string, Handler | undefined>> = Object.assign(Object.create(null), {
  push,
  merge_group: mergeGroup,
  pull_request: pullRequest,
  issue_comment: issueComment,
  check_run: checkRun,
  check_suite: checkSuite,
} satisfies Record<string, Handler>);

const pushShape = z.object({ ref: z.string(), before: sha, after: sha });

/** A branch that is created without commits has no `commits` or `head_commit`: `after` says all. All zeros: none. */
function push(payload: unknown, _action: string, actor: Actor): Meaning {
  const read = pushShape.safeParse(payload);
  if (!read.success) return ignoredUnread(read.error);
  const { ref, before, after } = read.data;
  if (!ref.startsWith('refs/heads/') && !ref.startsWith('refs/tags/'))
    return ignored(`${ref} is neither a branch nor a tag`);
  const commit = (given: string): string | null => (given === noCommit ? null : given);
  return {
    event: { type: 'push', ref, before: commit(before), after: commit(after), actor: actor.login },
    key: [ref, before, after],
  };
}

const mergeGroupShape = z.object({ merge_group: z.object({ head_sha: sha, head_ref: z.string() }) });

/** The same as the push of its branch, which may come before or after it, or not at all. */
function mergeGroup(payload: unknown, action: string, actor: Actor): Meaning {
  if (action !== 'checks_requested' && action !== 'destroyed')
    return ignored(`merge_group ${action} changes nothing for us`);
  const read = mergeGroupShape.safeParse(payload);
  if (!read.success) return ignoredUnread(read.error);
  const { head_sha: head, head_ref: ref } = read.data.merge_group;
  const [before, after] = action === 'destroyed' ? [head, null] : [null, head];
  return { event: { type: 'push', ref, before, after, actor: actor.login }, key: [action, ref, head] };
}

const pullRequestEventShape = z.object({
  action: z.enum(['opened', 'synchronize', 'reopened', 'closed', 'ready_for_review', 'edited']),
  pull_request: pullRequestShape.extend({ updated_at: z.string().nullish() }),
  changes: z.object({ base: z.unknown() }).nullish(),
});

function pullRequest(payload: unknown, action: string, actor: Actor): Meaning {
  if (!pullRequestEventShape.shape.action.safeParse(action).success)
    return ignored(`pull_request ${action} changes nothing for us`);
  const read = pullRequestEventShape.safeParse(payload);
  if (!read.success) return ignoredUnread(read.error);
  if (read.data.action === 'edited' && (read.data.changes?.base ?? null) === null)
    return ignored('only another base branch is of use, and the edit was of something else');
  const found = toPullRequest(read.data.pull_request);
  // Closing, reopening and closing again are three events on one commit, and a head may come back to one.
  const again = read.data.action === 'opened' ? '' : (read.data.pull_request.updated_at ?? '');
  return {
    event: { type: 'pull-request', action: read.data.action, pullRequest: found, actor: actor.login },
    key: [found.number, read.data.action, found.headSha, ...(again === '' ? [] : [again])],
  };
}

const commentShape = z.object({
  issue: z.object({ number: z.number().int().positive(), pull_request: z.unknown().optional() }),
  comment: z.object({
    id: z.number(),
    body: z.string().nullish(),
    user: user.nullish(),
    performed_via_github_app: z.object({ id: z.number() }).nullish(),
  }),
});

function issueComment(payload: unknown, action: string, actor: Actor, context: EventContext): Meaning {
  if (action !== 'created') return ignored(`only new comments count, this one was ${action}`);
  const read = commentShape.safeParse(payload);
  if (!read.success) return ignoredUnread(read.error);
  const { issue, comment } = read.data;
  if ((issue.pull_request ?? null) === null) return ignored('the comment is on an issue, not on a pull request');
  const body = comment.body ?? '';
  // With a token, our comments come from a person's account: the marker tells them from what the person writes.
  if (body.trimStart().startsWith('<!-- contender:')) return ignored('it is our own doing');
  if (context.appId !== null && comment.performed_via_github_app?.id === context.appId)
    return ignored('it is our own doing');
  const author = comment.user ?? { login: actor.login, type: null };
  return {
    event: {
      type: 'comment',
      pullRequest: issue.number,
      commentId: String(comment.id),
      body,
      actor: author.login,
      actorIsBot: actor.bot || isBot(author) || (comment.performed_via_github_app ?? null) !== null,
    },
    key: [comment.id],
  };
}

const owner = z.object({ id: z.number() }).nullish();
const checkRunShape = z.object({
  check_run: z.object({
    head_sha: sha,
    external_id: z.string().nullish(),
    app: owner,
  }),
});

function checkRun(payload: unknown, action: string, actor: Actor, context: EventContext): Meaning {
  if (action !== 'rerequested') return ignored(`check_run ${action} changes nothing for us`);
  const read = checkRunShape.safeParse(payload);
  if (!read.success) return ignoredUnread(read.error);
  const run = read.data.check_run;
  if (run.app?.id !== context.appId) return ignored("it is another App's check run");
  const runId = run.external_id ?? '';
  return {
    event: { type: 'rerequested', sha: run.head_sha, runId: runId === '' ? null : runId, actor: actor.login },
    // A second press may look the same as the first, and is another wish. Only the App is told, so none comes under two ids.
    key: null,
  };
}

const checkSuiteShape = z.object({
  check_suite: z.object({ head_sha: sha, app: owner }),
});

function checkSuite(payload: unknown, action: string, actor: Actor, context: EventContext): Meaning {
  if (action !== 'rerequested') return ignored(`check_suite ${action} changes nothing for us`);
  const read = checkSuiteShape.safeParse(payload);
  if (!read.success) return ignoredUnread(read.error);
  const suite = read.data.check_suite;
  if (suite.app?.id !== context.appId) return ignored("it is another App's check suite");
  return {
    event: { type: 'rerequested', sha: suite.head_sha, runId: null, actor: actor.login },
    key: null,
  };
}

function isBot(given: { readonly login: string; readonly type?: string | null | undefined }): boolean {
  return given.type === 'Bot' || given.login.endsWith('[bot]');
}

function ignored(reason: string): Meaning {
  return { event: { type: 'ignored', reason }, key: null };
}

function ignoredUnread(error: z.ZodError): Meaning {
  return { event: unreadable(error), key: null };
}

function unreadable(error: z.ZodError): ForgeEvent {
  const issue = error.issues[0];
  return {
    type: 'ignored',
    reason: `the payload cannot be read: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  };
}
