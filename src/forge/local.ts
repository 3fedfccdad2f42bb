/**
 * Plain Git without a forge: results become notes of the commit (`git notes --ref=contender show SHA`) and lines in the
 * terminal. Nothing is pushed to us, there are no pull requests, and whoever sits at this machine may do everything.
 */
import type { Clock } from '../std/clock.ts';
import { failure, success, type Result } from '../std/result.ts';
import { unreachable } from '../std/unreachable.ts';
import { whenSha } from './commit.ts';
import type { Forge, ForgeError, ReportState, RunReport } from './forge.ts';
import { createGathering } from './gathering.ts';
import { createRecent } from './recent.ts';
import { mergeNote, reportLine } from './report-note.ts';

/** Why a note could not be read or written: `unreachable` and `moved` are worth another try, `denied` is somebody's to mend. */
export interface NoteError {
  readonly kind: string;
  readonly message: string;
}

export interface LocalForgeOptions {
  /** Changes the notes of commits, each from what it is (null: there is none). Gives the commits that are not there. */
  readonly changeNotes: (
    changes: ReadonlyMap<string, (before: string | null) => string>,
  ) => Promise<Result<readonly string[], NoteError>>;
  readonly clock: Clock;
  readonly pause: (ms: number) => Promise<unknown>;
  readonly print: (line: string) => void;
}

/** Lines that are remembered as printed. */
const rememberedMax = 1000;

/** Notes cost three processes of Git however many they are: those of runs that end close together are written at once. */
const notesGapMs = 500;

export function createLocalForge(options: LocalForgeOptions): Forge {
  const keepNote = createGathering({
    clock: options.clock,
    pause: options.pause,
    gapMs: notesGapMs,
    perform: (reports: readonly RunReport[]) => keepNotes(options, reports),
  });
  const printed = createRecent(rememberedMax);
  return {
    kind: 'local',
    mayProve: () => false,
    receive: () => Promise.resolve(failure({ kind: 'unsigned', message: 'a local repository has no webhooks' })),
    setStatus: (report) =>
      whenSha(report.sha, async () => {
        const key = `${report.pipeline} ${report.sha}`;
        const line = reportLine(report);
        if (printed.last(key) !== line) options.print(line);
        printed.remember(key, line);
        // A note is a commit of its own: what is still going on is not worth one.
        return isSettled(report.state) ? keepNote(report) : success(undefined);
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

async function keepNotes(
  options: LocalForgeOptions,
  reports: readonly RunReport[],
): Promise<readonly Result<void, ForgeError>[]> {
  const bySha = Map.groupBy(reports, (report) => report.sha);
  const changes = new Map(
    [...bySha].map(([sha, own]) => [sha, (before: string | null) => mergeNotes(before, own)] as const),
  );
  const changed = await options.changeNotes(changes);
  if (!changed.ok) return reports.map(() => failure(noteFailure(changed.error)));
  const missing = new Set(changed.value);
  return reports.map(({ sha }) =>
    missing.has(sha) ? failure({ kind: 'final', message: `there is no commit ${sha}` }) : success(undefined),
  );
}

/** A note that says all of it already stays as it is, to the letter. */
function mergeNotes(before: string | null, reports: readonly RunReport[]): string {
  let after = before ?? '';
  for (const report of reports) after = mergeNote(after, report);
  return before !== null && after.trimEnd() === before.trimEnd() ? before : after;
}

function noteFailure({ kind, message }: NoteError): ForgeError {
  if (kind === 'denied') return { kind: 'refused', message, retryAt: null };
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
