/** Every process of the cluster, in the order of their starts: what it is told, where it listens, when it is ready. */
import { join } from 'node:path';
import { nodeAddress, nodeName, serviceNetwork, type Layout } from './layout.ts';

export interface Daemon {
  readonly name: string;
  /** A program of the components, or one of Debian's. */
  readonly program: string;
  readonly words: readonly string[];
  /** As `ss` writes them. */
  readonly listens: readonly string[];
}

/** Where etcd, kubelet say over plain HTTP on loopback that they are well. */
export const etcdHealth = 'http://127.0.0.1:2379/health';
export const kubeletHealth = 'http://127.0.0.1:10248/healthz';

/** The store comes before the API server, the runtime before the kubelet, and both pairs before what talks to them. */
export function daemonsOf(layout: Layout) {
  return {
    etcd: etcd(layout),
    containerd: daemon('containerd', 'containerd', { config: join(layout.configuration, 'containerd.toml') }, []),
    apiServer: apiServer(layout),
    controllerManager: controllerManager(layout),
    scheduler: scheduler(layout),
    kubelet: kubelet(layout),
    proxy: proxy(layout),
  } satisfies Readonly<Record<string, Daemon>>;
}

function daemon(
  name: string,
  program: string,
  flags: Readonly<Record<string, string>>,
  listens: readonly string[],
): Daemon {
  return { name, program, words: Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`), listens };
}

function etcd({ bin, data }: Layout): Daemon {
  const [clients, peers] = ['http://127.0.0.1:2379', 'http://127.0.0.1:2380'];
  const flags = {
    name: 'only',
    'data-dir': join(data, 'etcd'),
    'listen-client-urls': clients,
    'advertise-client-urls': clients,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `only=${peers}`,
    // What a test's cluster forgets when the machine loses its power is no loss.
    'unsafe-no-fsync': 'true',
    'auto-compaction-retention': '5m',
    'log-level': 'warn',
  };
  return daemon('etcd', join(bin, 'etcd'), flags, ['127.0.0.1:2379', '127.0.0.1:2380']);
}

function apiServer({ bin, pki }: Layout): Daemon {
  const flags = {
    'etcd-servers': 'http://127.0.0.1:2379',
    // Pods come to the node's address: what listens on loopback alone is out of their reach.
    'bind-address': nodeAddress,
    'advertise-address': nodeAddress,
    'secure-port': '6443',
    'service-cluster-ip-range': serviceNetwork,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'allow-privileged': 'true',
    'max-requests-inflight': '800',
    'max-mutating-requests-inflight': '400',
    'tls-cert-file': join(pki, 'kube-apiserver.crt'),
    'tls-private-key-file': join(pki, 'kube-apiserver.key'),
    'client-ca-file': join(pki, 'ca.crt'),
    'kubelet-client-certificate': join(pki, 'kube-apiserver-kubelet.crt'),
    'kubelet-client-key': join(pki, 'kube-apiserver-kubelet.key'),
    'kubelet-certificate-authority': join(pki, 'ca.crt'),
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': join(pki, 'service-accounts.pub'),
    'service-account-signing-key-file': join(pki, 'service-accounts.key'),
    'requestheader-client-ca-file': join(pki, 'front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': join(pki, 'front-proxy.crt'),
    'proxy-client-key-file': join(pki, 'front-proxy.key'),
  };
  return daemon('kube-apiserver', join(bin, 'kube-apiserver'), flags, [`${nodeAddress}:6443`]);
}

function controllerManager(layout: Layout): Daemon {
  const { bin, pki } = layout;
  const flags = {
    ...onlyOne(layout, 'kube-controller-manager'),
    'use-service-account-credentials': 'true',
    'service-account-private-key-file': join(pki, 'service-accounts.key'),
    'root-ca-file': join(pki, 'ca.crt'),
    'cluster-signing-cert-file': join(pki, 'ca.crt'),
    'cluster-signing-key-file': join(pki, 'ca.key'),
    // Twice and a half of what a kubelet lets pass between two signs of life: a node that is lost is missed in half the time.
    'node-monitor-grace-period': '25s',
  };
  return daemon('kube-controller-manager', join(bin, 'kube-controller-manager'), flags, ['127.0.0.1:10257']);
}

function scheduler(layout: Layout): Daemon {
  const flags = onlyOne(layout, 'kube-scheduler');
  return daemon('kube-scheduler', join(layout.bin, 'kube-scheduler'), flags, ['127.0.0.1:10259']);
}

/** With nobody beside it there is no leader to elect, and a start need not wait for the lease of the one before. */
function onlyOne({ configuration }: Layout, name: string): Readonly<Record<string, string>> {
  const file = join(configuration, `${name}.kubeconfig`);
  return {
    kubeconfig: file,
    'authentication-kubeconfig': file,
    'authorization-kubeconfig': file,
    'bind-address': '127.0.0.1',
    'leader-elect': 'false',
    'kube-api-qps': '200',
    'kube-api-burst': '400',
  };
}

function kubelet({ bin, configuration, data }: Layout): Daemon {
  const flags = {
    config: join(configuration, 'kubelet.yaml'),
    kubeconfig: join(configuration, 'kubelet.kubeconfig'),
    'hostname-override': nodeName,
    'node-ip': nodeAddress,
    'root-dir': join(data, 'kubelet'),
    'cert-dir': join(data, 'kubelet', 'pki'),
    v: '2',
  };
  return daemon('kubelet', join(bin, 'kubelet'), flags, [`${nodeAddress}:10250`, '127.0.0.1:10248']);
}

function proxy({ bin, configuration }: Layout): Daemon {
  const flags = { config: join(configuration, 'kube-proxy.yaml'), 'hostname-override': nodeName };
  return daemon('kube-proxy', join(bin, 'kube-proxy'), flags, ['127.0.0.1:10249', '127.0.0.1:10256']);
}
