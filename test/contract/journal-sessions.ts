/** Who has logged in. */
import assert from 'node:assert/strict';
import { at } from '../support/journal-values.ts';
import { mustKeep, type Use } from './journal-suite.ts';

export function sessions(use: Use): void {
  use('knows a session until it is ended, with when it was last in use', async (journal) => {
    assert.equal(await journal.session('a'), null);
    await mustKeep(journal, { write: 'session', digest: 'a', endsAt: at + 9, at });
    assert.deepEqual(await journal.session('a'), { endsAt: at + 9, usedAt: at });
    await mustKeep(journal, { write: 'session-used', digest: 'a', at: at + 2 });
    await mustKeep(journal, { write: 'session-used', digest: 'a', at: at + 1 });
    assert.deepEqual(await journal.session('a'), { endsAt: at + 9, usedAt: at + 2 });
    await mustKeep(journal, { write: 'session-ended', digest: 'a' });
    assert.equal(await journal.session('a'), null);
    await mustKeep(journal, { write: 'session-used', digest: 'a', at: at + 3 });
    assert.equal(await journal.session('a'), null, 'what has ended is not begun by a late request');
  });

  use('throws sessions whose time is over away with the next that comes', async (journal) => {
    await mustKeep(journal, { write: 'session', digest: 'a', endsAt: at + 9, at });
    await mustKeep(journal, { write: 'session', digest: 'b', endsAt: at + 20, at: at + 8 });
    assert.notEqual(await journal.session('a'), null);
    await mustKeep(journal, { write: 'session', digest: 'c', endsAt: at + 20, at: at + 9 });
    assert.equal(await journal.session('a'), null);
    assert.notEqual(await journal.session('b'), null);
  });
}
