/** Where the cluster is and who asks: a file, what the user or the environment names, or what a pod is given. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { z } from 'zod';

type Client = typeof import('@kubernetes/client-node');

export interface ClusterChoice {
  readonly kubeconfig: string | null;
  readonly context: string | null;
}

export function loadKubeConfig(client: Client, { kubeconfig, context }: ClusterChoice): KubeConfig {
  const config = new client.KubeConfig();
  if (kubeconfig === null) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  useTokenFiles(config, filesOf(kubeconfig));
  if (context === null) return config;
  const known = config.getContexts().map(({ name }) => name);
  if (!known.includes(context))
    throw new Error(`the kubeconfig has no context "${context}": it has ${known.join(', ') || 'none'}`);
  config.setCurrentContext(context);
  return config;
}

/** Those that the client has read. */
function filesOf(kubeconfig: string | null): readonly string[] {
  if (kubeconfig !== null) return [kubeconfig];
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return named.length > 0 ? named : [join(homedir(), '.kube', 'config')].filter((path) => existsSync(path));
}

const usersSchema = z.object({
  users: z.array(z.object({ name: z.string(), user: z.object({ tokenFile: z.string().min(1).optional() }).nullish() })),
});

const provider = 'token of a file';

/** `tokenFile` of a user, which the client does not know. It is read for each request: somebody may replace it at any time. */
function useTokenFiles(config: KubeConfig, files: readonly string[]): void {
  const paths = new Map<string, string>();
  for (const file of files) {
    const read = usersSchema.safeParse(parse(readFileSync(file, 'utf8')));
    for (const { name, user } of read.data?.users ?? [])
      if (user?.tokenFile !== undefined && !paths.has(name)) paths.set(name, resolve(dirname(file), user.tokenFile));
  }
  if (paths.size === 0) return;
  config.users = config.users.map((user) =>
    paths.has(user.name) ? { name: user.name, authProvider: { name: provider, config: {} } } : user,
  );
  config.addAuthenticator({
    isAuthProvider: ({ authProvider }) => authProvider?.name === provider,
    async applyAuthentication({ name }, options) {
      const token = readFileSync(paths.get(name) ?? '', 'utf8').trim();
      options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
    },
  });
}
