/**
 * What every operation on one mirror shares: its folder, its remote, the process that reads, one writer at a time, and
 * the two ways to run git (on this machine alone, or with the remote).
 */
import type { Clock } from '../std/clock.ts';
import { failure, success, type Result } from '../std/result.ts';
import { runGit, type CommandOutcome } from './command.ts';
import { localEnvironment, secretsOf, transferEnvironment, type Credentials, type Environment } from './environment.ts';
import { isBeyondFileLimit, transferError } from './errors.ts';
import type { GitError } from './git.ts';
import { gitLimits } from './limits.ts';
import { forgetWriter, recordWriter, removeStaleLocks } from './mirror-folder.ts';
import { openObjectReader, type ObjectReader } from './object-reader.ts';
import type { RemoteUrl } from './remote-url.ts';

export interface Workshop {
  readonly directory: string;
  readonly remote: RemoteUrl;
  readonly clock: Clock;
  readonly reader: ObjectReader;
  /** How often the mirror began or ended to be made anew: odd while it is, when reads find nothing. */
  readonly rebuilds: { count: number };
  /** Runs `work` after all writers before it. Never nest it. */
  readonly exclusive: <T>(work: () => Promise<Result<T, GitError>>) => Promise<Result<T, GitError>>;
  /** A command on the mirror alone; success only with exit code 0. `extra` adds to the environment. */
  readonly local: (argv: readonly string[], stdin?: string, extra?: Environment) => Promise<CommandOutcome>;
  /**
   * A command that talks to the remote, with credentials fetched for it; `refused` where a file that it writes came to be
   * larger than `bytesMax`. Only within `exclusive`.
   */
  readonly transfer: (what: string, argv: readonly string[], bytesMax?: number) => Promise<Result<void, TransferError>>;
  /** The environment of a transfer, and what may not be shown of it. */
  readonly transferSetting: () => Promise<Result<TransferSetting, GitError>>;
  /** For asking the remote what it has, which is short work. */
  readonly listTimeMs: number;
  readonly close: () => Promise<void>;
}

export interface TransferSetting {
  readonly environment: Environment;
  readonly secrets: readonly string[];
}

export interface TransferError {
  readonly error: GitError;
  /** All that git said, for telling causes apart; not for people. */
  readonly said: string;
}

export interface WorkshopOptions {
  readonly directory: string;
  readonly remote: RemoteUrl;
  readonly credentials: () => Promise<Credentials | null>;
  readonly clock: Clock;
  readonly transferTimeMs: number;
}

export function openWorkshop(options: WorkshopOptions): Workshop {
  const { directory, remote, clock } = options;
  const reader = openObjectReader(directory);
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  const transferSetting = async (): Promise<Result<TransferSetting, GitError>> => {
    try {
      const credentials = await options.credentials();
      return success({ environment: transferEnvironment(remote, credentials), secrets: secretsOf(credentials) });
    } catch {
      // Not the reason: whoever mints credentials knows what of it is secret, and logs it.
      return failure({ kind: 'unreachable', message: 'the credentials of the repository cannot be had at the moment' });
    }
  };

  return {
    directory,
    remote,
    clock,
    transferSetting,
    listTimeMs: Math.min(gitLimits.commandTimeMs, options.transferTimeMs),
    reader,
    rebuilds: { count: 0 },
    exclusive(work) {
      if (closed) return Promise.resolve(failure({ kind: 'refused', message: 'the mirror is closed' }));
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    },
    async local(argv, stdin = '', extra = {}) {
      const outcome = await runGit({ argv, stdin, directory, environment: { ...localEnvironment(), ...extra } });
      if (outcome.kind === 'stopped') removeStaleLocks(directory);
      return outcome;
    },
    async transfer(what, argv, bytesMax) {
      const setting = await transferSetting();
      if (!setting.ok) return failure({ error: setting.error, said: '' });
      const { environment, secrets } = setting.value;
      const onStart = (id: number): void => recordWriter(directory, id);
      const outcome = await runGit({
        argv,
        directory,
        environment,
        timeMs: options.transferTimeMs,
        fileBytesMax: bytesMax,
        onStart,
      });
      forgetWriter(directory);
      if (outcome.kind === 'exited' && outcome.code === 0) return success(undefined);
      const isTooLarge = bytesMax !== undefined && isBeyondFileLimit(outcome);
      if (outcome.kind === 'stopped' || isTooLarge) removeStaleLocks(directory);
      if (isTooLarge)
        return failure({
          error: { kind: 'refused', message: `${what}: it is larger than ${bytesMax} bytes` },
          said: '',
        });
      const said = outcome.kind === 'exited' ? outcome.stderr : '';
      return failure({ error: transferError(what, outcome, secrets), said });
    },
    async close() {
      closed = true;
      await last;
      await reader.close();
    },
  };
}
