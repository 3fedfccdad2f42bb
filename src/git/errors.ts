/** What git said, as one of our errors: short, without secrets, with the control characters of the remote taken out. */
import { failure, type Result } from '../std/result.ts';
import type { CommandOutcome } from './command.ts';
import type { GitError } from './git.ts';

const messageCharactersMax = 1000;

/** Text of git or of a remote, fit for a message: one line, bounded, with no secret and no `user:password@`. */
export function scrub(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***');
  return clean
    .replaceAll(/\/\/[^/\s@]*@/g, '//***@')
    .replaceAll(/\p{Cc}\[[0-9;]+[A-Za-z]/gu, '')
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, messageCharactersMax);
}

/** Why a command that talked to the remote failed. */
export function transferError(what: string, outcome: CommandOutcome, secrets: readonly string[]): GitError {
  if (outcome.kind === 'stopped')
    return { kind: 'unreachable', message: `${what}: ${scrub(outcome.message, secrets)}` };
  const said = outcome.stderr;
  const message = `${what}: ${scrub(said, secrets) || `git ended with code ${outcome.code}`}`;
  return { kind: isMissingOnRemote(said) ? 'missing' : 'unreachable', message };
}

/** Whether git, or the child that unpacks for it, wanted to write more into one file than it may. */
export function isBeyondFileLimit(outcome: CommandOutcome): boolean {
  return outcome.kind === 'exited' && outcome.code !== 0 && /^fatal: .*file too large/im.test(outcome.stderr);
}

/** Why a command on the mirror alone failed. */
export function localFailure(what: string, outcome: CommandOutcome): Result<never, GitError> {
  const said = outcome.kind === 'stopped' ? outcome.message : outcome.stderr;
  return failure({ kind: 'refused', message: `${what}: ${scrub(said)}` });
}

function isMissingOnRemote(said: string): boolean {
  return /not our ref|couldn't find remote ref|no such remote ref|unadvertised object|does not allow request for/i.test(
    said,
  );
}

/** Whether git complained about the objects and refs of the mirror itself, not about the remote's. */
export function isCorruption(said: string): boolean {
  const own = said.split('\n').filter((line) => !line.startsWith('remote:'));
  return own.some((line) => corruption.test(line));
}

const corruption = new RegExp(
  [
    'bad object',
    'object file .* is empty',
    'loose object .* is corrupt',
    'packfile .* (?:cannot|claims|is|index)',
    'inflate',
    'unable to (?:unpack|read (?:tree|sha1|[0-9a-f]{40}))',
    'did not send all necessary objects',
    'missing (?:blob|tree|commit)',
    'unresolved deltas?',
    'invalid sha1 pointer',
    'unable to resolve reference',
    'not a git repository',
    'bad (?:signature|tree object|config|revision)',
    'index file .* (?:is too small|corrupt)',
  ].join('|'),
  'i',
);
