/**
 * What the page of a run shows, as plain JSON: rendered on the server, embedded in the page, and sent again, in parts,
 * whenever the run moves on. Times are milliseconds since the epoch; null where something has not happened yet.
 */
import type { AwaitedApproval } from '../engine/engine.ts';
import type { FailureCause, RunState, StepState } from '../engine/event.ts';
import type { RunReport } from '../forge/forge.ts';
import type { Notification } from '../notify/notify.ts';
import type { LogLine } from '../outputs/outputs.ts';
import type { Graph } from './graph-layout.ts';
import type { MarkdownNode } from './markdown.ts';

export interface RunView {
  /** Number of events that it shows. */
  readonly position: number;
  /** When it was made, by the server's clock. */
  readonly now: number;
  readonly head: RunHead;
  readonly challenges: RunReport['challenges'];
  readonly gates: RunReport['gates'];
  /** What channels are told of it, in the order of time. */
  readonly notices: readonly NoticeView[];
  /** What the forge has not taken of the reports on its commit and pull request. */
  readonly undelivered: readonly UndeliveredView[];
  /** What a person is to decide now. */
  readonly approvals: readonly AwaitedApproval[];
  readonly failure: FailureView | null;
  /** In the order of the definition. */
  readonly steps: readonly StepView[];
  /** Null above 500 steps, or where it is not laid out yet: then the list of steps stands alone. */
  readonly graph: Graph | null;
  readonly panel: PanelView | null;
}

/** Reports that failed alike. */
export interface UndeliveredView {
  readonly reports: readonly ('status' | 'check' | 'comment')[];
  readonly error: string;
  /** When one of them is tried again; null: given up. */
  readonly dueAt: number | null;
}

export interface NoticeView {
  readonly event: Notification['event'];
  readonly channel: string;
  /** Why nobody has taken it so far; null: it was taken, or is on its way. */
  readonly error: string | null;
  /** When it is tried again; null: it was taken, or given up. */
  readonly dueAt: number | null;
}

export interface RunHead {
  readonly id: string;
  readonly number: number;
  readonly pipeline: string;
  readonly repository: string;
  readonly description: string | null;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly state: RunState;
  /** It is being stopped, and has finally-steps that are not. */
  readonly hasFinallySteps: boolean;
  /** One sentence: the verdict, the first failure, or what is going on. */
  readonly summary: string;
  readonly openedAt: number;
  readonly finishedAt: number | null;
  /** Null: it has none. */
  readonly deadline: { readonly at: number; readonly missed: boolean } | null;
  readonly logicalDate: number | null;
  readonly trigger: TriggerView;
  readonly chain: RunChain;
  /** Oldest first; `newsMore`: how many others there were. */
  readonly news: readonly NewsView[];
  readonly newsMore: number;
  readonly sha: string;
  readonly shaUrl: string | null;
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
}

/** The run that this one is once more, and those that are this one once more, the newest first. */
export interface RunChain {
  readonly earlier: RunLink | null;
  readonly later: readonly RunLink[];
  /** The run whose end started this one. */
  readonly upstream: FollowLink | null;
  /** What listens to the end of this one, once it has ended. */
  readonly followers: readonly FollowLink[];
}

/** Without a run: why there is none, or (null) that nobody has looked yet. */
export interface FollowLink {
  readonly pipeline: string;
  readonly run: { readonly id: string; readonly number: number } | null;
  readonly reason: string | null;
}

export interface RunLink {
  readonly id: string;
  /** Of the same pipeline. */
  readonly number: number;
  /** Which steps the later of the two runs carried out: `all steps`, `from train`. */
  readonly steps: string;
}

export interface TriggerView {
  /** `pushed by mona`, `by its schedule`. */
  readonly text: string;
  readonly branch: string | null;
  readonly pullRequest: { readonly number: number; readonly url: string | null; readonly fork: boolean } | null;
}

/** News of data that a run is for. */
export interface NewsView {
  readonly dataset: string;
  readonly digest: string | null;
  readonly at: number;
  readonly runId: string | null;
}

/** Where the run went wrong first, with the lines around it. */
export interface FailureView {
  readonly step: string;
  readonly index: number;
  readonly attempt: number;
  readonly mapped: boolean;
  readonly cause: FailureCause | null;
  readonly message: string;
  /** Number of the line that says it; null where no line does. */
  readonly line: number | null;
  readonly lines: readonly LogLine[];
}

export interface StepView {
  readonly name: string;
  /** `function`, `command`, `gate`, `challenge`, … */
  readonly kind: string;
  readonly state: StepState;
  /** Why it ended so, or what its last attempt said. */
  readonly message: string | null;
  readonly mapped: boolean;
  /** How many instances of a mapped step are in each state, the failed ones first; empty for others. */
  readonly counts: readonly { readonly state: StepState; readonly count: number }[];
  readonly attempts: number;
  readonly startedAt: number | null;
  /** Null while an attempt is on its way. */
  readonly finishedAt: number | null;
  readonly dueAt: number | null;
  /** The run whose attempts gave what stands here; null where it is this one. */
  readonly reusedFrom: string | null;
  /** What stands here was found in the step cache, all of it. */
  readonly fromCache: boolean;
  readonly bars: readonly Bar[];
}

