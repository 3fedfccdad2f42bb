/** What `contender.yaml` says about the pools that pipelines name. */
import { poolMistake, type Pools } from '../admission/admission.ts';
import type { Compiled } from '../compile/compile.ts';
import type { Problem } from '../std/problem.ts';

/** `compiled` with a problem for each step that can never get the slots of its pool. */
export function withPoolProblems(compiled: Compiled, pools: Pools): Compiled {
  const { version, problems, where } = compiled;
  const found = (version?.definition.steps ?? []).flatMap((step): Problem[] => {
    const mistake = poolMistake(pools, step);
    if (mistake === null) return [];
    const message = `step "${step.name}": ${mistake}`;
    const help = 'Declare the pool with its slots under `pools` of contender.yaml, or change the step.';
    return [{ code: 'pool-invalid', message, where: where(step.name), help }];
  });
  return { ...compiled, problems: [...problems, ...found] };
}
