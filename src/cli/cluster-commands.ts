/** The commands about the cluster in which steps run as pods. */
import type { Command } from 'commander';
import { command, type End } from './command.ts';

export function addClusterCommands(program: Command, folder: () => string, end: End): void {
  const cluster = command(program, 'cluster', 'What concerns the cluster in which steps run as pods.', [
    'contender cluster check',
  ]);
  command(cluster, 'check', 'Find out whether the cluster of contender.yaml can run steps, before the first of them.', [
    'contender cluster check',
    'contender cluster check --quick --json',
  ])
    .option('--quick', 'ask questions alone, and make no pod')
    .option('--json', 'the findings as one JSON document')
    .action(async (options: { quick?: boolean; json?: boolean }) => {
      const { clusterCheck } = await import('./cluster-check.ts');
      end(await clusterCheck(folder(), { quick: options.quick === true, json: options.json === true }));
    });
}
