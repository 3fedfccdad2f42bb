/**
 * The configuration, read once at the start: `contender.yaml` for what may be seen by everybody, the environment for
 * what may not (tokens, keys, the database's address). Without a file, the repository is the current folder, without a
 * forge. Every mistake is said with its line and what is accepted.
 */
import { resolve } from 'node:path';
import type { Channel, ChannelSettings } from '../notify/notify.ts';
import type { ObjectStore } from '../sensors/sensors.ts';
import { isJsonObject, type JsonObject } from '../std/json.ts';
import { given, type Environment } from './environment.ts';
import { invalid, readConfigFile } from './file.ts';
import { readFleet, type FleetConfig } from './fleet.ts';
import { hiddenIn } from './hidden.ts';
import { readKubernetes, type KubernetesConfig } from './kubernetes.ts';
import { readRepository, type RepositoryConfig } from './repository.ts';
import { configFileSchema, type ConfigFile } from './schema.ts';

export interface Config {
  /** Of this server alone: the embedded journal, mirrors, what attempts need while they run. */
  readonly stateDirectory: string;
  /** Artifacts and logs; where several servers share a database, the same for all of them. */
  readonly sharedDirectory: string;
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string | null;
    /** Something in front of it says who may come, and under which name. */
    readonly behindProxy: boolean;
    readonly apiToken: string | null;
  };
  readonly store: { readonly kind: 'sqlite' } | { readonly kind: 'postgres'; readonly url: string };
  readonly executor: {
    readonly slots: number | null;
    readonly nodeModules: string | null;
    /** Where both are null, steps are processes of this machine. */
    readonly kubernetes: KubernetesConfig | null;
    readonly fleet: FleetConfig | null;
  };
  /** Slots by the name of the pool. */
  readonly pools: ReadonlyMap<string, number>;
  /** By the name that `waitFor.object` gives. */
  readonly objectStores: ReadonlyMap<string, ObjectStore>;
  readonly notifications: ChannelSettings & {
    /** The value of `CONTENDER_NOTIFY_NAME`: an address, or the key that signs. */
    readonly variable: (name: string) => string | null;
  };
  /** How long, after the end of a run or their last use; null: for good. */
  readonly retention: { readonly logsMs: number | null; readonly artifactsMs: number | null };
  readonly repositories: readonly RepositoryConfig[];
  /** `CONTENDER_SECRET_NAME` gives the secret NAME. */
  readonly secret: (name: string) => string | null;
  /** The same for steps, which get no key of an object store: whoever can push may name any. */
  readonly stepSecret: (name: string) => string | null;
  /** All that the environment holds and no log may show, by the name of its variable. */
  readonly hidden: ReadonlyMap<string, string>;
}

export interface FleetSettings {
  readonly queue: string;
  readonly prefix: string;
  /** Where the server listens for workers. */
  readonly port: number;
  readonly nodeModules: string | null;
}

const tokenLengthMin = 16;

/** Reads `contender.yaml` in `directory`. Throws a `ProblemError` (`config-invalid`). */
export function loadConfig(directory: string, environment: Environment): Config {
  const file = readConfigFile(directory) ?? configFileSchema.parse({});
  const repositories = file.repositories.map((repository) => readRepository(repository, directory, environment));
  for (const [index, { name }] of repositories.entries()) {
    if (repositories.findIndex((each) => each.name === name) === index) continue;
    throw invalid(`two repositories are called ${name}`, null, 'Give one of them another `name`.');
  }
  const objectStores = readObjectStores(file);
  const kept = keysOf(objectStores);
  const secret = (name: string): string | null => environment[`CONTENDER_SECRET_${name}`] || null;
  return {
    stateDirectory: resolve(directory, file.state),
    sharedDirectory: resolve(directory, file.shared ?? file.state),
    server: readServer(file.server, environment),
    store: readStore(environment),
    executor: {
      slots: file.executor.slots ?? null,
      nodeModules: file.executor.nodeModules === undefined ? null : resolve(directory, file.executor.nodeModules),
      kubernetes: file.executor.kubernetes === undefined ? null : readKubernetes(file.executor.kubernetes, directory),
      fleet: file.executor.fleet === undefined ? null : readFleet(file.executor.fleet, environment),
    },
    pools: slotsByName(file.pools),
    objectStores,
    notifications: {
      ...readChannels(file.notifications),
      variable: (name) => given(environment, `CONTENDER_NOTIFY_${name}`),
    },
    retention: { logsMs: file.retention.logs ?? null, artifactsMs: file.retention.artifacts ?? null },
    repositories,
    secret,
    stepSecret: (name) => (kept.has(name) ? null : secret(name)),
    hidden: hiddenIn(environment),
  };
}

/** The pools that `contender.yaml` in `directory` declares; null where there is no such file. Throws as `loadConfig`. */
export function loadPools(directory: string): ReadonlyMap<string, number> | null {
  const file = readConfigFile(directory);
  return file === null ? null : slotsByName(file.pools);
}

