/** Each example in TypeScript of the README and the pages is as the editor of its reader wants it, and compiles. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { typesForTheEditor } from '../../src/cli/init.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { commitOf } from '../compile/sources.ts';
import { docs, pageOf, sourcesOf } from './blocks.ts';

const repository = join(docs, '..');
/** What the examples take for their reader's own. */
const readersOwn = `declare module 'my-models' {
  export function evaluate(model: string, rows: string): { label: number; score: number }[];
}
`;

const pages = ['../README.md', ...readdirSync(docs).filter((name) => name.endsWith('.md'))];
const sources = pages.flatMap((page) =>
  sourcesOf(pageOf(page)).flatMap(({ line, source }) => {
    const name = `${page.replaceAll(/^\.\.\/|\.md$/g, '')}-${line}`;
    if (source.includes("from 'contender'")) return [[name, source] as const];
    return source
      .trim()
      .split('\n')
      .map((part, index) => [`${name}-${index + 1}`, around(part)] as const);
  }),
);

/** Of a pipeline, a page may show the options or a step alone. */
function around(line: string): string {
  const [options, body] = line.startsWith('on:') ? [line, "step('a', { command: ['true'] });"] : ['', line];
  return `import { pipeline, step } from 'contender';
export default pipeline('example', { ${options} }, () => { ${body} });`;
}

test('the examples of all pages have the types of contender', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'contender-examples-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  symlinkSync(repository, join(modules, 'contender'));
  symlinkSync(join(repository, 'node_modules/@types/node'), join(modules, '@types/node'));
  for (const [name, source] of sources) writeFileSync(join(folder, `${name}.ts`), source);
  writeFileSync(join(folder, 'readers-own.d.ts'), readersOwn);
  writeFileSync(join(folder, 'tsconfig.json'), typesForTheEditor);
  // The types of the package are those of its sources, which need no build.
  const args = [join(repository, 'node_modules/typescript/bin/tsc'), '--customConditions', 'contender-source'];
  const said = await promisify(execFile)(process.execPath, args, { cwd: folder }).catch((error: unknown) => error);
  assert.ok(typeof said === 'object' && said !== null && 'stdout' in said);
  assert.equal(said.stdout, '');
});

test('the examples of all pages compile', async () => {
  for (const page of ['README', 'authoring', 'notifications', 'pods', 'schedules', 'steps', 'triggers', 'workers'])
    assert.ok(
      sources.some(([name]) => name.startsWith(`${page}-`)),
      page,
    );
  const compiler = await createCompiler();
  try {
    for (const [name, source] of sources) {
      const [compiled] = await compiler.compile(commitOf({ [`.pipelines/${name}.ts`]: source }));
      assert.deepEqual(compiled?.problems, [], name);
    }
  } finally {
    await compiler.close();
  }
});
