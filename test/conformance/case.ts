/** What the suites of cases from other people's software share. */

export interface CaseFailure {
  readonly id: string;
  readonly expected: unknown;
  readonly got: unknown;
}

/** Judges the case on line `line` (from 1), already read as JSON: null where it passes. Throws where it is no case. */
export type RunCase = (value: unknown, line: number) => CaseFailure | null;
