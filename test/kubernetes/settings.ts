/** An executor's settings at the real cluster of the tests. */
import { nodeAddress } from '../cluster/layout.ts';
import { loadKubeConfig } from '../../src/executor/kubernetes/kube-config.ts';
import { freePort } from '../support/postgres.ts';
import type { HarbourOptions } from '../executor/kubernetes/harbour.ts';
import type { ApiProxy } from './api-proxy.ts';

type LoadConfig = HarbourOptions['loadConfig'];

export const runnerImage = 'contender-runner:local';

/** As KUBECONFIG says. */
export const asGiven: LoadConfig = (client) => loadKubeConfig(client, { kubeconfig: null, context: null });

export function through(proxy: ApiProxy): LoadConfig {
  return (client) => {
    const config = new client.KubeConfig();
    config.loadFromClusterAndUser({ name: 'proxy', server: proxy.url, skipTLSVerify: true }, { name: 'nobody' });
    return config;
  };
}

export function settingsIn(
  namespace: string,
  loadConfig: LoadConfig = asGiven,
): Pick<HarbourOptions, 'loadConfig' | 'namespace' | 'image' | 'listen'> {
  return { loadConfig, namespace, image: runnerImage, listen: { host: '0.0.0.0', seenAs: nodeAddress } };
}

/** The section `executor` of a server's settings, whose pods are in the namespace. */
export async function executorIn(namespace: string): Promise<{ readonly kubernetes: object }> {
  const port = await freePort();
  const agents = `http://${nodeAddress}:${port}`;
  return { kubernetes: { namespace, image: runnerImage, imagePullPolicy: 'Never', agents, listen: { port } } };
}
