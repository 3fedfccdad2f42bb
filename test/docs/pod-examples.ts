/** The examples of docs/pods.md, compiled, and their pods as an attempt would be given them. */
import type { V1Pod } from '@kubernetes/client-node';
import type { Compiled } from '../../src/compile/compile.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { podOf, type PodSettings, type ResolvedContainer } from '../../src/executor/kubernetes/pod.ts';
import type { Binding, StepDefinition, Template } from '../../src/pipeline/definition.ts';
import { isJsonObject, type Json } from '../../src/std/json.ts';
import { commitOf } from '../compile/sources.ts';
import { command, specOf } from '../executor/workshop.ts';
import { pageOf, sourcesOf } from './blocks.ts';

export const podExamples = sourcesOf(pageOf('pods.md')).map(({ source }) => ({
  name: /pipeline\('([a-z-]+)'/.exec(source)?.[1] ?? '',
  source,
}));

export interface ExamplePod {
  /** `<pipeline>/<step>`. */
  readonly step: string;
  /** 2: after one that ran out of memory. */
  readonly attempt: number;
  readonly pod: V1Pod;
}

/** Of each step that says something of its pod. */
export async function podsOfExamples(settings: PodSettings): Promise<readonly ExamplePod[]> {
  const compiler = await createCompiler();
  try {
    const files = podExamples.map(({ name, source }) => [`.pipelines/${name}.ts`, source]);
    return (await compiler.compile(commitOf(Object.fromEntries(files)))).flatMap((each) => podsOf(each, settings));
  } finally {
    await compiler.close();
  }
}

function podsOf({ version }: Compiled, settings: PodSettings): readonly ExamplePod[] {
  if (version === null) throw new Error('an example of docs/pods.md does not compile');
  const { name, steps } = version.definition;
  return steps.flatMap((step) => {
    if (step.pod === undefined) return [];
    const tries = step.memory?.growth === undefined ? [1] : [1, 2];
    return tries.map((attempt) => ({
      step: `${name}/${step.name}`,
      attempt,
      pod: podOfAttempt(step, attempt, settings),
    }));
  });
}

function podOfAttempt(step: StepDefinition, attempt: number, settings: PodSettings): V1Pod {
  const { memory } = step;
  const memoryBytes = memory === undefined ? null : memory.bytes * (memory.growth?.factor ?? 1) ** (attempt - 1);
  const spec = specOf(command('true'));
  const context = { ...spec.context, step: step.name, attempt, memoryBytes };
  const words = step.pod === undefined ? {} : valueOf(step.pod);
  return podOf(
    {
      name: `example-${attempt}`,
      id: spec.attemptId,
      task: { type: 'attempt', spec: { ...spec, context } },
      token: 'token',
      container: containerOf(step),
      words: isJsonObject(words) ? words : {},
    },
    settings,
  );
}

function containerOf({ work }: StepDefinition): ResolvedContainer | null {
  if (work.kind !== 'container') return null;
  const { image, args, resources } = work;
  return { image: textOf(image), command: [], args: args.map(textOf), environment: {}, resources };
}

/** As in a run in which every value is the same text. */
const valueOfRun = 'value-of-the-run';

function valueOf(binding: Binding): Json {
  if ('literal' in binding) return binding.literal;
  if ('template' in binding) return textOf(binding.template);
  if ('reference' in binding) return valueOfRun;
  if ('list' in binding) return binding.list.map(valueOf);
  return Object.fromEntries(Object.entries(binding.record).map(([name, inner]) => [name, valueOf(inner)]));
}

function textOf(template: Template): string {
  if (typeof template === 'string') return template;
  return template.map((part) => (typeof part === 'string' ? part : valueOfRun)).join('');
}
