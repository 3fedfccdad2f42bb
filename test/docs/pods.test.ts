/** Each example of docs/pods.md compiles, what it shows of a mistake is what is said, and it lists every word. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createCompiler } from '../../src/compile/compiler.ts';
import { podType } from '../../src/compile/pod-types.ts';
import { formatProblem } from '../../src/std/problem.ts';
import { commitOf } from '../compile/sources.ts';
import { pageOf } from './blocks.ts';

const page = pageOf('pods.md');
const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, source = '']) => source);
const compiler = await createCompiler();
after(async () => await compiler.close());

for (const source of examples) {
  const name = /pipeline\('([a-z-]+)'/.exec(source)?.[1] ?? '';
  test(`the pipeline "${name}" of docs/pods.md compiles`, async () => {
    const [compiled] = await compiler.compile(commitOf({ [`.pipelines/${name}.ts`]: source }));
    assert.deepEqual(compiled?.problems, []);
    assert.ok(compiled?.version?.definition.steps.some(({ pod }) => pod !== undefined));
  });
}

test('the mistake that docs/pods.md shows is told so', async () => {
  const [source = ''] = examples;
  const file = '.pipelines/train-on-gpu.ts';
  const [compiled] = await compiler.compile(commitOf({ [file]: source.replace("effect: 'N", "efect: 'N") }));
  const shown = /^```text\n([\s\S]*?)^```$/m.exec(page)?.[1]?.trimEnd();
  assert.equal(compiled?.problems.map(formatProblem).join('\n'), shown);
});

test('docs/pods.md lists each word of a pod, and none that there is not', () => {
  const rows = page.match(/^\| `.*$/gm) ?? [];
  const listed = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, word = '']) => word),
  );
  assert.deepEqual(listed.toSorted(), [...(podType('PodOptions')?.keys() ?? [])].toSorted());
});
