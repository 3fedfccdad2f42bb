/** Why a request is refused: in words, and as the problem of the catalogue that a program can go by. */
import type { ProblemCode } from '../std/problem-codes.ts';
import type { Problem } from '../std/problem.ts';
import type { Refused } from './api-schemas.ts';

export function refusedOf(error: Problem | string): Refused {
  if (typeof error === 'string') return { error };
  const { code, message, where, help } = error;
  return { error: `${message} (${help})`, problem: { code, message, where, help } };
}

export function unknownRun(id: string): Refused {
  return refused('run-unknown', `no such run: ${id}`, 'GET /api/v1/runs lists them.');
}

export function unknownStep(runId: string, message: string): Refused {
  return refused('step-unknown', message, `GET /api/v1/runs/${runId} lists its steps.`);
}

/** What is asked of a run that does not wait for it, or has ended. */
export function notAsked(message: string): Refused {
  return refused('run-not-asked', message, 'GET /api/v1/runs?state=running lists the runs that go on.');
}

export function unknownBackfill(id: string): Refused {
  return refused('backfill-unknown', `no such backfill: ${id}`, 'GET /api/v1/backfills lists them.');
}

export function endedBackfill(message: string): Refused {
  return refused('backfill-ended', message, 'GET /api/v1/backfills lists those that go on.');
}

function refused(code: ProblemCode, message: string, help: string): Refused {
  return refusedOf({ code, message, where: null, help });
}
