/**
 * What people and fate do to the world, one idea after the other: commits, pull requests, merges, cancels, decisions, deaths of the
 * server, outages, a hand at the clock. The forge tells the server of it by webhooks, as well as forges do.
 */
import type { RerunSteps } from '../../src/engine/event.ts';
import type { Delivery, ForgeEvent, PullRequest } from '../../src/forge/forge.ts';
import type { Sha } from '../../src/git/git.ts';
import { Asking } from './asking.ts';
import { askForBackfill, cancelBackfill } from './backfills.ts';
import type { FaultClass } from './faults.ts';
import { fileOf } from './pipelines.ts';
import type { Random } from './random.ts';
import { repositoryName } from './server.ts';
import type { World } from './world.ts';

const ideas = [
  'push',
  'branch-push',
  'delete-branch',
  'rewrite',
  'open',
  'merge',
  'close',
  'reopen',
  'manual',
  'rerun',
  'rerequest',
  'cancel',
  'decide',
  'backfill',
  'cancel-backfill',
  'tell',
  'tag',
  'crash',
  'restart',
  'freeze',
  'clock',
  'hold',
  'outage',
  'cut-off',
  'wait',
] as const;
type Idea = (typeof ideas)[number];

export class Script {
  readonly #world: World;
  readonly #asking: Asking;
  readonly #random: Random;
  readonly #thinkMaxMs: number;
  readonly #weights: Record<Idea, number>;
  /** Where the branches stand; the remote's replica may be behind. */
  readonly #branches = new Map<string, Sha>();
  #events = 0;
  #editions = 0;
  #ended = false;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork('script');
    this.#asking = new Asking(world);
    this.#thinkMaxMs = this.#random.pick([300, 3000, 20_000, 120_000]);
    this.#weights = this.#drawWeights();
  }

  /** A repository with its pipelines, seen by a server for the first time. */
  begin(): void {
    const { world } = this.#together();
    const files = new Map<string, string>([['training/model.py', '0']]);
    for (const name of [...world.catalogue.names, 'probe']) files.set(`.pipelines/${name}.ts`, fileOf(name, 0));
    const sha = world.remote.commit([], files, 'Begin', world.time.now);
    this.#branches.set('main', sha);
    world.remote.branches.set('main', sha);
    world.begin();
    this.#think();
  }

  /** No more ideas; branches come to rest, and what was broken for a while works again. */
  end(): void {
    this.#ended = true;
    for (const branch of new Set([...this.#branches.keys(), ...this.#world.remote.branches.keys()]))
      this.#replicate(branch, 0);
    for (const model of ['churn', 'tick']) this.#world.registry.setHold(model, null);
  }

  #drawWeights(): Record<Idea, number> {
    const { faults } = this.#world;
    const hasPast = this.#world.catalogue.names.includes('past');
    const often = (): number => this.#random.pick([0, 1, 1, 3]);
    // In some worlds all work goes through pull requests, slowly enough that runs end before the merge.
    const byPullRequest = this.#thinkMaxMs > 3000 && this.#random.chance(0.6);
    const rare = (name: FaultClass): number => (faults[name] > 0 ? this.#random.pick([0.3, 1, 2]) : 0);
    return {
      push: byPullRequest ? 0.2 : 1 + often(),
      'branch-push': byPullRequest ? 2 : often(),
      'delete-branch': rare('force-push') / 2,
      rewrite: rare('force-push'),
      open: byPullRequest ? 3 : often(),
      merge: byPullRequest ? 1 : often(),
      close: often() / 3,
      reopen: often() / 3,
      manual: often() / 2,
      rerun: 1 + often(),
      rerequest: often() / 3,
      cancel: rare('cancel'),
      decide: this.#world.catalogue.names.includes('asking') ? 1 + often() : 0,
      backfill: hasPast ? often() / 2 : 0,
      'cancel-backfill': hasPast ? rare('cancel') : 0,
      tell: this.#world.catalogue.names.includes('fresh') ? 1 + often() : 0,
      tag: this.#world.catalogue.names.includes('release') ? 1 + often() : 0,
      crash: rare('crash'),
      restart: rare('restart'),
      freeze: rare('freeze'),
      clock: rare('clock'),
      hold: rare('hold'),
      outage: 0.3,
      'cut-off': rare('lease'),
      wait: 1,
    };
  }

  #together(): { readonly world: World; readonly random: Random } {
    return { world: this.#world, random: this.#random };
  }

  #think(): void {
    this.#world.time.later(
      this.#random.between(0, this.#thinkMaxMs),
      () => {
        this.#do(this.#random.weighted(this.#weights));
        this.#think();
      },
      () => !this.#ended,
    );
  }

  #do(idea: Idea): void {
    const { world, random } = this.#together();
    switch (idea) {
      case 'push':
        return this.#move('main', this.#commitOn('main'), 'ada');
      case 'branch-push':
        return this.#pushBranch();
      case 'delete-branch':
        return this.#delete();
      case 'rewrite':
        return this.#rewrite();
      case 'open':
        return this.#open();
      case 'merge':
        return this.#merge();
      case 'close':
        return this.#close();
      case 'reopen':
        return this.#reopen();
      case 'manual':
        return this.#manual();
      case 'rerun':
        return this.#rerun();
      case 'rerequest':
        return this.#rerequest();
      case 'cancel':
        return this.#asking.cancel();
      case 'decide':
        return this.#asking.decide();
      case 'backfill':
        return askForBackfill(world, random, random.pick([...this.#branches.values()]));
      case 'cancel-backfill':
        return cancelBackfill(world, random);
      case 'tell':
        return this.#asking.tell();
      case 'tag':
        return this.#tag();
      case 'crash':
        if (world.server !== null)
          world.crash(random.chance(0.5) ? random.between(0, 300) : random.between(0, 60_000), world.anyServer(random));
        return;
      case 'restart':
        void world.restart(random.between(0, 5000), world.anyServer(random));
        return;
      case 'freeze':
        world.anyServer(random)?.freeze(random.between(0, 60_000));
        return;
      case 'clock':
        return world.setClock(random.pick([0, random.between(-3_600_000, 3_600_000), random.between(-5000, 5000)]));
      case 'hold': {
        const hold = random.chance(0.5) ? { reason: 'an incident', by: 'ada', at: world.time.now } : null;
        return world.registry.setHold(random.pick(['churn', 'tick']), hold);
      }
      case 'cut-off':
        world.anyServer(random)?.cutOff(random.between(0, 40_000));
        return;
      case 'outage':
        return this.#outage();
      case 'wait':
        return;
    }
  }

  #commitOn(branch: string, given: Partial<{ parents: readonly Sha[]; files: ReadonlyMap<string, string> }> = {}): Sha {
    const { world, random } = this.#together();
    const tip = this.#branches.get(branch);
    const parents = given.parents ?? (tip === undefined ? [] : [tip]);
    const files = new Map(given.files ?? (tip === undefined ? [] : world.remote.get(tip).files));
    this.#editions += 1;
    if (given.files === undefined) this.#edit(files);
    const message = random.chance(0.05) ? 'Change words [skip ci]' : `Change ${this.#editions}`;
    return world.remote.commit(parents, files, message, world.time.now);
  }

  #edit(files: Map<string, string>): void {
    const { world, random } = this.#together();
    const name = random.pick(world.catalogue.names);
    if (random.chance(world.faults.broken)) files.set(`.pipelines/${name}.ts`, 'broken(');
    else if (random.chance(0.3)) files.set(`.pipelines/${name}.ts`, fileOf(name, this.#editions));
    else files.set(random.chance(0.7) ? 'training/model.py' : 'README.md', String(this.#editions));
  }

  /** The branch stands at `sha` now (null: it is gone), and the server is told. */
  #move(branch: string, sha: Sha | null, actor: string): void {
    const { world, random } = this.#together();
    const before = this.#branches.get(branch) ?? null;
    if (sha === null) this.#branches.delete(branch);
    else this.#branches.set(branch, sha);
    world.tell(`${branch} moves from ${shortOf(before)} to ${shortOf(sha)}`);
    this.#replicate(branch, random.chance(world.faults.git) ? random.between(0, 20_000) : 0);
    const ref = `refs/heads/${branch}`;
    this.#hook('push', [ref, before ?? '0', sha ?? '0'], { type: 'push', ref, before, after: sha, actor });
    if (sha === null) return;
    for (const pullRequest of this.#pullRequests((each) => each.state === 'open' && each.headBranch === branch)) {
      world.remote.pullRequestHeads.add(sha);
      this.#tellOf({ ...pullRequest, headSha: sha }, 'synchronize');
    }
  }

  #replicate(branch: string, ms: number): void {
    this.#world.time.later(ms, () => {
      const sha = this.#branches.get(branch);
      if (sha === undefined) this.#world.remote.branches.delete(branch);
      else this.#world.remote.branches.set(branch, sha);
    });
  }

  #feature(): string | null {
    const features = [...this.#branches.keys()].filter((branch) => branch !== 'main');
    return features.length === 0 ? null : this.#random.pick(features);
  }

  #pushBranch(): void {
    const feature = this.#feature();
    if (feature !== null && this.#random.chance(0.6)) return this.#move(feature, this.#commitOn(feature), 'ada');
    const branch = `feature-${(this.#events += 1)}`;
    this.#move(branch, this.#commitOn('main'), 'ada');
  }

  /** A new one, of which nobody may be meant, or one that is moved or deleted. */
  #tag(): void {
    const { world, random } = this.#together();
    const known = [...world.remote.tags.keys()];
    const isNew = known.length === 0 || random.chance(0.6);
    const tag = isNew ? `${random.pick(['v', 'v', 'v', 'nightly-'])}${(this.#events += 1)}` : random.pick(known);
    const before = world.remote.tags.get(tag) ?? null;
    const after = !isNew && random.chance(0.4) ? null : random.pick([...this.#branches.values()]);
    world.tell(`tag ${tag} moves from ${shortOf(before)} to ${shortOf(after)}`);
    if (after === null) world.remote.tags.delete(tag);
    else world.remote.tags.set(tag, after);
    const ref = `refs/tags/${tag}`;
    this.#hook('push', [ref, before ?? '0', after ?? '0'], { type: 'push', ref, before, after, actor: 'ada' });
  }

  #delete(): void {
    const feature = this.#feature();
    const used = this.#pullRequests((each) => each.state === 'open').some((each) => each.headBranch === feature);
    if (feature !== null && !used) this.#move(feature, null, 'ada');
  }

  /** Forced: back to an earlier commit, or to another one in place of the last. */
  #rewrite(): void {
    const branch = this.#random.chance(0.3) ? 'main' : (this.#feature() ?? 'main');
    const tip = this.#branches.get(branch);
    const parent = tip === undefined ? undefined : this.#world.remote.get(tip).parents[0];
    if (parent === undefined) return;
    if (this.#random.chance(0.4)) return this.#move(branch, parent, 'ada');
    const files = new Map(this.#world.remote.get(parent).files);
    this.#edit(files);
    this.#move(branch, this.#commitOn(branch, { parents: [parent], files }), 'ada');
  }

  #pullRequests(which: (pullRequest: PullRequest) => boolean): PullRequest[] {
    return [...this.#world.forge.pullRequests.values()].filter(which);
  }

  #open(): void {
    const { world, random } = this.#together();
    const branch = this.#feature();
    const fork = random.chance(0.1);
    const headSha = fork ? this.#commitOn('main') : this.#branches.get(branch ?? '');
    const baseSha = this.#branches.get('main');
    const twice = this.#pullRequests((each) => each.state === 'open').some((each) => each.headBranch === branch);
    if (headSha === undefined || baseSha === undefined || branch === null || (twice && !fork)) return;
    world.remote.pullRequestHeads.add(headSha);
    const number = world.forge.pullRequests.size + 1;
    const names = { headBranch: fork ? `stranger-${number}` : branch, baseBranch: 'main', author: 'grace', title: 'x' };
    const state = { state: 'open', merged: false, mergeSha: null } as const;
    this.#tellOf({ number, ...state, headSha, baseSha, fork, ...names }, 'opened');
  }

  #merge(): void {
    const { world, random } = this.#together();
    const open = this.#pullRequests((each) => each.state === 'open');
    const base = this.#branches.get('main');
    const head = open.length === 0 ? undefined : random.pick(open);
    if (head === undefined || base === undefined) return;
    const headSha = [...world.remote.commits.keys()].find((sha) => sha === head.headSha);
    if (headSha === undefined) return;
    const way = random.pick(['merge', 'squash', 'forward']);
    const files = new Map(world.remote.get(base).files);
    for (const path of world.remote.changedPaths(world.remote.mergeBase(base, headSha), headSha)) {
      const text = world.remote.get(headSha).files.get(path);
      if (text === undefined) files.delete(path);
      else files.set(path, text);
    }
    const forward = way === 'forward' && world.remote.isAncestor(base, headSha);
    const parents = way === 'squash' ? [base] : [base, headSha];
    const mergeSha = forward ? headSha : this.#commitOn('main', { parents, files });
    // The forge says so at once, before anybody hears of it.
    this.#tellOf({ ...head, state: 'closed', merged: true, mergeSha }, 'closed');
    this.#move('main', mergeSha, 'grace');
  }

  #close(): void {
    const open = this.#pullRequests((each) => each.state === 'open');
    if (open.length > 0) this.#tellOf({ ...this.#random.pick(open), state: 'closed' }, 'closed');
  }

  #reopen(): void {
    const closed = this.#pullRequests((each) => each.state === 'closed' && !each.merged && !each.fork);
    const found = closed.find((each) => this.#branches.get(each.headBranch) !== undefined);
    if (found === undefined) return;
    const headSha = this.#branches.get(found.headBranch) ?? found.headSha;
    const twice = this.#pullRequests((each) => each.state === 'open' && each.headBranch === found.headBranch);
    if (twice.length === 0) this.#tellOf({ ...found, headSha, state: 'open' }, 'reopened');
  }

  #tellOf(pullRequest: PullRequest, action: 'opened' | 'synchronize' | 'reopened' | 'closed'): void {
    const { number, headSha } = pullRequest;
    this.#world.forge.pullRequests.set(number, pullRequest);
    this.#world.tell(`#${number} is ${action} at ${shortOf(headSha)}${pullRequest.merged ? ', merged' : ''}`);
    const again = action === 'opened' || action === 'synchronize' ? '' : String((this.#events += 1));
    const event: ForgeEvent = { type: 'pull-request', action, pullRequest, actor: pullRequest.author };
    this.#hook('pull_request', [String(number), action, headSha, again], event);
  }

  #manual(): void {
    const { world, random } = this.#together();
    const sha = random.pick([...this.#branches.values()]);
    const pipeline = random.pick(world.catalogue.names);
    const actor = `person ${(this.#events += 1)}`;
    const request = { repository: repositoryName, pipeline, sha, actor, logicalDate: null, parameters: {}, key: actor };
    world.tell(`${actor} asks for ${pipeline} at ${shortOf(sha)}`);
    // Asked again where no answer came, as people do: one run all the same.
    const ask = (triesLeft: number): void => {
      world
        .anyServer(random)
        ?.conductor.runManually(request)
        .catch(() => {
          if (triesLeft > 0) world.time.later(1000, () => ask(triesLeft - 1));
        });
    };
    ask(2);
  }

  /** Most ask for a run that has ended, and for a step that is there. */
  #rerun(): void {
    const { world, random } = this.#together();
    const runs = [...world.history.runs.values()];
    const ended = runs.filter(({ opened: { runId } }) => !world.history.unfinished.has(runId));
    const asked = random.chance(0.9) ? ended : runs;
    if (asked.length === 0) return;
    const { opened, state } = random.pick(asked);
    const { runId, pipeline } = opened;
    const names = world.catalogue.definition(pipeline, 0).steps.map(({ name }) => name);
    const from = { from: random.chance(0.7) ? (names.at(-1) ?? '') : random.pick(names) };
    const steps = random.pick<RerunSteps>([
      'all',
      from,
      from,
      ...(state === 'success' ? [] : (['failed', 'failed'] as const)),
    ]);
    const actor = `person ${(this.#events += 1)}`;
    const request = { runId, steps, atHead: random.chance(0.3), actor, key: actor };
    world.tell(`${actor} asks for ${runId} of ${pipeline} again, ${JSON.stringify(steps)}`);
    const ask = (triesLeft: number): void => {
      const again = (): void => (triesLeft > 0 ? world.time.later(1000, () => ask(triesLeft - 1)) : undefined);
      // Some are impatient, and ask again before there is an answer.
      if (random.chance(0.2)) again();
      world.anyServer(random)?.conductor.rerun(request).catch(again);
    };
    ask(2);
  }

  #rerequest(): void {
    const { world, random } = this.#together();
    const runs = [...world.history.runs.values()].map(({ opened }) => opened);
    if (runs.length === 0) return;
    const { sha, runId } = random.pick(runs);
    const actor = `person ${(this.#events += 1)}`;
    world.tell(`${actor} presses "Re-run" beside ${shortOf(sha)}`);
    this.#hook('check_run', [actor], {
      type: 'rerequested',
      sha,
      runId: random.chance(0.6) ? runId : null,
      actor,
    });
  }

  #outage(): void {
    const { world, random } = this.#together();
    const on = (['git', 'forge', 'registry', 'journal-refused'] as const).filter((name) => world.faults[name] > 0);
    if (on.length === 0) return;
    const name = random.pick(on);
    const before = world.faults[name];
    if (before === 1) return;
    world.tell(`outage: ${name}`);
    world.faults = { ...world.faults, [name]: 1 };
    const ms = name === 'journal-refused' ? random.between(0, 8000) : random.between(0, 180_000);
    world.time.later(
      ms,
      () => {
        world.faults = { ...world.faults, [name]: before };
        world.steadySince = Math.max(world.steadySince, world.time.now);
      },
      () => !this.#ended,
    );
  }

  #hook(name: string, meaning: readonly string[], event: ForgeEvent): void {
    const { world, random } = this.#together();
    const { faults } = world;
    if (random.chance(faults['hook-lost'])) return;
    const copies = random.chance(faults['hook-doubled']) ? 2 : 1;
    for (let copy = 1; copy <= copies; copy += 1) {
      const late = random.chance(faults['hook-late']);
      const ms = late ? random.between(0, 240_000) : random.between(0, 300);
      // A copy comes under another id, or is the same bytes again.
      const id = copy === 1 || random.chance(0.5) ? `hook-${(this.#events += 1)}` : `hook-${this.#events}`;
      const semanticKey = [repositoryName, name, ...meaning].join(' ');
      world.time.later(ms, () => void this.#deliver({ id, name, repository: repositoryName, semanticKey, event }));
    }
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { history } = this.#world;
    const accepted = await this.#world.anyServer(this.#random)?.receive(delivery);
    if (accepted === true && !history.deliveries.has(delivery.id) && !history.meanings.has(delivery.semanticKey))
      this.#world.violated('P1', `${delivery.id} was accepted and is not kept`);
  }
}

function shortOf(sha: string | null): string {
  return sha === null ? 'nothing' : sha.slice(0, 7);
}
