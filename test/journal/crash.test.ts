import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { append, openRun, runId, scheduled, versionsWrite } from '../support/journal-values.ts';
import { killAfterLines, startChild, temporaryFolder } from './children.ts';

const clock = { now: () => 5 };

test('everything that was acknowledged is there after each of twenty kills', async (context) => {
  const directory = temporaryFolder(context);
  for (let kill = 1; kill <= 20; kill += 1) {
    const acknowledged = await killAfterLines(startChild(context, 'append', directory), randomInt(1, 60));
    const journal = await openSqliteJournal({ directory, clock });
    const events = await journal.events(runId(1));
    await journal.close();
    assert.ok(
      events.length >= Number(acknowledged.at(-1)),
      `kill ${kill}: ${acknowledged.at(-1)} acknowledged, ${events.length} there`,
    );
    // Two events a commit: half a commit would leave an even number (the first event is the opening).
    assert.equal(events.length % 2, 1);
    const later = events.slice(1).map((event) => (event.type === 'step-scheduled' ? event.index : null));
    assert.deepEqual(
      later,
      later.map((_, index) => index - (index % 2) + 1),
    );
  }
});

test('a journal that was being made when its server was killed is made again', async (context) => {
  const folder = temporaryFolder(context);
  for (let kill = 1; kill <= 5; kill += 1) {
    const root = join(folder, String(kill));
    mkdirSync(root);
    await killAfterLines(startChild(context, 'open', root), randomInt(1, 6));
    for (const number of readdirSync(root)) {
      const journal = await openSqliteJournal({ directory: join(root, number), clock });
      assert.deepEqual(
        await journal.commit([[versionsWrite, openRun(runId(1)), append(runId(1), 1, [scheduled('a')])]]),
        [{ ok: true }],
      );
      await journal.close();
    }
  }
});

test('what a killed first start left behind is thrown away', async (context) => {
  const directory = temporaryFolder(context);
  writeFileSync(join(directory, 'journal.sqlite.unfinished'), 'half a journal');
  writeFileSync(join(directory, 'journal.sqlite.unfinished-journal'), 'half a page');
  const journal = await openSqliteJournal({ directory, clock });
  assert.deepEqual(await journal.unfinishedRuns(), []);
  await journal.close();
  assert.deepEqual(readdirSync(directory).sort(), ['journal.sqlite', 'server.lock']);
});
