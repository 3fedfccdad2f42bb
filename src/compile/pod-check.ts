/** What the steps of a definition say of their pods, judged; the same mistake of the pipeline's defaults is told once. */
import type { Binding, PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import { definitionLimits } from '../pipeline/definition-limits.ts';
import { checkPodFields, excessBeside, type PodFault } from './pod-fields.ts';

export interface WrongPod {
  /** The first that says it. */
  readonly step: string;
  readonly message: string;
  readonly help: string;
}

export interface CheckedPods {
  readonly definition: PipelineDefinition;
  readonly wrong: readonly WrongPod[];
}

export function checkPods(definition: PipelineDefinition): CheckedPods {
  if (!definition.steps.some(({ pod }) => pod !== undefined)) return { definition, wrong: [] };
  const faults = new Map<string, { readonly steps: string[]; readonly fault: PodFault }>();
  const steps = definition.steps.map((step): StepDefinition => {
    if (step.pod === undefined) return step;
    const checked = checkPod(step.pod);
    const beside = step.work.kind === 'container' ? excessBeside(step.pod, step.work.resources) : null;
    for (const fault of beside === null ? checked.faults : [...checked.faults, beside]) {
      const key = `${fault.path}: ${fault.what}`;
      const known = faults.get(key) ?? { steps: [], fault };
      known.steps.push(step.name);
      faults.set(key, known);
    }
    return { ...step, pod: checked.pod };
  });
  const wrong = [...faults].map(
    ([
      sentence,
      {
        steps: [step = '', ...others],
        fault,
      },
    ]): WrongPod => {
      const more = others.length === 0 ? '' : ` (and of ${others.length} more)`;
      return { step, message: `the pod of "${step}"${more}: ${sentence}`, help: fault.help };
    },
  );
  return { definition: { ...definition, steps }, wrong };
}

function checkPod(pod: Binding): ReturnType<typeof checkPodFields> {
  const max = definitionLimits.podBytesMax;
  // Its size is that of the text that the journal keeps, and the executor gets.
  if (JSON.stringify(pod).length <= max) return checkPodFields(pod);
  const help = 'Keep data in files or in config maps that the pod names.';
  return { pod, faults: [{ path: 'pod', keys: ['pod'], what: `it has more than ${max / 1024} KiB`, help }] };
}
