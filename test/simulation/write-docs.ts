/**
 * `node test/simulation/write-docs.ts` writes docs/simulation.md: the words from here, the faults and guards from their
 * lists, the seeds and figures from a run of them all. Takes some minutes.
 */
import { writeFileSync } from 'node:fs';
import { catchMutant } from './catch.ts';
import { faultClasses, faults } from './faults.ts';
import { simulateMany } from './many.ts';
import { mutantNames, mutants } from './mutants.ts';
import type { Outcome } from './simulate.ts';

const steps = 500;
const seeds = 1000;
const workers = 2;

writeFileSync(new URL('../../docs/simulation.md', import.meta.url), page(await figures(), await caughtBy()));

async function figures(): Promise<string> {
  const outcomes: Outcome[] = [];
  await simulateMany(
    Array.from({ length: seeds }, (_, index) => ({ seed: index + 1, steps })),
    workers,
    (outcome) => {
      outcomes.push(outcome);
      return 'go on';
    },
  );
  // Of all threads; whoever else is at work on the machine does not count.
  const { user, system } = process.cpuUsage();
  const seconds = Math.round((user + system) / 1_000_000);
  const broken = outcomes.filter(({ violation }) => violation !== null).length;
  const sum = (of: (outcome: Outcome) => number): string =>
    outcomes.reduce((total, each) => total + of(each), 0).toLocaleString('en');
  return (
    `The last ${seeds.toLocaleString('en')} seeds of ${steps} steps took ${seconds} s of processor time: ` +
    `${sum((each) => each.steps)} steps with those until all came to rest, ${sum((each) => each.runs)} runs, ` +
    `${sum((each) => each.lives)} lives of a server, ${broken === 0 ? 'no' : broken} broken promise.`
  );
}

async function caughtBy(): Promise<string> {
  const rows: string[] = [];
  for (const name of mutantNames) {
    const caught = await catchMutant(name, steps);
    const by = caught === null ? 'not noticed' : `${caught.seed} | ${caught.violation?.promise}`;
    rows.push(`| \`${name}\` | ${mutants[name].what} | ${caught === null ? `${by} | ` : by} |`);
  }
  return rows.join('\n');
}