/** The volumes that `contender.yaml` in `directory` gives to pods; null where steps are none. Throws as `loadConfig`. */
export function loadPodVolumes(directory: string): ReadonlySet<string> | null {
  const file = readConfigFile(directory);
  const kubernetes = file?.executor.kubernetes;
  if (file === null || kubernetes === undefined) return null;
  return new Set([kubernetes, ...file.repositories].flatMap(({ pod }) => volumesIn(pod)));
}

function volumesIn({ volumes }: JsonObject): readonly string[] {
  return (Array.isArray(volumes) ? volumes : []).flatMap((volume) =>
    isJsonObject(volume) && typeof volume['name'] === 'string' ? [volume['name']] : [],
  );
}

/** What `contender.yaml` in `directory` says to workers on this machine; null where it says nothing. Throws as `loadConfig`. */
export function loadFleetSettings(directory: string): FleetSettings | null {
  const { fleet, nodeModules } = readConfigFile(directory)?.executor ?? {};
  if (fleet === undefined) return null;
  const { queue, prefix, listen } = fleet;
  return {
    queue,
    prefix,
    port: listen.port,
    nodeModules: nodeModules === undefined ? null : resolve(directory, nodeModules),
  };
}

/** The object stores of `contender.yaml` in `directory`, as `loadPools`. */
export function loadObjectStores(directory: string): Config['objectStores'] | null {
  const file = readConfigFile(directory);
  return file === null ? null : readObjectStores(file);
}

function readObjectStores({ objectStores }: ConfigFile): Config['objectStores'] {
  return new Map(Object.entries(objectStores).map(([name, store]) => [name, readObjectStore(store)]));
}

/** The names of the secrets that are keys of object stores, with a store that has each. */
export function keysOf(stores: Config['objectStores']): ReadonlyMap<string, string> {
  const keys = [...stores].flatMap(([store, { secrets }]) =>
    Object.values(secrets).flatMap((name): [string, string][] => (name === null ? [] : [[name, store]])),
  );
  return new Map(keys);
}

/** The channels of `contender.yaml` in `directory`, as `loadPools`. */
export function loadChannels(directory: string): ChannelSettings | null {
  const file = readConfigFile(directory);
  return file === null ? null : readChannels(file.notifications);
}

function readChannels({ channels, default: defaults }: ConfigFile['notifications']): ChannelSettings {
  const byName = Object.entries(channels).map(([name, channel]): [string, Channel] => [
    name,
    'slack' in channel
      ? { kind: 'slack', url: channel.slack.url }
      : { kind: 'webhook', url: channel.webhook.url, key: channel.webhook.key ?? null },
  ]);
  return { channels: new Map(byName), defaults };
}

function slotsByName(pools: ConfigFile['pools']): ReadonlyMap<string, number> {
  return new Map(Object.entries(pools).map(([name, { slots }]) => [name, slots]));
}

/** A store of one's own has no names of hosts for its buckets. */
function readObjectStore({ endpoint, region, pathStyle, secrets }: ConfigFile['objectStores'][string]): ObjectStore {
  return {
    endpoint: endpoint?.replace(/\/$/, '') ?? null,
    region,
    pathStyle: pathStyle ?? endpoint !== undefined,
    secrets: { ...secrets, sessionToken: secrets.sessionToken ?? null },
  };
}

function readServer(server: ConfigFile['server'], environment: Environment): Config['server'] {
  const { host, port, behindProxy } = server;
  const loopback = ['127.0.0.1', 'localhost', '::1'].includes(host);
  const apiToken = given(environment, 'CONTENDER_API_TOKEN');
  if (!loopback && (apiToken === null || !behindProxy)) {
    throw invalid(
      `the server would be reachable from outside on ${host}`,
      null,
      'Set CONTENDER_API_TOKEN and put a proxy with TLS and a login in front (`server.behindProxy: true`), or listen on 127.0.0.1.',
    );
  }
  if (apiToken !== null && apiToken.length < tokenLengthMin) {
    const help = 'Make one that cannot be guessed: openssl rand -hex 32';
    throw invalid(`CONTENDER_API_TOKEN has fewer than ${tokenLengthMin} characters`, null, help);
  }
  return { host, port, publicUrl: server.publicUrl?.replace(/\/$/, '') ?? null, behindProxy, apiToken };
}

function readStore(environment: Environment): Config['store'] {
  const url = given(environment, 'CONTENDER_DATABASE_URL');
  if (url === null) return { kind: 'sqlite' };
  if (/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url)) return { kind: 'postgres', url };
  // The value itself may hold a password.
  const help = 'Write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters as %XX.';
  throw invalid('CONTENDER_DATABASE_URL is no address of a PostgreSQL database', null, help);
}
