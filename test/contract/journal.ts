/** What every journal promises, whatever keeps it. `open` gives an empty one, which the suite closes. */
import { describe, test } from 'node:test';
import type { Journal } from '../../src/journal/journal.ts';
import { runs, pages } from './journal-runs.ts';
import { cache } from './journal-cache.ts';
import { commits, together } from './journal-commits.ts';
import { deliveries, versions, ticks } from './journal-intake.ts';
import { outboxRows, evaluations, odds } from './journal-outbox.ts';
import { backfills } from './journal-backfills.ts';
import { dataEvents, openParts, runEnds } from './journal-events.ts';
import { lease } from './journal-lease.ts';
import { orders } from './journal-orders.ts';
import { requests } from './journal-requests.ts';
import { sessions } from './journal-sessions.ts';
import type { Use } from './journal-suite.ts';

export function journalContract(name: string, open: () => Promise<Journal>, skip: string | false = false): void {
  const use: Use = (title, body) => {
    test(title, { skip }, async () => {
      const journal = await open();
      try {
        await body(journal);
      } finally {
        await journal.close();
      }
    });
  };
  describe(`a journal in ${name}`, () => {
    runs(use);
    pages(use);
    requests(use);
    orders(use);
    lease(use);
    sessions(use);
    backfills(use);
    runEnds(use);
    openParts(use);
    dataEvents(use);
    commits(use);
    together(use);
    deliveries(use);
    versions(use);
    ticks(use);
    outboxRows(use);
    evaluations(use);
    odds(use);
    cache(use);
  });
}
