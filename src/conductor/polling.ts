/**
 * Webhooks are hints and some never arrive: the remote's branches and open pull requests are looked at all the same, and
 * what has moved goes the way that its webhook would have gone. Keys make the second of the two harmless.
 */
import type { Sha } from '../git/git.ts';
import type { Intake } from './intake.ts';
import type { ConductorPorts, Project } from './ports.ts';
import { settleMerged } from './promotion.ts';

export class Polling {
  readonly #ports: ConductorPorts;
  readonly #intake: Intake;
  readonly #headMoved: (repository: string) => void;
  readonly #lastHookAt = new Map<string, number>();

  constructor(ports: ConductorPorts, intake: Intake, headMoved: (repository: string) => void) {
    this.#ports = ports;
    this.#intake = intake;
    this.#headMoved = headMoved;
  }

  /** While hooks arrive, the remote is looked at less often. */
  hookArrived(repository: string): void {
    this.#lastHookAt.set(repository, this.#ports.clock.now());
  }

  async work(repository: string): Promise<void> {
    const project = this.#ports.projects.get(repository);
    if (project === undefined) return;
    try {
      await this.#look(project);
    } catch (error) {
      this.#ports.log.warn({ repository, error: String(error) }, 'the repository could not be looked at');
    }
    this.#ports.jobQueue.wake(`poll:${repository}`, this.#ports.clock.now() + this.#interval(project));
  }

  #interval(project: Project): number {
    const last = this.#lastHookAt.get(project.name);
    const hooksArrive = last !== undefined && this.#ports.clock.now() - last < project.pollWithHooksMs;
    return hooksArrive ? project.pollWithHooksMs : project.pollMs;
  }

  async #look(project: Project): Promise<void> {
    const branches = await project.git.remoteBranches();
    if (!branches.ok) throw new Error(branches.error.message);
    const known = await this.#ports.journal.heads(project.name);
    if (known.size === 0) {
      await this.#begin(project, branches.value);
      return;
    }
    for (const [branch, sha] of branches.value) {
      const before = known.get(branch) ?? null;
      if (before !== sha) await this.#pushed(project, branch, before, sha);
    }
    for (const [branch, before] of known) {
      if (!branches.value.has(branch)) await this.#pushed(project, branch, before, null);
    }
    await this.#lookAtPullRequests(project);
  }

  /** A repository seen for the first time: where its branches stand is noted, and nothing runs for what was there before. */
  async #begin(project: Project, branches: ReadonlyMap<string, Sha>): Promise<void> {
    const fetched = await project.git.fetch();
    if (!fetched.ok) throw new Error(fetched.error.message);
    const at = this.#ports.clock.now();
    const heads = [...branches].map(
      ([branch, sha]) => ({ write: 'head', repository: project.name, branch, sha, at }) as const,
    );
    await this.#ports.journal.commit([heads]);
    this.#headMoved(project.name);
  }

  async #pushed(project: Project, branch: string, before: string | null, after: string | null): Promise<void> {
    const handled = await this.#intake.push(project, {
      type: 'push',
      ref: `refs/heads/${branch}`,
      before,
      after,
      actor: 'unknown',
    });
    if ('again' in handled)
      this.#ports.log.warn(
        { repository: project.name, branch, reason: handled.again },
        'a push found by polling waits',
      );
  }

  async #lookAtPullRequests(project: Project): Promise<void> {
    const open = await project.forge.openPullRequests();
    if (!open.ok) throw new Error(open.error.message);
    for (const pullRequest of open.value) await this.#intake.pullRequest(project, pullRequest, pullRequest.author);
    const openNumbers = new Set(open.value.map((pullRequest) => pullRequest.number));
    for (const row of await this.#ports.journal.evaluations({ limit: 200 })) {
      if (
        row.repository !== project.name ||
        row.state !== 'reported' ||
        row.pullRequest === null ||
        openNumbers.has(row.pullRequest)
      )
        continue;
      await this.#ports.journal.commit([await settleMerged(this.#ports, project.name, row.pullRequest)]);
    }
  }
}
