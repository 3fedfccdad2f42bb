/** The commands about the cluster in which steps run as pods. */
import type { Command } from 'commander';
import { parseNamespace } from './arguments.ts';
import { command, type End } from './command.ts';

export function addClusterCommands(program: Command, folder: () => string, end: End): void {
  const cluster = command(program, 'cluster', 'What concerns the cluster in which steps run as pods.', [
    'contender cluster check',
  ]);
  command(cluster, 'check', 'Find out whether the cluster of contender.yaml can run steps, before the first of them.', [
    'contender cluster check',
    'contender cluster check --quick --json',
    'contender cluster check --namespace research',
  ])
    .option('--namespace <name>', 'where the `pod` of steps names another than contender.yaml does', parseNamespace)
    .option('--quick', 'ask questions alone, and make no pod')
    .option('--json', 'the findings as one JSON document')
    .action(async (options: { namespace?: string; quick?: boolean; json?: boolean }) => {
      const { clusterCheck } = await import('./cluster-check.ts');
      const { namespace = null, quick = false, json = false } = options;
      end(await clusterCheck(folder(), { namespace, quick, json }));
    });
}
