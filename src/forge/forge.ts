/**
 * Where the repository lives and people decide: GitHub, or plain Git. Triggers come in, reports go out, permissions are
 * asked. Reports are data; each forge puts them into its own words with `report-text.ts`. Every report may be sent more
 * than once and then changes nothing.
 */
import type { Place, Problem } from '../std/problem.ts';
import type { Result } from '../std/result.ts';
import type { Verdict } from '../verdict/verdict.ts';

export interface Forge {
  readonly kind: 'github' | 'local';
  /** Whether a webhook with these headers can be proved at all: the body of any other is not even read. */
  mayProve(headers: RawDelivery['headers']): boolean;
  /** Proves and reads a webhook: the raw bytes and headers as they came. */
  receive(delivery: RawDelivery): Promise<Result<Delivery, ReceiveError>>;
  /** `wasSet`: it was before, and is only set again where the forge shows another. */
  setStatus(report: RunReport, wasSet?: boolean): Promise<Result<void, ForgeError>>;
  /** Null where check runs are not to be had (GitHub: without an App). Gives the id to update next time. */
  setCheckRun(report: RunReport, id: string | null): Promise<Result<string | null, ForgeError>>;
  /** The sticky comment of what the report is about on this pull request; gives its id. Found again by marker and author when `id` is null or gone. */
  setComment(report: CommentReport, pullRequest: number, id: string | null): Promise<Result<string | null, ForgeError>>;
  pullRequest(number: number): Promise<Result<PullRequest, ForgeError>>;
  openPullRequests(): Promise<Result<readonly PullRequest[], ForgeError>>;
  /** Pull requests whose head, or merge commit, is `sha`. */
  pullRequestsOf(sha: string): Promise<Result<readonly PullRequest[], ForgeError>>;
  permission(login: string): Promise<Result<'none' | 'read' | 'write' | 'admin', ForgeError>>;
  /** For Git over HTTPS; null where none is needed. Short-lived with an App. */
  gitCredentials(): Promise<{ readonly username: string; readonly password: string } | null>;
  commitUrl(sha: string): string | null;
  pullRequestUrl(number: number): string | null;
}

export interface RawDelivery {
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: Uint8Array;
}

/** What the server answers: 401, 400, 404, 413. Never tells why a signature is wrong. `elsewhere`: of another repository. */
export interface ReceiveError {
  readonly kind: 'unsigned' | 'malformed' | 'elsewhere' | 'too-large';
  readonly message: string;
}

export interface Delivery {
  readonly id: string;
  /** As the forge names it: `push`. */
  readonly name: string;
  /** `owner/name` as the forge spells it. */
  readonly repository: string | null;
  /** What it means, for deduplication under another id; null where it means nothing to us. */
  readonly semanticKey: string | null;
  readonly event: ForgeEvent;
}

/** What we act on, parsed tolerantly; everything else is `ignored` with the reason. Webhooks are hints: state is read again. */
export type ForgeEvent =
  | {
      readonly type: 'push';
      readonly ref: string;
      readonly before: string | null;
      readonly after: string | null;
      readonly actor: string;
    }
  | {
      readonly type: 'pull-request';
      readonly action: 'opened' | 'synchronize' | 'reopened' | 'closed' | 'ready_for_review' | 'edited';
      readonly pullRequest: PullRequest;
      readonly actor: string;
    }
  | {
      readonly type: 'comment';
      readonly pullRequest: number;
      readonly commentId: string;
      readonly body: string;
      readonly actor: string;
      readonly actorIsBot: boolean;
    }
  | { readonly type: 'rerequested'; readonly sha: string; readonly runId: string | null; readonly actor: string }
  | { readonly type: 'ping' }
  | { readonly type: 'ignored'; readonly reason: string };

export interface PullRequest {
  readonly number: number;
  readonly state: 'open' | 'closed';
  readonly merged: boolean;
  readonly mergeSha: string | null;
  readonly headSha: string;
  readonly headBranch: string;
  readonly baseBranch: string;
  readonly baseSha: string;
  /** The head's repository is another one than the base's, by numeric id. */
  readonly fork: boolean;
  readonly author: string;
  /** Untrusted. */
  readonly title: string;
}

export type ForgeError =
  /** Try again, not before `retryAt` where it is given. */
  | { readonly kind: 'unreachable' | 'rate-limited'; readonly message: string; readonly retryAt: number | null }
  /** The forge does not know the commit, which may not have come to all of it yet: worth trying for minutes, not for ever. */
  | { readonly kind: 'early'; readonly message: string; readonly retryAt: null }
  /** In vain until somebody mends the token, the App or what they may do. */
  | { readonly kind: 'refused'; readonly message: string; readonly retryAt: null }
  /** Trying again is useless: gone, wrong, beyond a limit of the forge. */
  | { readonly kind: 'final'; readonly message: string };

