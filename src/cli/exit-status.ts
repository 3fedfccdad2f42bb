/** What the commands end with: documented in docs/operating.md, so that scripts can tell the user's mistake from a failed run. */
export const exitStatus = {
  success: 0,
  /** The run, also a pretended one, failed, each tick of a simulated schedule is missed, its challenger is worse or below the threshold, or a chapter of the demo's story went wrong. */
  failed: 1,
  /** The user's mistake: an unknown option, a broken definition, a wrong configuration. */
  usage: 2,
  /** A fault in Contender itself (EX_SOFTWARE). */
  fault: 70,
  /** Another server holds the folder (EX_TEMPFAIL). */
  locked: 75,
  /** Its terminal was closed (SIGHUP). */
  hungUp: 129,
  /** Ended by Ctrl-C. */
  interrupted: 130,
  /** Whoever read the output went away (`| head`). */
  readerGone: 141,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];
