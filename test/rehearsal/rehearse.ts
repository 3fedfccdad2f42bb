/** Rehearsals in one line: what is not given is as on the command line. */
import assert from 'node:assert/strict';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import {
  readPretences,
  rehearseRun,
  type GivenPretences,
  type Pretences,
  type RehearsedRun,
  type RehearsedStep,
} from '../../src/rehearsal/rehearsal.ts';
import type { Problem } from '../../src/std/problem.ts';
import { openedAt } from '../support/drive.ts';

export interface Given extends Partial<GivenPretences> {
  readonly slots?: number;
  readonly pools?: ReadonlyMap<string, number>;
}

export function rehearse(definition: PipelineDefinition, given: Given = {}): RehearsedRun {
  const rehearsed = rehearseRun({
    definition,
    pretences: pretencesOf(definition, given),
    slots: given.slots ?? Number.POSITIVE_INFINITY,
    pools: given.pools ?? new Map(),
    logicalDate: openedAt,
    parameters: {},
  });
  assert.ok(rehearsed.ok, JSON.stringify(rehearsed));
  return rehearsed.value;
}

export function pretencesOf(definition: PipelineDefinition, given: Given): Pretences {
  const read = readPretences(definition, { outcomes: [], durations: [], lengths: [], ...given });
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
}

/** The mistake in what is given, wherever it is found. */
export function mistakeIn(definition: PipelineDefinition, given: Given): Problem {
  const read = readPretences(definition, { outcomes: [], durations: [], lengths: [], ...given });
  if (!read.ok) return read.error;
  const request = {
    definition,
    pretences: read.value,
    slots: 1,
    pools: new Map(),
    logicalDate: openedAt,
    parameters: {},
  };
  const rehearsed = rehearseRun(request);
  assert.ok(!rehearsed.ok, 'there is no mistake');
  return rehearsed.error;
}

export function stepIn(run: RehearsedRun, name: string): RehearsedStep {
  const step = run.steps.find((candidate) => candidate.name === name);
  assert.ok(step !== undefined, name);
  return step;
}

/** When the attempts of an instance start, in minutes. */
export function startsOf(run: RehearsedRun, name: string, index = 0): readonly number[] {
  return (stepIn(run, name).instances[index]?.attempts ?? []).map(({ startMs }) => startMs / 60_000);
}

export function stateOf(run: RehearsedRun, name: string): string {
  const { state, reason } = stepIn(run, name);
  return reason === null ? state : `${state}: ${reason}`;
}
