/** Where an attempt works: its scratch directory, and what it is told of that. */
import { join } from 'node:path';
import type { AttemptWork, LookWork } from '../executor.ts';
import { keepsCheckpoint } from './checkpoints.ts';
import { contextEnvironment } from './environment.ts';
import { openInputs, placeFrom, type Inputs } from './inputs.ts';
import type { PreparedAttempt } from './prepared-attempt.ts';

export interface Workplace {
  readonly scratch: string;
  readonly outputsFile: string;
  readonly inputs: Inputs;
  /** Without the base: what this attempt is told, and its secrets. */
  readonly environment: { readonly [name: string]: string };
}

/**
 * The directory of the step where the next try finds what this one left, and this one what the one before did; null: it has
 * none. Whoever runs the step makes it.
 */
export function checkpointOf(
  work: AttemptWork | LookWork,
  { spec, services }: Pick<PreparedAttempt, 'spec' | 'services'>,
): string | null {
  return keepsCheckpoint(work) ? services.checkpoints.place(spec.context) : null;
}

export function workplaceIn(scratch: string, checkpoint: string | null, attempt: PreparedAttempt): Workplace {
  const { spec, services, sourceTree } = attempt;
  const outputsFile = join(scratch, '.outputs.json');
  const places = { sourceTree, scratch, checkpoint, outputs: outputsFile };
  return {
    scratch,
    outputsFile,
    inputs: openInputs(placeFrom(services.artifacts), services.stored, join(scratch, '.inputs')),
    environment: {
      ...contextEnvironment(spec.attemptId, spec.context, places),
      ...Object.fromEntries(attempt.secrets),
    },
  };
}
