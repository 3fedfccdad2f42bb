/** The word `approval`: a step that waits for a person, and holds no place meanwhile. */
import { bindTemplate } from './binding.ts';
import type { Handle } from './handle.ts';
import { misuse } from './misuse.ts';
import { closeStep, effortOptionNames, openStep, type StepCall, type StepOptions } from './step-options.ts';

export interface ApprovalOptions extends Pick<StepOptions, 'description' | 'after' | 'triggerRule' | 'finally'> {
  /** What the person who decides is asked; it may tell what the steps before found. */
  readonly message?: string | Handle<string>;
  /** From the moment at which the step begins to wait. 7 d unless given. */
  readonly timeout?: string;
  /** What a rejection makes of the step: `fail`, unless given, or `skip`. */
  readonly onReject?: 'fail' | 'skip';
  /** When the time is over the step is skipped; otherwise it fails. */
  readonly softFail?: boolean;
}

/** What an approved step gives; a rejected one gives nothing. */
export interface ApprovalOutput {
  /** Who approved. */
  readonly by: string;
  readonly reason: string | null;
  /** ISO 8601, UTC. */
  readonly at: string;
}

const dayMs = 86_400_000;

/** Adds a step that a person approves or rejects: `contender approve RUN STEP`. */
export function approval(name: string, options: ApprovalOptions = {}): Handle<ApprovalOutput> {
  const call = openStep('approval', name, options, ['message', 'onReject', 'softFail']);
  refuseInMap(call);
  refuseEffort(call);
  const { options: given } = call;
  return closeStep(call, {
    kind: 'approval',
    message: given.has('message') ? bindTemplate(call, 'message', given.raw('message')) : null,
    timeoutMs: given.durationMs('timeout', { minMs: 1000, maxMs: 30 * dayMs }, 7 * dayMs),
    onReject: given.choice('onReject', ['fail', 'skip'], 'fail'),
    softFail: given.flag('softFail', false),
  });
}

function refuseInMap(call: StepCall): void {
  if (call.build.map === null) return;
  misuse(
    'definition-map',
    `${call.label}: an approval cannot be mapped: a person would be asked once for each element`,
    'Ask once, in a step after the map; its message may hold the list of the results.',
  );
}

/** Nothing is carried out, so there is nothing to try again, to warn or to give secrets to. */
function refuseEffort({ options }: StepCall): void {
  const useless = effortOptionNames.find((name) => name !== 'timeout' && options.has(name));
  if (useless === undefined) return;
  options.problem(
    `option "${useless}" means nothing for a step that a person decides`,
    'Leave it out; "timeout" is how long it waits.',
  );
}