/** Whether asking again soon is in vain. */
export function isInVain(error: ForgeError): error is Extract<ForgeError, { readonly kind: 'refused' | 'final' }> {
  return error.kind === 'refused' || error.kind === 'final';
}

/** `waiting`: for a person's decision, which may take longer than a forge keeps a check open. `neutral`: not concerned, or held back. */
export type ReportState = 'pending' | 'running' | 'waiting' | 'success' | 'failure' | 'error' | 'neutral' | 'cancelled';

/** One pipeline's result on one commit: what status, check run, comment and note are made of. */
export interface RunReport {
  readonly pipeline: string;
  readonly sha: string;
  /** Null for a report without run: a broken definition, a commit that does not concern the pipeline. */
  readonly runId: string | null;
  readonly runNumber: number | null;
  /** False where no commit and no person asked for the run: of the same commit there may be any number of them. */
  readonly isAsked: boolean;
  /** Of the run's page, or null. */
  readonly url: string | null;
  readonly state: ReportState;
  /** One sentence: the verdict, the first failure, or what is going on. */
  readonly summary: string;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly steps: readonly {
    readonly name: string;
    readonly state: string;
    readonly durationMs: number | null;
    readonly message: string | null;
    /** Key of the log of the attempt that failed last; null where none did. */
    readonly log: string | null;
  }[];
  readonly gates: readonly {
    readonly step: string;
    readonly passed: boolean;
    readonly path: string;
    readonly checks: readonly {
      readonly check: string;
      readonly column: string | null;
      readonly value: number | null;
      readonly limit: string;
      readonly passed: boolean;
      readonly message: string;
    }[];
  }[];
  readonly challenges: readonly {
    readonly step: string;
    readonly model: string;
    readonly verdict: Verdict;
    readonly championVersion: number | null;
    /** What happens with it now: "Becomes champion when this pull request is merged." */
    readonly next: string;
    /** Whether a person's word makes it champion. */
    readonly awaitsApproval: boolean;
  }[];
  readonly problems: readonly Problem[];
  /** What logs of failed steps say of files of the commit: looked for where a check run is made of the report. */
  readonly mentions: readonly Mention[];
  /** Where the base branch of the pull request stood that asked for it; null where none did. */
  readonly baseSha: string | null;
  /** What that pull request does to the pipeline; null: nothing. */
  readonly change: PipelineChange | null;
}

/** A place in a file of the commit that the log of a failed step names. */
export interface Mention {
  readonly step: string;
  readonly where: Place;
  /** The line of the log that says what went wrong there; masked, as all of the log is. */
  readonly message: string;
}

/** What a pull request does to the definition of one pipeline, since it left its base branch. */
export interface PipelineChange {
  readonly pipeline: string;
  /** `unknown`: what it was before cannot be told, so nothing else is said. */
  readonly kind: 'added' | 'removed' | 'changed' | 'unknown';
  /** Sentences about gates, approvals and challenges that let more through than before. */
  readonly weakened: readonly string[];
  /** Sentences about steps, edges and fields, */
  readonly sentences: readonly string[];
  /** of which there are so many. */
  readonly count: number;
}

/** The pipelines that a pull request changes, and that report nothing on it themselves. */
export interface ChangesReport {
  readonly pipeline: null;
  readonly sha: string;
  readonly changes: readonly PipelineChange[];
}

/** What a comment is about: a pipeline, or all that have none of their own. */
export type CommentReport = RunReport | ChangesReport;

/** The status context and the check run's name: a pure function of the pipeline. */
export function reportContext(pipeline: string): string {
  return `contender/${pipeline}`;
}

export const forgeLimits = {
  statusDescriptionMax: 140,
  /** Reached by no comment: it stays below. */
  commentBytesMax: 60_000,
  checkTextMax: 65_535,
  annotationsPerRequestMax: 50,
  annotationsMax: 500,
  webhookBytesMax: 25 * 1024 * 1024,
} as const;

/** Of a data gate: what the value counts. Beside a value of 0, "columns" would read as a file without any. */
export function checkName(check: string): string {
  return checkNames.get(check) ?? check;
}

const checkNames: ReadonlyMap<string, string> = new Map([
  ['columns', 'missing columns'],
  ['unique', 'repeated values'],
]);
