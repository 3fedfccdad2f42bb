/**
 * Runs that others start: by their end, or by the data that they have changed. What was told stands in the journal, in the
 * commit that made it true, and each look does what is left to do; so it may end at any moment, and on any server. Each
 * repository has a job of its own, since its Git may take minutes to answer.
 */
import type { Desk } from '../desk.ts';
import { openEnds, openFollowers } from './followers.ts';
import { decideNews, decideNewsFromOutside, openForNews } from './news.ts';
import { conductorLimits, type Project } from '../ports.ts';
import { Trouble } from '../trouble.ts';

export class Events {
  readonly #desk: Desk;
  readonly #trouble = new Trouble();
  #begun = false;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Before it, what is told is only kept: a process that is there for one run opens no others. */
  begin(): void {
    this.#begun = true;
    this.#desk.ports.jobQueue.wake('events');
  }

  /** Wakes the jobs of the repositories that something is left to do for. */
  async look(): Promise<void> {
    if (!this.#begun) return;
    const { ports } = this.#desk;
    const { jobQueue, clock, journal } = ports;
    const repositories = new Set(await decideNewsFromOutside(ports));
    for await (const ends of openEnds(journal)) for (const { opened } of ends) repositories.add(opened.repository);
    for (const { repository } of await journal.listenersWithNews()) repositories.add(repository);
    for (const repository of repositories) jobQueue.wake(`events:${repository}`);
    const { eventsAgainMs, lookAgainMs } = conductorLimits;
    // Another server may have been told of data, and its hint been lost.
    jobQueue.wake('events', clock.now() + (journal.alone ? lookAgainMs : eventsAgainMs));
  }

  async work(repository: string): Promise<void> {
    const { projects, jobQueue, clock, log } = this.#desk.ports;
    const waits = await this.#open(repository, projects.get(repository) ?? null);
    if (waits === null) {
      if (this.#trouble.end(repository)) log.info({ repository }, 'what runs and data start waits no more');
      return;
    }
    if (this.#trouble.meet(repository, waits, 0).isNews)
      log.warn({ repository, reason: waits }, 'what runs and data start has to wait; it is tried again');
    jobQueue.wake(`events:${repository}`, clock.now() + conductorLimits.eventsAgainMs);
  }

  /** Why some of it has to wait, or null. */
  async #open(repository: string, project: Project | null): Promise<string | null> {
    const followed = await openFollowers(this.#desk, repository, project);
    const decided = await decideNews(this.#desk, repository, project);
    const opened = project === null ? null : await openForNews(this.#desk, project);
    return followed ?? decided ?? opened;
  }
}
