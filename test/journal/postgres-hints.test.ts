/** Words between servers on one PostgreSQL, over connections that are ended. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import type { Journal } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres.ts';
import { postgresMissing, runSql, startPostgres, type TestPostgres } from '../support/postgres.ts';

const skip = postgresMissing();
let postgres: TestPostgres | null = null;
before(async () => {
  if (skip === false) postgres = await startPostgres();
});
after(() => postgres?.stop());

async function open(context: TestContext, url: string): Promise<Journal> {
  const journal = await openPostgresJournal({ url, clock: { now: () => 5 } });
  context.after(() => journal.close());
  return journal;
}

/** Told again until somebody has heard: a hint may be lost. */
async function untilHeard(teller: Journal, heard: readonly string[], word: string): Promise<void> {
  for (let tries = 0; tries < 2000 && !heard.includes(word); tries += 1) {
    teller.hint(word);
    await moment(10);
  }
  assert.ok(heard.includes(word), `nobody heard ${word}`);
}

test(
  'a hint is heard by the others, not by its teller, and again after the connection was ended',
  { skip },
  async (context) => {
    const url = (await postgres?.database()) ?? '';
    const [one, other] = [await open(context, url), await open(context, url)];
    const heardByOne: string[] = [];
    const heardByOther: string[] = [];
    one.listen((word) => heardByOne.push(word));
    const unlisten = other.listen((word) => heardByOther.push(word));
    await untilHeard(one, heardByOther, 'run:1');
    await untilHeard(other, heardByOne, 'news');
    assert.equal(heardByOne.includes('run:1'), false);
    await runSql(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'contender' and query like 'listen%'`,
    );
    await untilHeard(one, heardByOther, 'run:2');
    unlisten();
    const before = heardByOther.length;
    await untilHeard(other, heardByOne, 'lease');
    assert.equal(heardByOther.length, before);
  },
);
