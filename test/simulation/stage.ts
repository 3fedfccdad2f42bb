/**
 * A world in which nothing goes wrong but what a test says: for tests of the conductor that need one fault at one place.
 */
import assert from 'node:assert/strict';
import type { Pools } from '../../src/admission/admission.ts';
import type { RunEvent } from '../../src/engine/event.ts';
import type { RunRequest } from '../../src/engine/request.ts';
import type { ForgeEvent, PullRequest } from '../../src/forge/forge.ts';
import type { GitRepository, Sha } from '../../src/git/git.ts';
import type { Write } from '../../src/journal/journal.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { faultClasses } from './faults.ts';
import type { KeptRun } from './history.ts';
import { fileOf } from './pipelines.ts';
import { stillOpen } from './promises.ts';
import { repositoryName } from './server.ts';
import { World, type Beside } from './world.ts';

/** Null until there is an answer; else `accepted`, `unanswered`, or why not. */
export interface AnswerToAsking {
  readonly said: string | null;
}

export class Stage {
  readonly world: World;
  #commits = 0;

  /** A server that has seen a repository with these pipelines. */
  static async open(given: {
    readonly pipelines: readonly PipelineDefinition[];
    /** What they are in a later edition of their files; those that are not named stay as they are. */
    readonly later?: readonly PipelineDefinition[];
    readonly slots?: number;
    readonly pools?: Pools;
    readonly runsImages?: false;
    /** 1, unless given. */
    readonly servers?: 2;
    /** Repositories that are watched as well, and how their Git differs. */
    readonly beside?: Beside;
    /** Hears what is logged, among other things. */
    readonly tell?: (line: string) => void;
    /** Of the first commit, there before anybody looks. */
    readonly tags?: readonly string[];
  }): Promise<Stage> {
    const byName = new Map(given.pipelines.map((pipeline) => [pipeline.name, pipeline]));
    const later = new Map(given.later?.map((pipeline) => [pipeline.name, pipeline]));
    const definition = (name: string, edition: number): PipelineDefinition => {
      const found = (edition > 0 ? later.get(name) : undefined) ?? byName.get(name);
      if (found === undefined) throw new Error(`no pipeline ${name}`);
      return found;
    };
    const schedule = given.pipelines.map(({ on }) => on.schedule).find((each) => each !== null);
    const { cron, timeZone } = schedule ?? { cron: '0 0 1 1 *', timeZone: 'UTC' };
    const catalogue = { names: [...byName.keys()], cron, timeZone, definition };
    const off = new Set(faultClasses);
    const { tell = null, slots = 4, pools = new Map(), servers = 1, beside } = given;
    const world = await World.make({ seed: 1, off, tell, slots, pools, catalogue, servers, beside });
    world.runsImages = given.runsImages ?? true;
    const stage = new Stage(world);
    const first = stage.commit('main');
    for (const tag of given.tags ?? []) world.remote.tags.set(tag, first);
    world.begin();
    await stage.until('the repository was seen', () => world.history.heads.has('main'));
    return stage;
  }

  private constructor(world: World) {
    this.world = world;
  }

