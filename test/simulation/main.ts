/** `npm run simulate`: replays one seed, or looks for seeds that break a promise and makes the first of them small. */
import { readCommandLine } from '../support/command-line.ts';
import { readArguments, replayLine, usage } from './arguments.ts';
import { simulateMany } from './many.ts';
import { shrink } from './shrink.ts';
import { simulate, type Outcome } from './simulate.ts';

const given = readCommandLine(usage, readArguments);
const { steps, off, mutant, servers } = given;
const startedAt = performance.now();
const broken = given.seeds === 1 ? await one() : await many();
if (broken !== null) {
  process.exitCode = 1;
  const small = await shrink({ seed: broken.seed, steps, off, mutant, servers }, broken);
  const { violation, on, seed } = small.outcome;
  console.log(`broken: ${broken.violation?.promise} ${broken.violation?.what}`);
  console.log(`  ${replayLine({ seed, steps, off, mutant, servers })}`);
  console.log(`made small (${on.join(', ') || 'no fault at all'}): ${violation?.promise} ${violation?.what}`);
  console.log(`  ${replayLine({ seed, steps: small.steps, off: small.off, mutant, servers })}`);
}

async function one(): Promise<Outcome | null> {
  const tell = given.tell ? { tell: (line: string): void => console.log(line) } : {};
  const outcome = await simulate({ seed: given.seed, steps, off, mutant, servers, ...tell });
  console.log(
    `seed ${outcome.seed}: ${outcome.runs} runs, ${outcome.lives} lives of the server, ${outcome.fingerprint}`,
  );
  return outcome.violation === null ? null : outcome;
}

/** The first seed that breaks a promise. */
async function many(): Promise<Outcome | null> {
  const seeds = Array.from({ length: given.seeds }, (_, index) => given.seed + index);
  const outcomes: Outcome[] = [];
  await simulateMany(
    seeds.map((seed) => ({ seed, steps, off, mutant, servers })),
    given.workers,
    (outcome) => {
      outcomes.push(outcome);
      return 'go on';
    },
  );
  const bad = outcomes.filter((outcome) => outcome.violation !== null).toSorted((a, b) => a.seed - b.seed);
  for (const { seed, violation } of bad.slice(0, 50))
    console.log(`seed ${seed}: ${violation?.promise} ${violation?.what}`);
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, each) => total + of(each), 0);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const days = (sum((each) => each.virtualMs) / 86_400_000).toFixed(1);
  console.log(
    `${outcomes.length} seeds in ${seconds} s: ${bad.length} broke a promise; ${sum((each) => each.steps)} steps, ` +
      `${sum((each) => each.runs)} runs, ${sum((each) => each.lives)} lives of a server, ${days} days of their time`,
  );
  return bad[0] ?? null;
}
