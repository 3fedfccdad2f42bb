/** Comments on pull requests: written, changed, removed, reacted to. */
import { failure, success, type Result } from '../../std/result.ts';
import type { Core, Refusal } from './core.ts';
import type { Comment, Pull, Reaction, User } from './world.ts';

const bodyMax = 65_536;

export function addComment(
  core: Core,
  pull: Pull,
  wanted: { readonly author: User; readonly viaApp: boolean; readonly body: string },
): Result<Comment, Refusal> {
  const refusal = refusalOfBody(wanted.body);
  if (refusal !== null) return failure(refusal);
  const { world } = core;
  const now = world.clock.now();
  const comment: Comment = {
    ...wanted,
    id: world.nextId(),
    pull: pull.number,
    createdAt: now,
    updatedAt: now,
    reactions: [],
  };
  world.comments = [...world.comments, comment];
  emit(core, 'created', comment, wanted.author, {});
  return success(comment);
}

export function editComment(core: Core, comment: Comment, body: string, by: User): Result<Comment, Refusal> {
  const refusal = refusalOfBody(body);
  if (refusal !== null) return failure(refusal);
  const from = comment.body;
  comment.body = body;
  comment.updatedAt = core.world.clock.now();
  emit(core, 'edited', comment, by, { changes: { body: { from } } });
  return success(comment);
}

export function deleteComment(core: Core, comment: Comment, by: User): void {
  core.world.comments = core.world.comments.filter((other) => other !== comment);
  emit(core, 'deleted', comment, by, {});
}

/** The same reaction of the same person is one. */
export function react(
  core: Core,
  comment: Comment,
  content: string,
  by: User,
): { readonly reaction: Reaction; readonly fresh: boolean } {
  const before = comment.reactions.find((reaction) => reaction.content === content && reaction.user.id === by.id);
  if (before !== undefined) return { reaction: before, fresh: false };
  const reaction = { id: core.world.nextId(), user: by, content, createdAt: core.world.clock.now() };
  comment.reactions = [...comment.reactions, reaction];
  return { reaction, fresh: true };
}

function refusalOfBody(body: string): Refusal | null {
  const wrong = (message: string): Refusal => ({
    status: 422,
    message: 'Validation Failed',
    errors: [{ resource: 'IssueComment', code: 'unprocessable', field: 'data', message }],
  });
  if (body.trim() === '') return wrong('Body cannot be blank');
  return body.length > bodyMax ? wrong(`Body is too long (maximum is ${bodyMax} characters)`) : null;
}

function emit(
  core: Core,
  action: string,
  comment: Comment,
  sender: User,
  more: { readonly changes?: { readonly body: { readonly from: string } } },
): void {
  const { shapes, world, hooks } = core;
  const pull = world.pulls.find(({ number }) => number === comment.pull);
  if (pull === undefined) return;
  hooks.emit('issue_comment', {
    action,
    issue: shapes.issue(pull),
    comment: shapes.comment(comment),
    repository: shapes.repository(world.repository),
    sender: shapes.user(sender),
    ...more,
  });
}
