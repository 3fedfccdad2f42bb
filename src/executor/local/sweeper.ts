/** Ends what attempts leave behind that ended by themselves: soon, together, and off the way of the next ones. */
import { attemptMark } from './marks.ts';
import { endMarked } from './processes.ts';

export interface Sweeper {
  note(attemptId: string): void;
  /** Sweeps now what was noted. */
  flush(): Promise<void>;
}

const afterMs = 1000;
const patienceMs = 5000;

export function createSweeper(): Sweeper {
  let noted: string[] = [];
  let timer: NodeJS.Timeout | null = null;
  const flush = async (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const environment = noted.map(attemptMark);
    noted = [];
    if (environment.length > 0) await endMarked({ environment, groups: new Set() }, patienceMs);
  };
  return {
    note(attemptId) {
      noted.push(attemptId);
      timer ??= setTimeout(() => void flush(), afterMs).unref();
    },
    flush,
  };
}
