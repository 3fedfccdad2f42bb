import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line, Share } from '../../src/compile/line.ts';

test('what was not tried yet comes before what was, and a commit that had less before one that had more', async () => {
  const line = new Line();
  const [busy, fresh] = [new Share(1000), new Share(1000)];
  busy.usedMs = 500;
  const order: string[] = [];
  const enter = (name: string, share: Share, wasTried: boolean): Promise<unknown> =>
    line.inTurn(share, wasTried, async () => order.push(name));
  await Promise.all([
    enter('whoever is first', busy, false),
    enter('again', busy, true),
    enter('for the first time', busy, false),
    enter('fresh, again', fresh, true),
    enter('fresh', fresh, false),
  ]);
  assert.deepEqual(order, ['whoever is first', 'fresh', 'fresh, again', 'for the first time', 'again']);
});

test('who has used up its share does not work, and the line goes on after work that failed', async () => {
  const line = new Line();
  const share = new Share(1000);
  const failing = line.inTurn(share, false, () => Promise.reject(new Error('broken')));
  await assert.rejects(failing, /broken/);
  assert.equal(await line.inTurn(share, false, async () => 'done'), 'done');
  share.usedMs = 1000;
  assert.equal(await line.inTurn(share, false, () => assert.fail('it works')), null);
});