function page(run: string, guards: string): string {
  const classes = faultClasses.map((name) => `| \`${name}\` | ${faults[name]} |`).join('\n');
  return `# Proof by simulation

How Contender itself is tested, by \`npm run simulate\`. What a pipeline would do is told by \`contender simulate\`: [What would happen](simulate.md).

The real conductor, engine, outbox, schedules, polling and promotion run on the real journal (SQLite, in memory) in a
world that is made from one number: a clock, a Git remote, a forge, a registry and an executor that keep their contracts
and fail. Half of the worlds have one server, which holds its store alone; in the others there are two, on machines whose clocks
differ by minutes, that share a journal, and one of them conducts under a lease on the journal's clock. Whatever waits in that world is a task; chance, drawn from the seed, decides which of those that are due comes
next and what goes wrong with it. The same seed gives the same world on every machine.

\`\`\`
npm run simulate -- --seed 123 --steps 500          one seed; --tell says all that happens in it
npm run simulate -- --seed 1 --seeds 5000           many, two at a time; the first broken one is made small
npm run simulate -- --seed 123 --off clock,crash    without these faults (--only crash: with no others)
npm run simulate -- --seeds 100 --mutant NAME       with a guard taken away
npm run simulate -- --seeds 100 --servers 2         two servers in each world
\`\`\`

A seed has two phases. For the given number of steps faults strike, and commits, tags, pull requests, merges, backfills, cancels,
decisions, re-runs and deaths of the servers follow each other; what must never happen is checked at each write. Then faults stop, and within
ten minutes of the world's time (and one more for each run that ends meanwhile) everything has to come to rest; then what
must have happened is looked at, and a last run proves that every slot can still be used. ${run}

## Promises

| | promise | how it is checked |
|--|--|--|
| P1 | An accepted webhook is never lost; each cause opens at most one run | each write; at rest each webhook is handled, each branch, tag and open pull request was seen where it stands, and a tag has led to just the runs that are for it |
| P2 | Each tick has exactly one record: a run, or why there is none | each write; at rest the records are the firings of a second calendar (\`test/calendar/oracle.ts\`), without a hole, from when the schedule counts up to now; each run is of the interval that ends there, and each miss late and not to be caught up, or kept from it by a run that was under way or a parameter without a value |
| P3 | Of an instance at most one attempt counts, and at most one runs; there is one look of a function at a time | each event; each start and look at the executor |
| P4 | Each run ends | at rest |
| P5 | No promotion is lost, done twice, or done against another champion than the one compared with; no model is a version twice | each write; at rest ledger and journal agree |
| P6 | The forge's last word on a commit is the end of its run; one comment for a pull request and pipeline, about the head | at rest |
| P7 | No more attempts run than there are slots, of the executor and of each pool, and each slot comes back; no more functions look at once than the executor takes, and none when its run has ended | each start and look; at the end as many run at once as there are slots |
| P8 | What was asked of a run and accepted is never lost: a cancelled run ends, and ends cancelled unless it had ended by itself; an approval has one decision, the accepted one | each write: settled together with the events that come of it; within two minutes of a server that is up |
| P9 | Each interval of a backfill is decided once, in its order: one run, of that interval, or why there is none, by the runs that there were for it; no more of its runs go on than it may have; it ends | each write, where no answer can have been late; at rest |
| P10 | Each end of a run that is listened to opens exactly one run of who listens, or there is a record of why not; all news of data are taken by exactly one run of each that listens | each write; at rest each end has one or the other, and no news are left |
| lease | At most one server conducts: the lease is taken when it is free, and nothing is kept under an epoch that is over. No attempt begins while one of an earlier holder runs, but of a holder that is frozen or was a moment ago | each taking, renewal and commit; each start |
| told | Each missed deadline and each failed run that has a channel is told, at least once, and nothing is told that did not happen, of approvals, recoveries, promotions and missed ticks neither | each arrival; at rest |
| wait | What a step is said to have seen was so; a run that was there is not overlooked by a wait that ends out of time | each write; the second in a world whose database keeps its word, of what was there for longer than any answer takes |
| lane | No more runs of a pipeline are at work than \`maxActiveRuns\` | each start |
| overlap | Where a pipeline forbids it, no run is opened beside another; whoever is replaced (\`replace\`, \`cancelInProgress\`) is told to end and ends cancelled, and nobody else is | each opening and cancel; at rest |
| deadline | Of a run that is late it is told once, not before, and before whatever ends it | each write; within two minutes of a server that is up |
| timeout | No run goes on longer than its time limit after its first step began, and none is stopped before it; nor the finally-steps of one that was stopped | each write; within two minutes of a server that is up |
| tries | Each instance is tried as often as its step and the cause of its failure say, and no oftener | each start and end |
| priority | Of those that wait for the same slots, none is started while one of a higher priority waits | each start in a world whose database keeps its word, of those that waited longer than any answer takes |
| memory | No attempt is given more memory than the limit of its step, or less than the one before; one that ran out of the limit is the last | each start |
| cache | What stands for an attempt is what the run that is named gave, for the same instance and the same code, and for that pull request alone if it was made for one; an entry is kept with the end that gave it | each write |
| reuse | What a re-run reuses is what the earlier run came to and gave | each opening |
| steps | Steps and runs come to what the definition says of what attempts, waits and approvals came to: no step starts before what it is after allows it, each instance of a map runs, no more at once than it may, and finally-steps run last | each start; at each end of a run, by the model that the engine is held to (\`test/support/step-model.ts\`); of a run that was stopped, its starts and its own state |

## Faults

Each seed switches each class on or off and draws how often it strikes.

| class | |
|--|--|
${classes}

## Guards taken away

A check that finds nothing proves little until it was seen to find something. Each of these guards is taken away by
wrapping what the conductor is given, and the simulation has to notice. The seeds are the first that did.

| guard | the world then | first seed | promise |
|--|--|--|--|
${guards}

## What it does not cover

Requests to the forge that arrive after a later one of the same kind, those of a server that conducts no more among them. More
than two servers. Of the steps: rules other than those of its few pipelines (the model
is held to those by random graphs in \`test/engine/order.test.ts\` alone); whether an outcome that was kept is the one that the executor
gave; of a run that was stopped, the states of its steps but for the finally-steps. Merge groups. That a tick which was held up, by a
database or Git that did not answer, runs all the same: each that is late may be missed as the catch-up policy says. P4 and P8 give
minutes for what takes seconds. Inputs of a cached step other than its code and its instance; how long an
entry is good. The executors themselves, Git and GitHub: the contract suites
hold their fakes and the real ones to the same behaviour.
`;
}
