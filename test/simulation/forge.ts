/**
 * A forge that holds pull requests, statuses, check runs and comments, and counts what it was asked. It keeps the contract
 * of `src/forge/forge.ts`: a comment is found again by its marker, a report may come twice.
 */
import type { ChangesReport, CommentReport, Forge, ForgeError, PullRequest, RunReport } from '../../src/forge/forge.ts';
import { reportContext } from '../../src/forge/forge.ts';
import { failure, success, type Result } from '../../src/std/result.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { Wire } from './wire.ts';

export interface ShownComment {
  readonly id: string;
  readonly pullRequest: number;
  readonly context: string;
  report: RunReport;
}

/** Of the pipelines that have no comment of their own. */
export interface ShownChanges {
  readonly id: string;
  readonly pullRequest: number;
  /** All that it ever said; the last one stands. */
  readonly reports: ChangesReport[];
}

export class ForgeState {
  readonly pullRequests = new Map<number, PullRequest>();
  /** By sha and context. */
  readonly statuses = new Map<string, RunReport>();
  readonly checkRuns = new Map<string, { readonly key: string; report: RunReport }>();
  readonly comments: ShownComment[] = [];
  readonly changes: ShownChanges[] = [];
  /** Our own comment is known by its marker. */
  findsByMarker = true;
  ids = 0;
}

const lost: ForgeError = { kind: 'unreachable', message: 'it was never sent', retryAt: null };

export function statusKey(sha: string, pipeline: string): string {
  return `${sha} ${reportContext(pipeline)}`;
}

/** `mayWrite`: false for a server that conducts no more; what it sent then is lost. */
export function simulatedForge(state: ForgeState, time: VirtualTime, wire: Wire, mayWrite: () => boolean): Forge {
  const ask = <T>(effect: () => T): Promise<Result<T, ForgeError>> => {
    const limited = wire.strikes('rate-limit');
    const error: ForgeError = limited
      ? { kind: 'rate-limited', message: 'too many requests', retryAt: time.now + 60_000 }
      : { kind: 'unreachable', message: 'the forge does not answer', retryAt: null };
    return wire.call<Result<T, ForgeError>>(() => (limited ? failure(error) : success(effect())), {
      before: 'forge',
      after: 'forge',
      answer: () => failure(error),
    });
  };
  const write = async <T>(effect: () => T): Promise<Result<T, ForgeError>> => {
    const written = await ask(() => (mayWrite() ? success(effect()) : failure(lost)));
    return written.ok ? written.value : written;
  };
  const pullRequestsOf = (sha: string): PullRequest[] =>
    [...state.pullRequests.values()].filter((each) => each.headSha === sha || each.mergeSha === sha);
  return {
    kind: 'github',
    mayProve: () => false,
    receive: () => Promise.reject(new Error('webhooks are handed to the conductor')),
    async setStatus(report) {
      const set = await write(() => state.statuses.set(statusKey(report.sha, report.pipeline), report));
      return set.ok ? success(undefined) : set;
    },
    setCheckRun: (report, id) => write(() => setCheckRun(state, report, id)),
    setComment: (report, pullRequest, id) => write(() => setComment(state, report, pullRequest, id)),
    async pullRequest(number) {
      const found = await ask(() => state.pullRequests.get(number));
      if (!found.ok) return found;
      return found.value === undefined ? failure({ kind: 'final', message: 'there is none' }) : success(found.value);
    },
    openPullRequests: () => ask(() => [...state.pullRequests.values()].filter((each) => each.state === 'open')),
    pullRequestsOf: (sha) => ask(() => pullRequestsOf(sha)),
    permission: () => ask(() => 'write' as const),
    gitCredentials: () => Promise.resolve(null),
    commitUrl: () => null,
    pullRequestUrl: () => null,
  };
}

function setCheckRun(state: ForgeState, report: RunReport, id: string | null): string {
  const key = statusKey(report.sha, report.pipeline);
  const known = id === null ? undefined : state.checkRuns.get(id);
  if (known !== undefined && known.key === key) {
    known.report = report;
    return id ?? '';
  }
  const made = `check-${(state.ids += 1)}`;
  state.checkRuns.set(made, { key, report });
  return made;
}

function setComment(state: ForgeState, report: CommentReport, pullRequest: number, id: string | null): string {
  if (report.pipeline === null) return setChanges(state, report, pullRequest, id);
  const context = reportContext(report.pipeline);
  const known =
    state.comments.find((comment) => comment.id === id) ??
    state.comments.find(
      (comment) => state.findsByMarker && comment.pullRequest === pullRequest && comment.context === context,
    );
  if (known !== undefined) {
    known.report = report;
    return known.id;
  }
  const made = { id: `comment-${(state.ids += 1)}`, pullRequest, context, report };
  state.comments.push(made);
  return made.id;
}

function setChanges(state: ForgeState, report: ChangesReport, pullRequest: number, id: string | null): string {
  const known =
    state.changes.find((comment) => comment.id === id) ??
    state.changes.find((comment) => state.findsByMarker && comment.pullRequest === pullRequest);
  if (known !== undefined) {
    known.reports.push(report);
    return known.id;
  }
  const made = { id: `comment-${(state.ids += 1)}`, pullRequest, reports: [report] };
  state.changes.push(made);
  return made.id;
}
