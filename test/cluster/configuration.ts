/** The files that containerd, its network plugins, kubelet, kube-proxy and kubectl read: `templates/`, filled in. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Trouble } from './command.ts';
import { find } from './host-packages.ts';
import { apiUrl, bridge, nodeAddress, podGateway, podNetwork, type Layout } from './layout.ts';

/** Who has a kubeconfig of its own, by the name of its certificate. */
const clients = ['kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet'];

export function writeConfiguration(layout: Layout): void {
  const { configuration, pki } = layout;
  mkdirSync(join(configuration, 'cni'), { recursive: true });
  const runc = find('runc');
  if (runc === null) throw new Trouble('there is no runc: install the Debian package of that name');
  const { data, run, log, containerdSocket } = layout;
  const addresses = { bridge, nodeAddress, podGateway, podNetwork };
  const values = { ...addresses, runc, configuration, pki, data, run, log, containerdSocket };
  const write = (template: string, file: string, more: Readonly<Record<string, string>> = {}): void =>
    writeChanged(file, fill(template, { ...values, ...more }));
  write('containerd.toml', join(configuration, 'containerd.toml'));
  write('bridge.json', join(configuration, 'cni', 'bridge.conflist'));
  write('kubelet.yaml', join(configuration, 'kubelet.yaml'));
  write('kube-proxy.yaml', join(configuration, 'kube-proxy.yaml'));
  // Pods ask nobody for names: there is no DNS in this cluster.
  writeChanged(join(configuration, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  for (const name of [...clients, 'admin'])
    write(
      'kubeconfig.yaml',
      name === 'admin' ? layout.kubeconfig : join(configuration, `${name}.kubeconfig`),
      credentials(pki, name),
    );
}

function credentials(pki: string, name: string): Readonly<Record<string, string>> {
  const encoded = (file: string): string => readFileSync(join(pki, file)).toString('base64');
  return {
    apiUrl,
    name,
    authority: encoded('ca.crt'),
    certificate: encoded(`${name}.crt`),
    key: encoded(`${name}.key`),
  };
}

function fill(template: string, values: Readonly<Record<string, string>>): string {
  const text = readFileSync(join(import.meta.dirname, 'templates', template), 'utf8');
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`templates/${template} names ${name}, which has no value`);
    return value;
  });
}

/** A file that is the same is left alone: kube-proxy ends itself when its own is written. */
function writeChanged(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  writeFileSync(file, text, { mode: 0o600 });
}