/** One attempt on the timeline: queued from `from`, running from `runningAt`. */
export interface Bar {
  readonly from: number;
  readonly runningAt: number | null;
  readonly to: number | null;
  readonly state: StepState;
}

/** One step looked at closely. */
export interface PanelView {
  readonly step: string;
  readonly kind: string;
  readonly description: readonly MarkdownNode[] | null;
  readonly state: StepState;
  readonly reason: string | null;
  readonly upstream: readonly string[];
  readonly triggerRule: string;
  readonly mapped: boolean;
  /** Of a mapped step, at most `instancesMax`: failed first, then running. */
  readonly instances: readonly { readonly index: number; readonly state: StepState; readonly attempts: number }[];
  readonly instancesTotal: number;
  readonly index: number;
  /** Number of the attempt whose log is shown; null before the first. */
  readonly attempt: number | null;
  readonly attempts: readonly AttemptView[];
  readonly output: OutputView | null;
  /** `Approved by ada: looks good`; of a rejected one `reason` says it. */
  readonly decision: string | null;
  readonly dueAt: number | null;
  /** As of the step's view. */
  readonly reusedFrom: string | null;
}

export interface AttemptView {
  readonly number: number;
  readonly state: StepState;
  readonly cause: FailureCause | null;
  readonly exitCode: number | null;
  readonly message: string | null;
  readonly place: string | null;
  /** Of a step with a cache: the run whose output stands for it, or why none does. */
  readonly cache: { readonly runId: string } | { readonly missed: string } | null;
  readonly startedAt: number;
  readonly runningAt: number | null;
  readonly finishedAt: number | null;
  readonly cpuMs: number | null;
  readonly memoryBytesMax: number | null;
  /** What it may take; null: as much as there is. `grownFromBytes` null: as much as the first attempt. */
  readonly memory: { readonly bytes: number; readonly grownFromBytes: number | null } | null;
}

export interface OutputView {
  /** Indented JSON, cut at `outputCharactersMax`. */
  readonly text: string;
  readonly cut: boolean;
  readonly artifacts: readonly ArtifactView[];
}

export interface ArtifactView {
  /** Where in the output: `model`, `reports.0`. */
  readonly path: string;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** The lines of an attempt's log that the page shows: the last ones. */
export interface LogTail {
  /** `<step>/<index>/<attempt>`. */
  readonly key: string;
  readonly lines: readonly LogLine[];
  readonly total: number;
  readonly closed: boolean;
  /** What became of it, where nothing of it is here for its age; else null. */
  readonly removed: string | null;
}

/** What the reader chose; null: the page chooses, and follows the run. */
export interface Selection {
  readonly step: string | null;
  readonly index: number | null;
  readonly attempt: number | null;
}

export const viewLimits = {
  laterRunsMax: 10,
  instancesMax: 60,
  barsMax: 60,
  outputCharactersMax: 8000,
  artifactsMax: 50,
  graphStepsMax: 500,
  logTailLines: 200,
  logTailCharactersMax: 2000,
  /** A log with more lines is shown in a window, and in parts of this many where the browser runs no program. */
  logPlainLines: 5000,
  logPartLines: 1000,
  searchMatchesMax: 500,
  failureLinesBefore: 6,
  failureLinesAfter: 6,
} as const;

export function runAddress(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

/** The address of a step's panel on the page of its run. */
export function panelAddress(
  runId: string,
  step: string,
  index: number | null = null,
  attempt: number | null = null,
): string {
  const query = new URLSearchParams({ step });
  if (index !== null) query.set('index', String(index));
  if (attempt !== null) query.set('attempt', String(attempt));
  return `${runAddress(runId)}?${query}#step`;
}

/** The address of an attempt's log. Groups of a step's name stay slashes: no part of a name is a number, so `/0/1/log` ends it. */
export function logAddress(runId: string, step: string, index: number, attempt: number): string {
  const path = step.split('/').map(encodeURIComponent).join('/');
  return `${runAddress(runId)}/steps/${path}/${index}/${attempt}/log`;
}

/** A line's address: within a part of the log where the log is too long for one page. */
export function lineAddress(address: string, line: number): string {
  const { logPlainLines, logPartLines } = viewLimits;
  const from = line - ((line - 1) % logPartLines);
  return line <= logPlainLines ? `${address}#L${line}` : `${address}?from=${from}#L${line}`;
}

export function logKeyOf(step: string, index: number, attempt: number): string {
  return `${step}/${index}/${attempt}`;
}
