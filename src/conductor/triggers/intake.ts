/**
 * What came in from a forge, one delivery after the other: a push or pull request is a hint, so everything that matters
 * is read again from Git and the forge, pinned to the commit that it spoke of. Each repository has a job of its own, since
 * its Git may take minutes to answer; within one, webhooks and polling take turns.
 */
import type { PullRequest } from '../../forge/forge.ts';
import type { DeliveryRow } from '../../journal/journal.ts';
import { unreachable } from '../../std/unreachable.ts';
import { backlog } from './backlog.ts';
import type { Desk, Handled } from '../desk.ts';
import { OneAtATime } from '../one-at-a-time.ts';
import { conductorLimits, type Project } from '../ports.ts';
import { handleClosed, handlePullRequest } from './pull-requests.ts';
import { handlePush, type PushEvent } from './pushes.ts';
import { handleRerequested, type RerequestedEvent } from './rerequests.ts';
import { readEvent } from '../stored.ts';

export class Intake {
  readonly #desk: Desk;
  readonly #turns = new OneAtATime();
  /** By delivery that waits: when it first had to. However long ago it came, it has another try. */
  readonly #waitingSince = new Map<string, number>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Wakes the jobs of the repositories that something is pending for. */
  async look(): Promise<void> {
    const { clock, jobQueue } = this.#desk.ports;
    const repositories = new Set<string>();
    for await (const page of this.#pending()) for (const { repository } of page) repositories.add(repository);
    for (const repository of repositories) jobQueue.wake(`intake:${repository}`);
    jobQueue.wake('intake', clock.now() + conductorLimits.lookAgainMs);
  }

  /** Handles what is pending for one repository. What has to wait stays pending, and holds up nothing else. */
  async work(repository: string): Promise<void> {
    for await (const page of this.#pending(repository)) for (const delivery of page) await this.#settle(delivery);
    this.#desk.ports.jobQueue.wake('outbox');
  }

  #pending(repository?: string): AsyncIterable<readonly DeliveryRow[]> {
    const { journal } = this.#desk.ports;
    const limit = conductorLimits.deliveriesPerLookMax;
    return backlog((part) => journal.pendingDeliveries(limit, { ...part, ...(repository && { repository }) }));
  }

  push(project: Project, event: PushEvent): Promise<Handled> {
    return this.#turns.run(project.name, () => handlePush(this.#desk, project, event));
  }

  pullRequest(project: Project, pullRequest: PullRequest, actor: string): Promise<Handled> {
    return this.#turns.run(project.name, () => handlePullRequest(this.#desk, project, pullRequest, actor));
  }

  #rerequested(project: Project, event: RerequestedEvent, deliveryId: string): Promise<Handled> {
    return this.#turns.run(project.name, () => handleRerequested(this.#desk, project, event, deliveryId));
  }

  async #settle(delivery: DeliveryRow): Promise<void> {
    const { journal, clock, jobQueue, log } = this.#desk.ports;
    this.#desk.hookArrived(delivery.repository);
    const handled = await this.#handle(delivery).catch((error: unknown): Handled => ({ again: String(error) }));
    const at = clock.now();
    if ('again' in handled && this.#mayWait(delivery.id, at)) {
      log.warn({ delivery: delivery.id, reason: handled.again }, 'a delivery waits');
      jobQueue.wake(`intake:${delivery.repository}`, at + conductorLimits.deliveryAgainMs);
      return;
    }
    const end = 'again' in handled ? { state: 'failed' as const, note: handled.again } : handled;
    if (end.state === 'failed') log.error({ delivery: delivery.id, reason: end.note }, 'a delivery failed');
    await journal.commit([[{ write: 'delivery-done', id: delivery.id, state: end.state, note: end.note, at }]]);
    this.#waitingSince.delete(delivery.id);
  }

  #mayWait(id: string, at: number): boolean {
    const since = this.#waitingSince.get(id);
    if (since === undefined) this.#waitingSince.set(id, at);
    return since === undefined || at - since < conductorLimits.commitLateMaxMs;
  }

  async #handle(delivery: DeliveryRow): Promise<Handled> {
    const project = this.#desk.ports.projects.get(delivery.repository);
    if (project === undefined) return { state: 'ignored', note: 'the repository is not in the configuration' };
    const event = readEvent(delivery.body);
    if (event === null) return { state: 'failed', note: 'the event was written by another version' };
    switch (event.type) {
      case 'push':
        return this.push(project, event);
      case 'pull-request':
        if (event.action === 'closed') return handleClosed(this.#desk, project, event.pullRequest);
        return this.pullRequest(project, event.pullRequest, event.actor);
      case 'rerequested':
        return this.#rerequested(project, event, delivery.id);
      case 'comment':
        return { state: 'ignored', note: 'comments are not acted on' };
      case 'ping':
        return { state: 'done', note: 'pong' };
      case 'ignored':
        return { state: 'ignored', note: event.reason };
      default:
        return unreachable(event);
    }
  }
}
