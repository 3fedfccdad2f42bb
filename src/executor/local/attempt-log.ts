/** The log of one attempt: everything that goes in passes the mask. */
import type { LogWriter } from '../../outputs/outputs.ts';
import type { Mask } from '../../outputs/mask.ts';

export interface AttemptLog {
  output(stream: 'out' | 'err', chunk: Uint8Array): void;
  /** A line of our own. */
  say(text: string): void;
  close(): Promise<void>;
}

export function createAttemptLog(writer: LogWriter, mask: Mask): AttemptLog {
  const streams = { out: mask.stream(), err: mask.stream() };
  for (const name of mask.refused) {
    writer.write('contender', `The secret ${name} is shorter than 6 characters: it is not masked in this log.\n`);
  }
  return {
    output(stream, chunk) {
      const passed = streams[stream].push(chunk);
      if (passed.length > 0) writer.write(stream, passed);
    },
    say: (text) => writer.write('contender', `${mask.text(text)}\n`),
    async close() {
      for (const stream of ['out', 'err'] as const) {
        const rest = streams[stream].end();
        if (rest.length > 0) writer.write(stream, rest);
      }
      await writer.close();
    },
  };
}
