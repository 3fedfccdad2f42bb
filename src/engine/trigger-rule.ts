/**
 * Airflow's twelve trigger rules as functions of how many upstream steps ended in which way.
 *
 * A verdict is given as soon as no later completion can change it, and never sooner: what is said about some of the
 * upstream steps is what would be said about all of them. So `one_success` runs at the first success, `all_failed` skips
 * at the first success; but `all_success` waits at a skip, since a failure that is still to come outranks it.
 */
import type { TriggerRule } from '../pipeline/definition.ts';
import { unreachable } from '../std/unreachable.ts';

/**
 * Of the direct upstream steps: how many have at least one instance that ended so. A mapped step with different endings
 * counts in several, and may count before it is final; the rules only ask for none or some.
 */
export interface UpstreamTally {
  success: number;
  failed: number;
  upstreamFailed: number;
  skipped: number;
  /** Steps that are not final. */
  unfinished: number;
}

export type Verdict = 'wait' | 'run' | 'skipped' | 'upstream_failed';

/** What `rule` says now. A step without upstream steps runs. */
export function judge(rule: TriggerRule, upstream: UpstreamTally): Verdict {
  const { success, failed, upstreamFailed, skipped } = upstream;
  const notSuccess = failed + upstreamFailed;
  const done = upstream.unfinished === 0;
  const any = success + notSuccess + skipped > 0;
  if (done && !any) return 'run';
  switch (rule) {
    case 'all_success':
      return notSuccess > 0 ? 'upstream_failed' : whenDone(done, skipped > 0 ? 'skipped' : 'run');
    case 'all_failed':
      return success + skipped > 0 ? 'skipped' : whenDone(done, 'run');
    case 'all_done':
      return whenDone(done, 'run');
    case 'one_success':
      return success > 0 ? 'run' : whenDone(done, notSuccess > 0 ? 'upstream_failed' : 'skipped');
    case 'one_failed':
      return notSuccess > 0 ? 'run' : whenDone(done, 'skipped');
    case 'one_done':
      return success + failed > 0 ? 'run' : whenDone(done, 'skipped');
    case 'none_failed':
      return notSuccess > 0 ? 'upstream_failed' : whenDone(done, 'run');
    case 'none_failed_min_one_success':
      return notSuccess > 0 ? 'upstream_failed' : whenDone(done, success > 0 ? 'run' : 'skipped');
    case 'none_skipped':
      return skipped > 0 ? 'skipped' : whenDone(done, 'run');
    case 'all_skipped':
      return success + notSuccess > 0 ? 'skipped' : whenDone(done, 'run');
    case 'all_done_min_one_success':
      return skipped > 0 ? 'skipped' : whenDone(done, success > 0 ? 'run' : 'upstream_failed');
    case 'always':
      return 'run';
    default:
      return unreachable(rule);
  }
}

function whenDone(done: boolean, verdict: Verdict): Verdict {
  return done ? verdict : 'wait';
}
