import { join } from 'node:path';
import { attempt, type Ended } from './command.ts';
import type { Layout } from './layout.ts';

/** As the administrator, at the cluster of this layout. */
export function kubectl(layout: Layout, words: readonly string[]): Promise<Ended> {
  return attempt(join(layout.bin, 'kubectl'), ['--kubeconfig', layout.kubeconfig, '--request-timeout=30s', ...words]);
}
