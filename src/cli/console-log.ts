/** The server's own log: one JSON object a line. */
import { pino, type Logger } from 'pino';

export function consoleLog(level: 'info' | 'warn' | 'silent'): Logger {
  // Standard error, so that what a command gives on standard output stays clean.
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['authorization', '*.authorization', '*.token', 'token'],
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
