/**
 * The log of all looks of one wait. The first has a line, so that a reader sees that it is looked; of the others only
 * those that print something or fail. A look that says nothing touches no file.
 */
import type { Mask } from '../../outputs/mask.ts';
import type { LogWriter } from '../../outputs/outputs.ts';
import { createAttemptLog, type AttemptLog } from './attempt-log.ts';

export function openLookLog(open: () => LogWriter, number: number): (mask: Mask) => AttemptLog {
  return (mask) => {
    let opened: AttemptLog | null = null;
    const log = (): AttemptLog => {
      if (opened !== null) return opened;
      opened = createAttemptLog(open(), mask);
      opened.say(`Look ${number}`);
      return opened;
    };
    if (number === 1) log();
    return {
      output: (stream, chunk) => log().output(stream, chunk),
      say: (text) => log().say(text),
      async close() {
        await opened?.close();
      },
    };
  };
}
