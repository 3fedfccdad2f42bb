/** Each example of docs/pods.md compiles and gives a pod, what it shows of a mistake is what is said, and it lists every word. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createCompiler } from '../../src/compile/compiler.ts';
import { podType } from '../../src/compile/pod-types.ts';
import { formatProblem } from '../../src/std/problem.ts';
import { commitOf } from '../compile/sources.ts';
import { amountOf } from '../../src/std/quantity.ts';
import { podSettings } from '../executor/kubernetes/pod-settings.ts';
import { pageOf } from './blocks.ts';
import { podExamples, podsOfExamples } from './pod-examples.ts';

const page = pageOf('pods.md');
const compiler = await createCompiler();
after(async () => await compiler.close());

for (const { name, source } of podExamples) {
  test(`the pipeline "${name}" of docs/pods.md compiles`, async () => {
    const [compiled] = await compiler.compile(commitOf({ [`.pipelines/${name}.ts`]: source }));
    assert.deepEqual(compiled?.problems, []);
    assert.ok(compiled?.version?.definition.steps.some(({ pod }) => pod !== undefined));
  });
}

test('no pod of an example asks for more than it may take, not when its memory has grown either', async () => {
  const pods = await podsOfExamples(podSettings);
  assert.deepEqual(
    pods.map(({ step, attempt }) => `${step} ${attempt}`),
    [
      'cluster-secrets/load 1',
      'large-memory/join 1',
      'large-memory/join 2',
      'patched/train 1',
      'train-in-cuda-image/train 1',
      'train-on-gpu/features 1',
      'train-on-gpu/train 1',
      'train-on-spot/train 1',
      'train-on-volume/train 1',
      'with-proxy/score 1',
    ],
  );
  const over = pods.flatMap(({ step, attempt, pod }) =>
    (pod.spec?.containers ?? []).flatMap(({ resources }) =>
      Object.entries(resources?.requests ?? {}).flatMap(([name, asked]) => {
        const may = resources?.limits?.[name];
        return may !== undefined && amountOf(asked) > amountOf(may)
          ? [`${step} ${attempt}: ${name} ${asked} of ${may}`]
          : [];
      }),
    ),
  );
  assert.deepEqual(over, []);
});

test('the mistake that docs/pods.md shows is told so', async () => {
  const source = podExamples[0]?.source ?? '';
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
