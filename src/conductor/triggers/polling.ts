/**
 * Webhooks are hints and some never arrive: the remote's branches, tags and open pull requests are looked at all the same,
 * and what has moved goes the way that its webhook would have gone. Keys make the second of the two harmless.
 */
import type { Desk } from '../desk.ts';
import { defaultBranchWrite, lookFirst } from './first-look.ts';
import type { RemoteRefs } from '../../git/git.ts';
import { cancelClosed, pullRequestsUnderWay } from './gone.ts';
import type { Intake } from './intake.ts';
import { tagPrefix } from './match.ts';
import { conductorLimits, type Project } from '../ports.ts';
import { settleMerged } from '../promotion.ts';
import { defaultBranchKey } from '../read.ts';
import { isSilence } from '../silence.ts';
import { lookAtTags } from './tag-looks.ts';
import { Trouble } from '../trouble.ts';

export class Polling {
  readonly #desk: Desk;
  readonly #intake: Intake;
  readonly #trouble = new Trouble();
  readonly #tagTrouble = new Trouble();
  readonly #lastHookAt = new Map<string, number>();
  /** By repository: when its open pull requests were looked at last. */
  readonly #pullRequestsAt = new Map<string, number>();
  /** By repository: pull requests that were found closed without a merge, until they are seen open again. */
  readonly #closed = new Map<string, Set<number>>();

  constructor(desk: Desk, intake: Intake) {
    this.#desk = desk;
    this.#intake = intake;
  }

  /** While hooks arrive, the forge is asked less often; Git, which counts no requests, as often as ever. */
  hookArrived(repository: string): void {
    this.#lastHookAt.set(repository, this.#desk.ports.clock.now());
  }

  async work(repository: string): Promise<void> {
    const { projects, log, jobQueue, clock } = this.#desk.ports;
    const project = projects.get(repository);
    if (project === undefined) return;
    let againMs = project.pollMs;
    try {
      await this.#look(project);
      if (this.#trouble.end(repository)) log.info({ repository }, 'the repository can be looked at again');
    } catch (error) {
      if (isSilence(error)) throw error;
      const met = this.#trouble.meet(repository, String(error), againMs);
      againMs = met.againMs;
      if (met.isNews)
        log.warn({ repository, error: String(error) }, 'the repository could not be looked at; it is tried again');
    }
    jobQueue.wake('outbox');
    jobQueue.wake(`poll:${repository}`, clock.now() + againMs);
  }

  #isForgeDue({ name, pollWithHooksMs }: Project): boolean {
    const now = this.#desk.ports.clock.now();
    const isPast = (at: number | undefined): boolean => at === undefined || at > now || now - at >= pollWithHooksMs;
    return isPast(this.#lastHookAt.get(name)) || isPast(this.#pullRequestsAt.get(name));
  }

  async #look(project: Project): Promise<void> {
    const { journal, clock } = this.#desk.ports;
    const first = await lookFirst(this.#desk, project, null);
    if (!first.ok) throw new Error(first.error);
    const refs = await project.git.remoteRefs();
    if (!refs.ok) throw new Error(refs.error.message);
    const { defaultBranch, branches, tags } = refs.value;
    const known = new Map(await journal.heads(project.name));
    if (known.get(defaultBranchKey) !== (defaultBranch ?? ''))
      await journal.commit([[defaultBranchWrite(project.name, defaultBranch, clock.now())]]);
    known.delete(defaultBranchKey);
    const moved = [...branches].filter(([branch, sha]) => known.get(branch) !== sha);
    const gone = [...known].filter(([branch]) => !branch.startsWith(tagPrefix) && !branches.has(branch));
    for (const [branch, sha] of moved) await this.#pushed(project, branch, known.get(branch) ?? null, sha);
    for (const [branch, before] of gone) await this.#pushed(project, branch, before, null);
    await this.#lookAtTags(project, tags, known);
    // Where Git had news that no hook told of, the forge may have some too.
    if (moved.length + gone.length > 0 || this.#isForgeDue(project)) await this.#lookAtPullRequests(project);
  }

  async #lookAtTags(project: Project, tags: RemoteRefs['tags'], known: ReadonlyMap<string, string>): Promise<void> {
    if (tags.ok) {
      this.#tagTrouble.end(project.name);
      return lookAtTags(this.#desk, this.#intake, { project, tags: tags.value, known });
    }
    const reason = tags.error.message;
    if (this.#tagTrouble.meet(project.name, reason, 0).isNews)
      this.#desk.ports.log.warn(
        { repository: project.name, reason },
        'tags are not looked at; those that a webhook tells of start runs all the same',
      );
  }

  async #pushed(project: Project, branch: string, before: string | null, after: string | null): Promise<void> {
    const ref = `refs/heads/${branch}`;
    const handled = await this.#intake.push(project, { type: 'push', ref, before, after, actor: 'unknown' });
    if ('again' in handled)
      this.#desk.ports.log.warn(
        { repository: project.name, branch, reason: handled.again },
        'a push found by polling waits',
      );
  }

  async #lookAtPullRequests(project: Project): Promise<void> {
    const open = await project.forge.openPullRequests();
    if (!open.ok) throw new Error(open.error.message);
    this.#pullRequestsAt.set(project.name, this.#desk.ports.clock.now());
    for (const pullRequest of open.value) await this.#intake.pullRequest(project, pullRequest, pullRequest.author);
    await this.#lookForMerges(project, new Set(open.value.map((pullRequest) => pullRequest.number)));
  }

  /** Pull requests that have left the open ones with something to decide on, or to cancel. */
  async #lookForMerges(project: Project, open: ReadonlySet<number>): Promise<void> {
    const { journal, log } = this.#desk.ports;
    const running = await pullRequestsUnderWay(this.#desk, project);
    const undecided = await journal.undecidedPullRequests(project.name, conductorLimits.undecidedMax);
    const left = new Set([...running, ...undecided].filter((each) => !open.has(each)));
    const before = this.#closed.get(project.name) ?? new Set();
    const closed = new Set([...left].filter((each) => before.has(each)));
    const unknown = [...left].filter((each) => !closed.has(each));
    for (const number of unknown.slice(0, conductorLimits.leftPerLookMax)) {
      const pullRequest = await project.forge.pullRequest(number);
      if (!pullRequest.ok) log.warn({ number, reason: pullRequest.error.message }, 'a pull request could not be read');
      else if (pullRequest.value.merged)
        await journal.commit([await settleMerged(this.#desk.ports, project.name, number)]);
      else if (pullRequest.value.state === 'closed') {
        await cancelClosed(this.#desk, project, number);
        closed.add(number);
      }
    }
    this.#closed.set(project.name, closed);
  }
}
