/** What keeps a process from being quiet: timers, sockets, children. More of it after an attempt than before means that
 * the attempt left something behind, which could print into the log of the next one. */

const ours = new Set(['PipeWrap', 'TTYWrap', 'SignalWrap', 'CloseReq', 'Immediate']);

/** How many resources of the user's code are alive. */
export function listLeftovers(): number {
  return process.getActiveResourcesInfo().filter((name) => !ours.has(name)).length;
}
