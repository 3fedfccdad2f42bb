/** Where an attempt works: its scratch directory, and what it is told of that. */
import { join } from 'node:path';
import { contextEnvironment } from './environment.ts';
import { openInputs, placeFrom, type Inputs } from './inputs.ts';
import type { PreparedAttempt } from './prepared-attempt.ts';

export interface Workplace {
  readonly scratch: string;
  /** Of the step: the next try finds what this one left there. */
  readonly checkpoint: string;
  readonly outputsFile: string;
  readonly inputs: Inputs;
  /** Without the base: what this attempt is told, and its secrets. */
  readonly environment: { readonly [name: string]: string };
}

export function workplaceIn(scratch: string, attempt: PreparedAttempt): Workplace {
  const { spec, services, sourceTree } = attempt;
  const checkpoint = services.checkpoints.place(spec.context);
  const outputsFile = join(scratch, '.outputs.json');
  const places = { sourceTree, scratch, checkpoint, outputs: outputsFile };
  return {
    scratch,
    checkpoint,
    outputsFile,
    inputs: openInputs(placeFrom(services.artifacts), services.stored, join(scratch, '.inputs')),
    environment: {
      ...contextEnvironment(spec.attemptId, spec.context, places),
      ...Object.fromEntries(attempt.secrets),
    },
  };
}