  /** A commit of a branch, of which nobody is told; `texts` are files that it changes besides, or takes away (null). */
  commit(
    branch: string,
    parents?: readonly Sha[],
    texts: Readonly<Record<string, string | null>> = {},
    message = 'Change',
  ): Sha {
    const { remote, catalogue, time } = this.world;
    this.#commits += 1;
    const files = new Map(catalogue.names.map((name) => [`.pipelines/${name}.ts`, fileOf(name, 0)]));
    files.set('training/model.py', String(this.#commits));
    for (const [path, text] of Object.entries(texts)) {
      if (text === null) files.delete(path);
      else files.set(path, text);
    }
    const tip = remote.branches.get(branch) ?? remote.branches.get('main');
    const sha = remote.commit(parents ?? (tip === undefined ? [] : [tip]), files, message, time.now);
    remote.branches.set(branch, sha);
    return sha;
  }

  /** A push with its webhook; gives the commit. */
  push(branch = 'main'): Sha {
    const before = this.world.remote.branches.get(branch) ?? null;
    const after = this.commit(branch);
    this.hook({ type: 'push', ref: `refs/heads/${branch}`, before, after, actor: 'ada' });
    return after;
  }

  /** A pull request onto main is opened, or comes to stand at another commit, with its webhook. */
  propose(headSha: Sha, given: Partial<PullRequest> = {}): PullRequest {
    const { forge, remote } = this.world;
    const known = forge.pullRequests.get(given.number ?? 1);
    const pullRequest = this.proposed(headSha, given);
    remote.pullRequestHeads.add(headSha);
    forge.pullRequests.set(pullRequest.number, pullRequest);
    const action = known === undefined ? 'opened' : 'synchronize';
    // A head that comes back is told of by an event of its own.
    this.hook({ type: 'pull-request', action, pullRequest, actor: `grace ${this.world.steps}` });
    return pullRequest;
  }

  /** The pull request as it would be at that commit; nobody is told. */
  proposed(headSha: Sha, given: Partial<PullRequest> = {}): PullRequest {
    const { forge, remote } = this.world;
    const number = given.number ?? 1;
    return {
      number,
      state: 'open',
      merged: false,
      mergeSha: null,
      headBranch: 'feature',
      baseBranch: 'main',
      baseSha: remote.branches.get('main') ?? '',
      fork: false,
      author: 'grace',
      title: 'A change',
      ...forge.pullRequests.get(number),
      ...given,
      headSha,
    };
  }

  hook(event: ForgeEvent, id = `hook-${this.world.steps}`, repository = repositoryName): void {
    const semanticKey = JSON.stringify(event);
    void this.world.server?.receive({ id, name: event.type, repository, semanticKey, event });
  }

  /** Starts a run of `pipeline` by hand, at the commit that main stands at unless another is given. */
  ask(pipeline: string, at?: Sha): void {
    const { server, remote, steps } = this.world;
    const sha = at ?? remote.branches.get('main');
    assert.ok(sha !== undefined);
    const key = `ask ${steps}`;
    const request = { repository: repositoryName, pipeline, sha, actor: key, logicalDate: null, parameters: {}, key };
    void server?.conductor.runManually(request).catch(() => undefined);
  }

  /** Gives what became of the asking, once it has. */
  cancel(run: KeptRun): AnswerToAsking {
    return this.askOf(run, { type: 'cancel', by: 'ada', reason: 'never mind' });
  }

  askOf(run: KeptRun, request: RunRequest): AnswerToAsking {
    const answer: { said: string | null } = { said: null };
    this.world.server?.conductor.ask(run.opened.runId, request).then(
      (asked) => (answer.said = asked.ok ? 'accepted' : asked.error.message),
      () => (answer.said = 'unanswered'),
    );
    return answer;
  }

  /** The next commit with such a write or event is refused, or kept without an answer. */
  interfereOnce(what: Write['write'] | RunEvent['type'], how: 'refused' | 'unanswered'): void {
    this.world.interfere = (commits) => {
      if (!commits.some((commit) => commit.some((write) => isOrHolds(write, what)))) return null;
      this.world.interfere = () => null;
      return how;
    };
  }

  run(pipeline: string): KeptRun {
    const found = [...this.world.history.runs.values()].find((run) => run.opened.pipeline === pipeline);
    assert.ok(found !== undefined, `there is a run of ${pipeline}`);
    return found;
  }

  async until(fact: string, isSo: () => boolean, withinMs = 10 * 60_000): Promise<void> {
    const { world } = this;
    const until = world.time.now + withinMs;
    while (!isSo()) {
      assert.ok(world.time.now < until, `not in time: ${fact}; open: ${JSON.stringify(stillOpen(world))}`);
      await world.step();
      assert.equal(world.violation, null);
    }
  }

  /** A backfill of one past day, until it is done. */
  async backfillADay(pipeline: string, sha: Sha): Promise<void> {
    const { server, history } = this.world;
    const day = Date.UTC(2025, 10, 1);
    const which = { id: 'b', repository: repositoryName, pipeline, sha, actor: 'ada', fromDay: day, toDay: day };
    const how = { newestFirst: false, maxActive: 1, reprocess: 'none', parameters: {} } as const;
    void server?.conductor.startBackfill({ ...which, ...how });
    await this.until('the backfill is done', () => history.backfills.get('b')?.state === 'done');
  }

  /** Until everything that began has ended, and all who should know were told. */
  rest(): Promise<void> {
    return this.until('everything has come to rest', () => stillOpen(this.world) === null);
  }
}

const never = (): Promise<never> => new Promise(() => undefined);

/** A remote that takes connections and says nothing. */
export const silentGit: Partial<GitRepository> = {
  fetch: never,
  ensure: never,
  remoteBranches: never,
  remoteRefs: never,
  defaultBranch: never,
};

/** As long as it interferes, what became of a comment that was sent is not kept. */
export const refusesIdsOfComments: World['interfere'] = (commits) => {
  const isOfComment = (write: Write): boolean => write.write === 'outbox-done' && write.key.startsWith('comment:');
  return commits.some((commit) => commit.some(isOfComment)) ? 'refused' : null;
};

function isOrHolds(write: Write, what: string): boolean {
  return write.write === what || (write.write === 'append' && write.events.some((event) => event.type === what));
}
