/** Where the cluster is and who asks: a file, what the user or the environment names, or what a pod is given. */
import type { KubeConfig } from '@kubernetes/client-node';

type Client = typeof import('@kubernetes/client-node');

export interface ClusterChoice {
  readonly kubeconfig: string | null;
  readonly context: string | null;
}

export function loadKubeConfig(client: Client, { kubeconfig, context }: ClusterChoice): KubeConfig {
  const config = new client.KubeConfig();
  if (kubeconfig === null) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  if (context === null) return config;
  const known = config.getContexts().map(({ name }) => name);
  if (!known.includes(context))
    throw new Error(`the kubeconfig has no context "${context}": it has ${known.join(', ') || 'none'}`);
  config.setCurrentContext(context);
  return config;
}
