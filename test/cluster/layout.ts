/** Where all of the cluster lives, and under which names and addresses it is found. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface Layout {
  readonly home: string;
  /** The components, each a link to the one program that they are. */
  readonly bin: string;
  readonly pki: string;
  readonly configuration: string;
  /** Layers and images, kept so that they are made once. */
  readonly images: string;
  /** What `down --wipe` drops: the stores of etcd, containerd and kubelet. */
  readonly data: string;
  /** Who runs, and how the host was before. */
  readonly run: string;
  readonly log: string;
  readonly kubeconfig: string;
  readonly containerdSocket: string;
}

export const nodeName = 'node1';
/** On the loopback interface, but no loopback address: the API server advertises none of these, and pods reach none. */
export const nodeAddress = '10.97.0.1';
export const podNetwork = '10.244.0.0/20';
export const podGateway = '10.244.0.1';
export const serviceNetwork = '10.96.0.0/16';
/** Of the service `kubernetes`: the first address of the network. */
export const apiServiceAddress = '10.96.0.1';
export const apiUrl = `https://${nodeAddress}:6443`;
export const bridge = 'cni0';

export function layoutOf(environment: NodeJS.ProcessEnv): Layout {
  const home = environment['CLUSTER_HOME'] ?? join(homedir(), '.cache', 'contender-cluster');
  const run = join(home, 'run');
  return {
    home,
    bin: join(home, 'bin'),
    pki: join(home, 'pki'),
    configuration: join(home, 'etc'),
    images: join(home, 'images'),
    data: join(home, 'data'),
    run,
    log: join(home, 'log'),
    kubeconfig: join(home, 'kubeconfig'),
    containerdSocket: join(run, 'containerd.sock'),
  };
}
