/**
 * Ctrl-C and SIGTERM of a command that is about to start a run, or follows one. The first asks for the run to be
 * cancelled, however early it comes: a run may be in the journal before anybody is told of it, and one that nobody
 * cancelled is taken up by whoever starts next. The second ends the command at once.
 */
import { exitStatus, type ExitStatus } from './exit-status.ts';

export interface Interruption {
  /** The signal that asked for an end; null where none came. */
  asked(): NodeJS.Signals | null;
  /** From now on, `note` hears of it, and `cancel` carries it out: at once where it was asked already. */
  answer(note: (line: string) => void, cancel: () => void): void;
  /** Signals do again what they do by themselves. */
  end(): void;
}

/** `note` hears of a signal that comes before anybody answers. */
export function listenForInterruption(note: (line: string) => void): Interruption {
  let asked: NodeJS.Signals | null = null;
  let say = note;
  let cancelRun = (): void => undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    if (asked !== null) process.exit(statusOfSignal(signal));
    asked = signal;
    say('Cancelling; press Ctrl-C again to end at once.');
    cancelRun();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  return {
    asked: () => asked,
    answer(hear, cancel) {
      say = hear;
      cancelRun = cancel;
      if (asked !== null) cancel();
    },
    end: () => void process.off('SIGINT', interrupt).off('SIGTERM', interrupt),
  };
}

/** What a command ends with that a signal ended. */
export function statusOfSignal(signal: NodeJS.Signals): ExitStatus {
  return statuses[signal] ?? exitStatus.terminated;
}

const statuses: Readonly<Partial<Record<NodeJS.Signals, ExitStatus>>> = {
  SIGHUP: exitStatus.hungUp,
  SIGINT: exitStatus.interrupted,
  SIGPIPE: exitStatus.readerGone,
};
