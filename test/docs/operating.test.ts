import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { exitStatus } from '../../src/cli/exit-status.ts';
import { configFileSchema } from '../../src/config/schema.ts';
import { sourceTreesKeptMax } from '../../src/git/source-trees.ts';
import { good } from '../cli/pipelines.ts';
import { createProject } from '../cli/sandbox.ts';
import { pageOf } from './blocks.ts';

const page = pageOf('operating.md');

/** Rows of the table below a heading: the cells of each. */
function rowsBelow(heading: string): readonly (readonly string[])[] {
  const section = page.split(`${heading}\n`)[1]?.split(/^#/m)[0] ?? '';
  const rows = section.matchAll(/^\| (.*) \|$/gm);
  return [...rows].map(([, row = '']) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly default?: unknown;
}

/** `server.port`, `repositories[].url`: each setting with its default, if the schema has one. */
function settingsOf(schema: Schema, path = ''): readonly (readonly [name: string, value: unknown])[] {
  if (schema.items?.properties !== undefined) return [[path, schema.default], ...settingsOf(schema.items, `${path}[]`)];
  if (schema.properties === undefined) return [[path, schema.default]];
  const prefix = path === '' ? '' : `${path}.`;
  return Object.entries(schema.properties).flatMap(([name, inner]) => settingsOf(inner, prefix + name));
}

const settings = settingsOf(z.toJSONSchema(configFileSchema, { io: 'input', unrepresentable: 'any' }) as Schema);
const rows = rowsBelow('## Settings');

test('docs/operating.md lists each setting of contender.yaml, and none that there is not', () => {
  const listed = rows.flatMap(([name = '']) => /^`([a-z][\w.[\]]*)`$/i.exec(name)?.[1] ?? []);
  const files = listed.filter((name) => !name.startsWith('CONTENDER_'));
  assert.deepEqual(files.toSorted(), settings.map(([name]) => name).toSorted());
});

for (const [name, value] of settings.filter(([, value]) => value !== undefined)) {
  test(`docs/operating.md is right about the default of ${name}`, () => {
    const shown = rows.find(([cell]) => cell === `\`${name}\``)?.[1];
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    assert.equal(shown?.replaceAll('`', '').replace('[{ url: . }]', '[{"url":"."}]'), text);
  });
}

test('docs/operating.md lists each variable that the configuration reads, and none that it does not', () => {
  const folder = join(import.meta.dirname, '../../src/config');
  const source = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
  const read = new Set([...source.matchAll(/CONTENDER_[A-Z_]*[A-Z]/g)].map(([name]) => name));
  const prefixes = new Set(['CONTENDER_SECRET', 'CONTENDER_NOTIFY']);
  const generic = new Set([...read].map((name) => (prefixes.has(name) ? `${name}_NAME` : name)));
  const listed = rows.flatMap(([name = '']) => /^`(CONTENDER_\w+)`$/.exec(name)?.[1] ?? []);
  assert.deepEqual(listed.toSorted(), [...generic].toSorted());
});

test('docs/operating.md lists each exit status, and none that there is not', () => {
  const listed = rowsBelow('## Commands and their exit statuses').flatMap(([cell = '']) =>
    /^\d+$/.test(cell) ? Number(cell) : [],
  );
  assert.deepEqual(
    listed,
    Object.values(exitStatus).toSorted((a, b) => a - b),
  );
});

test('docs/operating.md names each file that a server leaves in its folder', async () => {
  const sandbox = createProject({ '.pipelines/good.ts': good });
  try {
    const server = sandbox.start(['serve', '--port', '0']);
    await server.until(/is at \S+, watching/);
    assert.equal((await sandbox.run(['run', 'good'])).status, 0);
    const during = readdirSync(join(sandbox.folder, '.contender'));
    server.kill('SIGTERM');
    await server.ended;
    const named = new Set(
      rowsBelow('### Files of the embedded store').flatMap(([cell = '']) =>
        [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
      ),
    );
    // SQLite's own, for as long as the lock is held.
    const found = during.filter((name) => name !== 'server.lock-journal');
    assert.deepEqual(
      found.filter((name) => !named.has(name)),
      [],
    );
    assert.ok(found.length >= 10, found.join(' '));
  } finally {
    await sandbox.remove();
  }
});

test('docs/operating.md says that runs stay for good, and no statement removes one', () => {
  assert.match(page, /\*\*Runs stay for good\*\*/);
  assert.ok(page.includes(`the ${sourceTreesKeptMax} newest of each repository`));
  const folder = join(import.meta.dirname, '../../src/journal');
  const statements = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
  const cleared = [...statements.matchAll(/delete from (\w+)/g)].map(([, table]) => table);
  // Sessions, the cache and orders are named as bounded; the others say how things stand, not what happened.
  const bounded = ['session', 'step_cache', 'run_order'];
  assert.deepEqual(new Set(cleared), new Set([...bounded, 'branch_head', 'data_listener']));
  assert.ok(page.includes('what was asked and answered (a week)'));
});
