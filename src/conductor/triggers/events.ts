/**
 * Runs that others start: by their end, or by the data that they have changed. What was told stands in the journal, in the
 * commit that made it true, and each look does what is left to do; so it may end at any moment, and on any server.
 */
import type { Desk } from '../desk.ts';
import { openFollowers } from './followers.ts';
import { decideNews, openForNews } from './news.ts';
import { conductorLimits } from '../ports.ts';

export class Events {
  readonly #desk: Desk;
  #begun = false;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Before it, what is told is only kept: a process that is there for one run opens no others. */
  begin(): void {
    this.#begun = true;
    this.#desk.ports.jobQueue.wake('events');
  }

  async work(): Promise<void> {
    if (!this.#begun) return;
    const { jobQueue, clock, journal } = this.#desk.ports;
    const followed = await openFollowers(this.#desk);
    const decided = await decideNews(this.#desk);
    const opened = await openForNews(this.#desk);
    const { eventsAgainMs, lookAgainMs } = conductorLimits;
    // Another server may have been told of data, and its hint been lost.
    const isDone = followed && decided && opened && journal.alone;
    jobQueue.wake('events', clock.now() + (isDone ? lookAgainMs : eventsAgainMs));
  }
}
