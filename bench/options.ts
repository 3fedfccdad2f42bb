/** What the command line asks for. */
import { parseArgs } from 'node:util';
import { peerNames } from './peers/peers.ts';

export const workloadNames = [
  'limits',
  'compile',
  'chain',
  'fan',
  'burst',
  'trigger',
  'growth',
  'server',
  'idle',
  'waits',
  'fleet',
  'crowd',
  'pods',
] as const;

export const usage = `npm run bench -- [OPTIONS]

  --smoke            each workload once and small, to prove that it runs
  --only NAME,NAME   these of the workloads ${workloadNames.join(', ')},
                     and with --peers these of ${peerNames.join(', ')}
  --peers            other systems too, installed where they are missing
  --pods             pods too: at the cluster that KUBECONFIG names, or at one that is brought up for it
  --write-docs       docs/benchmarks.md from the figures of this run
`;

export type WorkloadName = (typeof workloadNames)[number];

export interface CommandLine {
  readonly smoke: boolean;
  readonly writeDocs: boolean;
  readonly only: ReadonlySet<WorkloadName>;
  /** Names of the peers that are measured too. */
  readonly peers: ReadonlySet<string>;
}

/** Throws where a name of `--only` is none. */
export function readOptions(argv: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      smoke: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      pods: { type: 'boolean', default: false },
      'write-docs': { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  const names = values.only.split(',').filter((name) => name !== '');
  const [workloads, peers] = [
    workloadNames.filter((name) => names.includes(name)),
    peerNames.filter((name) => names.includes(name)),
  ];
  const unknown = names.filter((name) => ![...workloads, ...peers].includes(name));
  if (unknown.length > 0)
    throw new Error(
      `${unknown.join(', ')}: there are the workloads ${workloadNames.join(', ')} and the peers ${peerNames.join(', ')}`,
    );
  if (peers.length > 0 && !values.peers) throw new Error(`${peers.join(', ')}: peers are measured with --peers`);
  return {
    smoke: values.smoke,
    writeDocs: values['write-docs'],
    // Pods need a cluster, and root to bring one up, so they are measured where they are asked for.
    only: new Set(workloads.length > 0 ? workloads : workloadNames.filter((name) => name !== 'pods' || values.pods)),
    peers: new Set(!values.peers ? [] : peers.length > 0 ? peers : peerNames),
  };
}
