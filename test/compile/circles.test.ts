import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createCompiler } from '../../src/compile/compiler.ts';
import { commitOf, placesOf } from './sources.ts';

const compiler = await createCompiler({ evaluationMs: 300, evaluationKillMs: 30_000 });
after(async () => await compiler.close());

function follower(name: string, of: string): string {
  return `import { pipeline, step } from 'contender';

export default pipeline('${name}', { on: { pipeline: '${of}' } }, () => {
  step('only', { command: ['true'] });
});
`;
}

test('pipelines that start one another for ever are refused where they are defined, and others are not', async () => {
  const compiled = await compiler.compile(
    commitOf({
      '.pipelines/a.ts': follower('a', 'b'),
      '.pipelines/b.ts': follower('b', 'a'),
      '.pipelines/c.ts': follower('c', 'b'),
      '.pipelines/d.ts': follower('d', 'elsewhere'),
    }),
  );
  assert.deepEqual(placesOf(compiled), [
    '.pipelines/a.ts:3:16 definition-circle',
    '.pipelines/b.ts:3:16 definition-circle',
  ]);
  assert.match(compiled[0]?.problems[0]?.message ?? '', /"a" starts "b", which starts "a": they would run for ever/);
});

test('a pipeline that starts itself is refused', async () => {
  const [compiled] = await compiler.compile(commitOf({ '.pipelines/a.ts': follower('a', 'a') }));
  assert.match(compiled?.problems[0]?.message ?? '', /"a" starts itself/);
});

test('a commit that breaks the circle is right again, though its files were known', async () => {
  const files = { '.pipelines/a.ts': follower('a', 'b'), '.pipelines/b.ts': follower('b', 'a') };
  await compiler.compile(commitOf(files));
  const mended = await compiler.compile(commitOf({ '.pipelines/a.ts': files['.pipelines/a.ts'] }));
  assert.deepEqual(placesOf(mended), []);
});
