import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { AttemptKey, AttemptOutcome, RunEvent, RunOpened, Usage } from './event.ts';
import type { Run } from './run.ts';

/** What is asked of a run. Each carries the time; `admit` says whether a ready instance gets a slot now. */
export type Command =
  /** Go on: start what is ready, retry what is due, end what has ended. Repeating it is harmless. */
  | { readonly type: 'proceed'; readonly at: number; readonly admit: Admit }
  | { readonly type: 'report-running'; readonly at: number; readonly key: AttemptKey; readonly place: string }
  /** Followed by whatever `proceed` would do. */
  | { readonly type: 'report-finished'; readonly at: number; readonly key: AttemptKey; readonly outcome: AttemptOutcome; readonly usage: Usage | null; readonly admit: Admit }
  | { readonly type: 'cancel'; readonly at: number; readonly by: string; readonly reason: string };

/** Asked once for each ready instance, in the order of the definition; true takes a slot. */
export type Admit = (step: string, index: number) => boolean;

export function open(_definition: PipelineDefinition, _opened: RunOpened): Run {
  throw new Error('to be written');
}

export function decide(_run: Run, _command: Command): RunEvent[] {
  throw new Error('to be written');
}
