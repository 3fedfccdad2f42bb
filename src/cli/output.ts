/** What becomes of a command when whoever reads its output goes away (`| head`), or has no room for more. */
import { exitStatus } from './exit-status.ts';
import { sayFailure } from './failure.ts';

let readerMatters = true;

/** Once, at the start: without it, Node would print a stack. */
export function mindOutput(): void {
  process.stdout.on('error', (error: Error) => {
    if (!isGone(error)) process.exit(sayFailure(error));
    if (readerMatters) process.exit(exitStatus.readerGone);
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => undefined);
}

/** For what has a purpose of its own, such as a run: it goes on unheard. */
export function outliveReader(): void {
  readerMatters = false;
}

function isGone(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE';
}
