/** The program that the watchdog becomes: warns all processes with the mark, and a moment later kills what is left. */
import { setTimeout as sleep } from 'node:timers/promises';
import { endMarked, findMarked, signalAll } from './processes.ts';

const graceMs = 2000;
const patienceMs = 60_000;

const mark = process.argv[2];
if (mark !== undefined) {
  const marks = { environment: [mark], groups: new Set<number>() };
  const orphans = findMarked(marks);
  signalAll(orphans, 'SIGTERM');
  const killAt = performance.now() + graceMs;
  while (performance.now() < killAt && findMarked(marks).length > 0) await sleep(50);
  await endMarked({ ...marks, groups: new Set(orphans.map((orphan) => orphan.group)) }, patienceMs);
}
