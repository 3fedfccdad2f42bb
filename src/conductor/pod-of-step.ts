/** What a step says of its pod, with the values of the run: of its attempts, and of its looks where it waits for a function. */
import { bindValue } from '../engine/engine.ts';
import { firstTriggerOf, type AttemptKey } from '../engine/event.ts';
import type { Run } from '../engine/run.ts';
import type { InputValue } from '../executor/executor.ts';
import { bindingAt } from '../pipeline/binding-view.ts';
import type { StepDefinition } from '../pipeline/definition.ts';
import { isJsonObject } from '../std/json.ts';
import { failure, success, type Result } from '../std/result.ts';

/** The error is a sentence. Null where it says nothing. */
export function podOfStep(run: Run, { name, pod }: StepDefinition, key: AttemptKey): Result<InputValue | null, string> {
  if (pod === undefined) return success(null);
  const trigger = firstTriggerOf(run.opened.trigger);
  const isForeign = trigger.kind === 'pull-request' && trigger.fork;
  // A patch reaches what no other word does, such as the node's own network: it is for whoever may push.
  if (isForeign && bindingAt(pod, ['patch']) !== null)
    return failure(
      `"${name}" patches its pod, which code from a fork may not: only what is in the repository itself may`,
    );
  const bound = bindValue(run, pod, key);
  return isForeign && bound.ok ? success(withoutKeeping(bound.value)) : bound;
}

/** Only so many pods are kept in a namespace: what comes from a fork is to push none of them out. */
function withoutKeeping(pod: InputValue): InputValue {
  if (!isJsonObject(pod)) return pod;
  const { onFinishAction: _action, ttlAfterFinished: _ttl, ...others } = pod;
  return others;
}
