/** The contract that the fake of the tests keeps, on the real thing. */
import { KubeConfig } from '@kubernetes/client-node';
import { kubernetesApiKeepsItsContract } from '../contract/kubernetes-api.ts';
import { makeNamespace } from './namespace.ts';

kubernetesApiKeepsItsContract('a real Kubernetes', async () => {
  const namespace = await makeNamespace();
  const config = new KubeConfig();
  config.loadFromDefault();
  return { config, namespace: namespace.name, close: () => namespace.remove() };
});
