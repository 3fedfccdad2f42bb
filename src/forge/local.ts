/**
 * Plain Git without a forge: results become notes of the commit (`git notes --ref=contender show SHA`) and lines in the
 * terminal. Nothing is pushed to us, there are no pull requests, and whoever sits at this machine may do everything.
 */
import { failure, success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';
import { whenSha } from './commit.ts';
import type { Forge, ForgeError, ReportState, RunReport } from './forge.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { createRecent } from './recent.ts';
import { mergeNote, reportLine } from './report-note.ts';

/** Why a note could not be read or written: `unreachable` and `moved` are worth another try. */
export interface NoteError {
  readonly kind: string;
  readonly message: string;
}

export interface LocalForgeOptions {
  /** The note of a commit as it is, so that one pipeline does not wipe what another said; null: there is none. */
  readonly readNote: (sha: string) => Promise<Result<string | null, NoteError>>;
  /** Sets the note of a commit, whole. */
  readonly writeNote: (sha: string, text: string) => Promise<Result<unknown, NoteError>>;
  readonly print: (line: string) => void;
}

/** Lines that are remembered as printed. */
const rememberedMax = 1000;

export function createLocalForge(options: LocalForgeOptions): Forge {
  const lock = createKeyedLock();
  const printed = createRecent(rememberedMax);
  return {
    kind: 'local',
    receive: () => Promise.resolve(failure({ kind: 'unsigned', message: 'a local repository has no webhooks' })),
    setStatus: (report) =>
      whenSha(report.sha, async () => {
        const key = `${report.pipeline} ${report.sha}`;
        const line = reportLine(report);
        if (printed.last(key) !== line) options.print(line);
        printed.remember(key, line);
        // A note is a commit of its own: what is still going on is not worth one.
        return isSettled(report.state) ? lock(report.sha, () => keepNote(options, report)) : success(undefined);
      }),
    setCheckRun: (report) => whenSha(report.sha, () => Promise.resolve(success(null))),
    setComment: (report) => whenSha(report.sha, () => Promise.resolve(success(null))),
    pullRequest: (number) =>
      Promise.resolve(failure({ kind: 'final', message: `a local repository has no pull requests, so no ${number}` })),
    openPullRequests: () => Promise.resolve(success([])),
    pullRequestsOf: (sha) => whenSha(sha, () => Promise.resolve(success([]))),
    permission: () => Promise.resolve(success('admin')),
    gitCredentials: () => Promise.resolve(null),
    commitUrl: () => null,
    pullRequestUrl: () => null,
  };
}

async function keepNote(options: LocalForgeOptions, report: RunReport): Promise<Result<void, ForgeError>> {
  const before = await options.readNote(report.sha);
  if (!before.ok) return failure(noteFailure(before.error));
  const after = mergeNote(before.value, report);
  if (after.trimEnd() === before.value?.trimEnd()) return success(undefined);
  const written = await options.writeNote(report.sha, after);
  return written.ok ? success(undefined) : failure(noteFailure(written.error));
}

function noteFailure({ kind, message }: NoteError): ForgeError {
  return kind === 'unreachable' || kind === 'moved'
    ? { kind: 'unreachable', message, retryAt: null }
    : { kind: 'final', message };
}

function isSettled(state: ReportState): boolean {
  switch (state) {
    case 'pending':
    case 'running':
      return false;
    case 'waiting':
    case 'success':
    case 'failure':
    case 'error':
    case 'neutral':
    case 'cancelled':
      return true;
    default:
      return unreachable(state);
  }
}
