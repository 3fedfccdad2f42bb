import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundleProgram } from '../../scripts/program.ts';
import { bundledProgram } from './program.ts';

test('the program is bundled to files of plain ASCII', async () => {
  const folder = dirname(await bundledProgram());
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'));
  assert.ok(files.length > 10);
  for (const name of files) {
    const [sign] = /[^\0-\u007f].*/.exec(readFileSync(join(folder, name), 'utf8')) ?? [null];
    assert.equal(sign, null, name);
  }
});

test('an older Node is told before anything is loaded that it could not read, with how to get another', async () => {
  const older =
    "const versions = { ...process.versions, node: '20.20.2' }; Object.defineProperty(process, 'versions', { value: versions });";
  const given = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, await bundledProgram(), 'check'];
  const { status, stderr } = spawnSync(process.execPath, given, { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /^contender needs Node 24 or newer; this is 20\.20\.2 .*\n {2}Install it, .* node@24/);
});

test('what is beyond ASCII in strings, templates and regular expressions means the same in the bundle', async () => {
  const root = mkdtempSync(join(tmpdir(), 'contender-program-'));
  try {
    const [source, folder] = [join(root, 'signs.ts'), join(root, 'bundle')];
    writeFileSync(
      source,
      `const cooked = ([text = '']: TemplateStringsArray): string => text;
       export const signs = ['– 𝒳', \`… 𝒳\`, cooked\`✓ 𝒳\`, 'a–b𝒳c'.replace(/[–𝒳]/gu, '')]; // ’`,
    );
    mkdirSync(folder);
    await bundleProgram({ entries: [source], folder, urlOf: (path) => JSON.stringify(path) });
    const { signs } = (await import(pathToFileURL(join(folder, 'signs.js')).href)) as { signs: unknown };
    assert.deepEqual(signs, ['– 𝒳', '… 𝒳', '✓ 𝒳', 'abc']);
  } finally {
    rmSync(root, { recursive: true });
  }
});
