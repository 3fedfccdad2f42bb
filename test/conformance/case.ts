/** What the suites of cases from other people's software share: one line of a file in, one result out. */

export interface CaseResult {
  readonly id: string;
  readonly passed: boolean;
  readonly expected: unknown;
  readonly got: unknown;
}

/** Judges the case on line `line` (from 1), already read as JSON; throws where it is no case of the suite. */
export type RunCase = (value: unknown, line: number) => CaseResult;
