/**
 * Who is who in the cluster: one authority whose certificates say the name and groups of each component, as RBAC reads
 * them, and a second one for the API server where it speaks for others (aggregation). Made once, with openssl: Node reads
 * certificates and makes none.
 */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import { apiServiceAddress, nodeAddress, nodeName, type Layout } from './layout.ts';

interface Certificate {
  readonly name: string;
  readonly subject: string;
  readonly usage: 'serverAuth' | 'clientAuth';
  readonly authority: 'ca' | 'front-proxy-ca';
  /** Under which a server is called. */
  readonly alternatives?: readonly string[];
}

const api = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];

const certificates: readonly Certificate[] = [
  {
    name: 'kube-apiserver',
    subject: '/CN=kube-apiserver',
    usage: 'serverAuth',
    authority: 'ca',
    alternatives: [...api.map((name) => `DNS:${name}`), `IP:${apiServiceAddress}`, `IP:${nodeAddress}`],
  },
  {
    name: 'kubelet-server',
    subject: `/CN=${nodeName}`,
    usage: 'serverAuth',
    authority: 'ca',
    alternatives: [`DNS:${nodeName}`, `IP:${nodeAddress}`],
  },
  client('admin', '/O=system:masters/CN=admin'),
  client('kube-apiserver-kubelet', '/O=system:masters/CN=kube-apiserver-kubelet'),
  client('kube-controller-manager', '/CN=system:kube-controller-manager'),
  client('kube-scheduler', '/CN=system:kube-scheduler'),
  client('kube-proxy', '/CN=system:kube-proxy'),
  client('kubelet', `/O=system:nodes/CN=system:node:${nodeName}`),
  { name: 'front-proxy', subject: '/CN=front-proxy', usage: 'clientAuth', authority: 'front-proxy-ca' },
];

function client(name: string, subject: string): Certificate {
  return { name, subject, usage: 'clientAuth', authority: 'ca' };
}

export async function makeCertificates({ pki }: Layout): Promise<void> {
  mkdirSync(pki, { recursive: true, mode: 0o700 });
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,digitalSignature'];
  for (const authority of ['ca', 'front-proxy-ca'])
    await make(pki, authority, `/CN=contender-cluster-${authority}`, extensions);
  for (const { name, subject, usage, authority, alternatives } of certificates) {
    const names = alternatives === undefined ? [] : [`subjectAltName=${alternatives.join(',')}`];
    await make(pki, name, subject, [keyUsage, `extendedKeyUsage=${usage}`, ...names], authority);
  }
  makeTokenKey(pki);
}

const keyUsage = 'keyUsage=critical,digitalSignature';

/** Nothing of the machine's own openssl.cnf, which would make an authority of every certificate. */
const emptyConfiguration = '[req]\ndistinguished_name = subject\n[subject]\n';

/** Signed by the authority, or by itself where there is none. */
async function make(
  pki: string,
  name: string,
  subject: string,
  extensions: readonly string[],
  authority: string | null = null,
): Promise<void> {
  const file = join(pki, `${name}.crt`);
  if (existsSync(file)) return;
  const configuration = join(pki, 'openssl.cnf');
  writeFileSync(configuration, emptyConfiguration);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', join(pki, `${name}.key`)];
  const signer =
    authority === null ? [] : ['-CA', join(pki, `${authority}.crt`), '-CAkey', join(pki, `${authority}.key`)];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  const request = ['req', '-x509', '-config', configuration, '-days', '3650', '-subj', subject];
  await run('openssl', [...request, ...key, ...signer, ...added, '-out', file]);
}

/** What the tokens of service accounts are signed with and checked by. */
function makeTokenKey(pki: string): void {
  const file = join(pki, 'service-accounts.key');
  if (existsSync(file)) return;
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(pki, 'service-accounts.pub'), publicKey);
  writeFileSync(file, privateKey, { mode: 0o600 });
}
