/** docs/benchmarks.md from the figures of a run: nothing in it that was not measured there. */
import type { Figure } from './figures.ts';

const head = `# Benchmarks

Written by \`npm run bench -- --peers --pods --write-docs\` from one run of it on one machine: every figure below was measured in that
run, the limits of the machine and the other systems included. Machines differ and are noisy; run it on your own:

| option | what it does |
|--|--|
| \`--smoke\` | each workload once and small, to prove that it runs |
| \`--peers\` | other systems too, installed where they are missing, into \`bench/peers/.cache\` or the folder \`CONTENDER_PEERS\`; PostgreSQL, \`redis-server\`, \`python3\` and npm must be there |
| \`--pods\` | steps as pods too, at the cluster of \`KUBECONFIG\` or at one that is brought up for it, which takes root |
| \`--only NAME,NAME\` | these workloads, or of the other systems these |
| \`--write-docs\` | this page, from the figures of the run |
`;

const howToRead = `## How to read it

A step of these workloads does nothing, so \`per step ms\` is what the system itself takes: the time from the request to the
end of the last step, divided by the number of steps. Eight steps run at once. Figures are medians of the repetitions, after
five that are not counted where there are fewer than a thousand steps, else one. \`first ms\` is the very first of them, in a system that has
just begun, with all that it has to fetch, compile and start for it. \`cpu s\` is the processor time of all processes of a system, its database's included. \`peak rss mb\`
adds up the resident memory of all of them, looked at five times a second, and counts a page that processes share once for
each; \`server peak rss mb\` is the server's process alone, as the kernel kept it; \`pss mb\` shares such pages out.

What does not compare: a **process a step** costs a process, which \`make\` and the bare loop show; a **function in process**
shares memory with the system and takes it along when it crashes. Contender runs functions in warm processes of their own.
\`make\` and the loop keep nothing; queues keep jobs, but leave what comes after what to the user's code. Where a row says that
a system did a smaller workload, steps take it so long that the whole one would not end in minutes. Temporal is left out: its
server is a binary that no package registry carries.

Why a definition is compiled in a process of its own, and what of a first compile that leaves out of reach, is
[decision 10](decisions/0010-sandbox-as-a-process.md); why a command costs more than \`make\` takes for it,
[decision 19](decisions/0019-commands-start-in-warm-shells.md).

A pod has ended where the cluster says so, one of ours as a bare one; at \`report ms\` the server has the end, and what comes next may begin. What limits
many pods at once are the processors: on a node of two a pod that does nothing takes about half a second of one, nearly all of it
that of its node, and the agent of one of ours a quarter of a second more.
`;

/** Headings of workloads whose name does not say what they are. */
const titles: Readonly<Record<string, string>> = {
  machine: 'The machine',
  peers: 'The other systems',
  limits: 'The limits of the machine',
  trigger: 'From the trigger to the first step',
  growth: 'One run of ever more steps',
  'growth-linear': 'Whether that is linear',
  idle: 'At rest',
  'server-start': 'Start of the server',
  webhook: 'From the webhook to the first step',
  'compile-50-steps': 'A pipeline of fifty steps compiled',
  worker: 'A step on a worker, after another',
  'worker-many': 'Steps on one worker, all at once',
  pod: 'A step as a pod, after another',
  'pods-at-once': 'Steps as pods, all at once',
  'pods-in-flight': 'Pods of one server, all in flight (a fake cluster)',
  'pod-requests': 'Requests to the API of a cluster',
  'waiting-run': 'Waiting for runs',
  'waiting-step': 'Waiting for a step',
  'waiting-file': 'Waiting for files',
  'waiting-address': 'Waiting for an address',
};

/** Of each core: a load before the run above this means that others were at work. */
const quietLoadMax = 0.2;

export function documentOf(figures: readonly Figure[]): string {
  const byWorkload = Map.groupBy(figures, ({ workload }) => workload);
  const sections = [...byWorkload].map(([workload, said]) => `## ${titleOf(workload)}\n\n${tableOf(said)}`);
  return [head, ...warningsOf(figures), targetsOf(figures), howToRead, ...sections].join('\n');
}

const targetPrefix = 'target_';

/** Every figure that has a target, which is an upper limit under the figure's name after `target_`. */
function targetsOf(figures: readonly Figure[]): string {
  const rows = figures.flatMap((figure) =>
    Object.keys(figure)
      .filter((name) => name.startsWith(targetPrefix) && figure[name.slice(targetPrefix.length)] !== undefined)
      .map((target): Figure => targetRow(figure, target)),
  );
  if (rows.length === 0) return '';
  const met = rows.filter((row) => row['met'] === 'yes').length;
  return `## What was aimed at\n\n${met} of ${rows.length} met.\n\n${tableOf(rows)}`;
}

function targetRow(figure: Figure, target: string): Figure {
  const name = target.slice(targetPrefix.length);
  const value = Number(figure[name]);
  const limit = Number(figure[target]);
  return {
    workload: figure.workload,
    what: titleOf(figure.workload),
    how: figure['how'] ?? '',
    figure: name.replaceAll('_', ' '),
    measured: value,
    'at most': limit,
    met: value <= limit ? 'yes' : `no, ${(value / limit).toFixed(1)} times`,
  };
}

/** One row a figure; a column for each name that any of them has. */
export function tableOf(figures: readonly Figure[]): string {
  const names = [...new Set(figures.flatMap((figure) => Object.keys(figure)))].filter((name) => name !== 'workload');
  const rows = figures.map((figure) => names.map((name) => cellOf(figure[name])));
  const lines = [names.map((name) => name.replaceAll('_', ' ')), names.map(() => '--'), ...rows];
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function warningsOf(figures: readonly Figure[]): readonly string[] {
  const machine = figures.find(({ workload }) => workload === 'machine');
  const [load, cores] = [Number(machine?.['load_before']), Number(machine?.['cores'])];
  const warnings = [
    load > quietLoadMax * cores
      ? `the machine was not at rest: the load before the run was ${load} on ${cores} cores, so times are longer than they would be`
      : null,
    machine?.['smoke'] === true ? 'it was a smoke run: each workload once, small, without warming up' : null,
    machine?.['contender'] === 'built' ? null : 'Contender was not built: its processes carry what reads TypeScript',
  ].filter((warning) => warning !== null);
  return warnings.map((warning) => `> **These figures say little**: ${warning}.\n`);
}

function titleOf(workload: string): string {
  return titles[workload] ?? `${workload.slice(0, 1).toUpperCase()}${workload.slice(1)}`;
}

function cellOf(value: string | number | boolean | undefined): string {
  return value === undefined ? '' : String(value).replaceAll('\n', ' ').replaceAll('|', '\\|');
}
