/** What those who act on news of a repository share. */
import type { ConductorPorts } from './ports.ts';
import type { Turns } from './runs/turns.ts';

export interface Desk {
  readonly ports: ConductorPorts;
  readonly turns: Turns;
  /** Told when the commit that schedules come from may have changed. */
  readonly headMoved: (repository: string) => void;
  /** Told of each webhook, whichever server it reached. */
  readonly hookArrived: (repository: string) => void;
}

/** `again`: the commit is not there yet, or Git or the forge cannot be reached. */
export type Handled =
  | { readonly state: 'done' | 'ignored' | 'failed'; readonly note: string }
  | { readonly again: string };

/** The commit that news are about. */
export interface About {
  readonly repository: string;
  readonly sha: string;
  readonly pullRequest: number | null;
  /** Where its base branch stood; null where there is no pull request. */
  readonly baseSha: string | null;
}
