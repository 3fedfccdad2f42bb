/** What people do in the browser, for stories and tests. What GitHub would refuse is thrown: there it is a slip. */
import { addComment, editComment } from './comments.ts';
import type { Core, Refusal } from './core.ts';
import { endGroup, makeGroup, type Group } from './merge-queue.ts';
import { closePull, mergePull, mustFindUser, openPull, reopenPull, retargetPull } from './pulls.ts';
import type { Comment, Pull } from './world.ts';

export interface People {
  openPullRequest(wanted: {
    readonly head: string;
    readonly base: string;
    readonly title: string;
    readonly user: string;
    readonly body?: string;
  }): Promise<Pull>;
  mergePullRequest(number: number, user: string, method?: 'merge' | 'squash'): Promise<string>;
  /** Puts it into the merge queue, behind those that are there; gives the commit of its group. */
  queuePullRequest(number: number, user: string): Promise<string>;
  /** The first of the queue is merged; any may be taken out. */
  endGroup(number: number, reason: 'merged' | 'dequeued', user: string): Promise<void>;
  closePullRequest(number: number, user: string): Promise<void>;
  reopenPullRequest(number: number, user: string): Promise<void>;
  retargetPullRequest(number: number, base: string, user: string): Promise<void>;
  comment(number: number, user: string, body: string): Comment;
  editComment(id: number, user: string, body: string): void;
  /** A person presses "Re-run" beside a check run. */
  rerequestCheckRun(id: number, user: string): void;
}

export function createPeople(core: Core): People {
  const pull = (number: number): Pull =>
    must(
      core.world.pulls.find((each) => each.number === number),
      `pull request ${number}`,
    );
  const queue: Group[] = [];
  return {
    async openPullRequest({ user, ...wanted }) {
      return granted(await openPull(core, { ...wanted, author: mustFindUser(core, user) }));
    },
    async mergePullRequest(number, user, method = 'merge') {
      return granted(await mergePull(core, pull(number), { by: mustFindUser(core, user), method }));
    },
    async queuePullRequest(number, user) {
      const group = granted(await makeGroup(core, pull(number), queue.at(-1) ?? null, mustFindUser(core, user)));
      queue.push(group);
      return group.sha;
    },
    async endGroup(number, reason, user) {
      const index = queue.findIndex((each) => each.pull.number === number);
      const [group] = queue.splice(index, index === -1 ? 0 : 1);
      await endGroup(core, must(group, `group of #${number}`), reason, mustFindUser(core, user));
    },
    closePullRequest: (number, user) => closePull(core, pull(number), mustFindUser(core, user)),
    async reopenPullRequest(number, user) {
      granted(await reopenPull(core, pull(number), mustFindUser(core, user)));
    },
    async retargetPullRequest(number, base, user) {
      granted(await retargetPull(core, pull(number), base, mustFindUser(core, user)));
    },
    comment: (number, user, body) =>
      granted(addComment(core, pull(number), { author: mustFindUser(core, user), viaApp: false, body })),
    editComment(id, user, body) {
      const comment = must(
        core.world.comments.find((each) => each.id === id),
        `comment ${id}`,
      );
      granted(editComment(core, comment, body, mustFindUser(core, user)));
    },
    rerequestCheckRun(id, user) {
      const check = must(
        core.world.checkRuns.find((each) => each.id === id),
        `check run ${id}`,
      );
      core.hooks.emit('check_run', {
        action: 'rerequested',
        check_run: core.shapes.checkRun(check),
        repository: core.shapes.repository(core.world.repository),
        sender: core.shapes.user(mustFindUser(core, user)),
      });
    },
  };
}

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is no ${what}`);
  return value;
}

function granted<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Refusal },
): T {
  if (result.ok) return result.value;
  const details = (result.error.errors ?? []).map(({ message, field, code }) => message ?? `${field ?? ''} ${code}`);
  throw new Error([result.error.message, ...details].join(': '));
}
