import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { buildAssets, writePrebuiltAssets } from '../../src/ui/assets.ts';
import { temporaryFolder } from '../support/git-remote.ts';

test('what a page loads is small, named by its bytes, and the same every time', async () => {
  const [first, second] = await Promise.all([buildAssets(), buildAssets()]);
  assert.deepEqual(first.names, second.names);
  const assets = [...first.byName.values()];
  assert.equal(assets.length, 3);
  for (const { name, bytes, gzipped } of assets) {
    assert.match(name, /^(?:contender|icon)-[\w-]{12}\.(?:js|css|svg)$/);
    assert.deepEqual(gunzipSync(gzipped), Buffer.from(bytes));
  }
  assert.ok(assets.reduce((sum, { gzipped }) => sum + gzipped.length, 0) < 45_000);
});

test('the package carries script and style ready made, with nothing of Node in them', async (t) => {
  const folder = temporaryFolder(t);
  await writePrebuiltAssets(folder);
  const [script, style] = ['contender.js', 'contender.css'].map((name) =>
    readFileSync(join(folder, 'prebuilt', name), 'utf8'),
  );
  assert.ok(
    script !== undefined && style !== undefined && gzipSync(script).length > 5000 && gzipSync(style).length > 1000,
  );
  assert.equal(/node:|\brequire\(/.test(script), false);
});

test('no page sets HTML, evaluates text or writes style attributes', () => {
  const folder = join(import.meta.dirname, '../../src/ui');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )) {
    const source = readFileSync(join(folder, file), 'utf8');
    assert.equal(
      /dangerouslySetInnerHTML|(?:inner|outer)HTML\s*=[^=]|insertAdjacentHTML|document\.write|\beval\(|new Function\(|\sstyle=/.test(
        source,
      ),
      false,
      file,
    );
  }
});
