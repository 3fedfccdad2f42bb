/** The words that decide how a run goes on: `branch` and `shortCircuit`. */
import type { Build } from './build.ts';
import type { StepContext } from './context.ts';
import type { Handle, Input, Nothing, Resolved } from './handle.ts';
import { misuse } from './misuse.ts';
import { nearest } from './nearest.ts';
import { closeStep, openStep, readFunction, readInput, type StepCall, type StepOptions } from './step-options.ts';

type Chosen<Choice extends string> = Choice | readonly Choice[];

export interface BranchOptions<I extends Input, Choice extends string> extends StepOptions {
  readonly input?: I;
  /** Names of steps that come directly after this one (with their groups: `prepare/clean`). */
  readonly choices: readonly Choice[];
  /** Gives the name, or the names, of the steps to follow; the other choices are skipped. */
  readonly run: (
    input: Resolved<NoInfer<I>>,
    context: StepContext,
  ) => Chosen<NoInfer<Choice>> | Promise<Chosen<NoInfer<Choice>>>;
}

/** A step whose function says which of the steps after it are followed. They come after it by `after: [decide]`. */
export function branch<const Choice extends string, I extends Input = Nothing>(
  name: string,
  options: BranchOptions<I, Choice>,
): Handle<{ readonly follow: readonly Choice[] }> {
  const call = openStep('branch', name, options, ['input', 'choices', 'run']);
  refuseInMap(call);
  const choices = call.options.texts('choices', []);
  if (choices.length === 0) {
    call.options.problem('option "choices" is empty', 'Name the steps to choose from: choices: ["deploy", "report"].');
  }
  return closeStep(
    call,
    { kind: 'branch', file: '', input: readInput(call), choices: [...new Set(choices)] },
    {},
    readFunction(call),
  );
}

export interface ShortCircuitOptions<I extends Input> extends StepOptions {
  readonly input?: I;
  /** False skips what comes after. */
  readonly run: (input: Resolved<NoInfer<I>>, context: StepContext) => boolean | Promise<boolean>;
  /** True, unless given: everything downstream is skipped. False: only the steps directly after; theirs go by their rules. */
  readonly ignoreDownstreamTriggerRules?: boolean;
}

/** A step whose function says whether the run goes on here. */
export function shortCircuit<I extends Input = Nothing>(
  name: string,
  options: ShortCircuitOptions<I>,
): Handle<{ readonly pass: boolean }> {
  const call = openStep('shortCircuit', name, options, ['input', 'run', 'ignoreDownstreamTriggerRules']);
  refuseInMap(call);
  const ignoreDownstreamTriggerRules = call.options.flag('ignoreDownstreamTriggerRules', true);
  return closeStep(
    call,
    { kind: 'short-circuit', file: '', input: readInput(call), ignoreDownstreamTriggerRules },
    {},
    readFunction(call),
  );
}

function refuseInMap(call: StepCall): void {
  if (call.build.map === null) return;
  misuse(
    'definition-map',
    `${call.label}: a decision cannot be mapped, since its instances could disagree`,
    'Decide once, in a step after the map that takes the list of its results.',
  );
}

/**
 * When all steps are known: each choice of a branch is a step directly after it, and no finally-step where the branch is
 * none: that one runs whatever became of the others.
 */
export function checkBranches(build: Build): void {
  for (const { definition, at } of build.steps) {
    if (definition.work.kind !== 'branch') continue;
    const after = build.steps.filter((other) => other.definition.upstream.includes(definition.name));
    const downstream = after.map((other) => other.definition.name);
    for (const choice of definition.work.choices) {
      const chosen = after.find((other) => other.definition.name === choice);
      if (chosen?.definition.finally === true && !definition.finally)
        misuse(
          'definition-branch',
          `branch "${definition.name}": the choice "${choice}" is a finally-step, which runs whatever the branch chooses`,
          `Take it out of the choices; or take \`finally\` away from "${choice}", or give the branch \`finally: true\` too.`,
          at,
        );
      if (chosen !== undefined) continue;
      const meant = nearest(choice, downstream);
      const help =
        downstream.length === 0
          ? 'No step comes after it: give the choices `after: [...]` with the handle of the branch.'
          : `${meant === null ? '' : `Did you mean "${meant}"? `}Directly after it come ${downstream.join(', ')}.`;
      misuse(
        'definition-branch',
        `branch "${definition.name}": the choice "${choice}" is no step directly after it`,
        help,
        at,
      );
    }
  }
}
