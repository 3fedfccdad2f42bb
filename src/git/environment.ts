/**
 * The environment of every git process, built from nothing. What the machine, the user and a mirror's remote configured
 * has no say, only the one transport of the URL is open, and credentials travel here: never in an argument, a URL or a
 * file.
 */
import type { RemoteUrl } from './remote-url.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export type Environment = Readonly<Record<string, string>>;

/** What a git process may inherit: where programs, keys and certificates are, and the way through a proxy. */
const inherited = [
  'PATH',
  'HOME',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTPS_PROXY',
  'https_proxy',
  'NO_PROXY',
  'no_proxy',
];

/** Configuration that holds for every command; it is constant, so it may stand among the arguments. */
export const constantConfiguration = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.symlinks=false',
  'protocol.ext.allow=never',
  'credential.helper=',
  'submodule.recurse=false',
  'gc.auto=0',
  'maintenance.auto=false',
] as const;

/** For commands that stay on this machine: no transport at all. */
export function localEnvironment(from: NodeJS.ProcessEnv = process.env): Environment {
  const environment: Record<string, string> = {
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: '',
  };
  for (const name of inherited) {
    const value = from[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/**
 * For fetch, push and ls-remote. With credentials no redirect is followed: Git would send the header on to whatever
 * host the answer names.
 */
export function transferEnvironment(remote: RemoteUrl, credentials: Credentials | null): Environment {
  const environment: Record<string, string> = {
    ...localEnvironment(),
    GIT_ALLOW_PROTOCOL: remote.protocol,
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=20',
  };
  if (credentials === null || remote.protocol === 'ssh' || remote.protocol === 'file') return environment;
  const secrets = { 'http.extraHeader': `Authorization: ${basic(credentials)}`, 'http.followRedirects': 'false' };
  environment['GIT_CONFIG_COUNT'] = String(Object.keys(secrets).length);
  for (const [index, [key, value]] of Object.entries(secrets).entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return environment;
}

/** What of `credentials` may stand in no message. */
export function secretsOf(credentials: Credentials | null): readonly string[] {
  return credentials === null ? [] : [basic(credentials).slice('Basic '.length), credentials.password];
}

function basic(credentials: Credentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}
