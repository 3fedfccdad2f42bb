/**
 * The configuration, read once at the start: `contender.yaml` for what may be seen by everybody, the environment for
 * what may not (tokens, keys, the database's address). Without a file, the repository is the current folder, without a
 * forge. Every mistake is said with its line and what is accepted.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { z } from 'zod';
import type { Channel, ChannelSettings } from './notify/notify.ts';
import type { ObjectStore } from './sensors/sensors.ts';
import { parseDuration } from './std/duration.ts';
import { ProblemError, type Place } from './std/problem.ts';

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
  readonly executor: { readonly slots: number | null; readonly nodeModules: string | null };
  /** Slots by the name of the pool. */
  readonly pools: ReadonlyMap<string, number>;
  /** By the name that `waitFor.object` gives. */
  readonly objectStores: ReadonlyMap<string, ObjectStore>;
  readonly notifications: ChannelSettings & {
    /** The value of `CONTENDER_NOTIFY_NAME`: an address, or the key that signs. */
    readonly variable: (name: string) => string | null;
  };
  readonly repositories: readonly RepositoryConfig[];
  /** `CONTENDER_SECRET_NAME` gives the secret NAME. */
  readonly secret: (name: string) => string | null;
}

export interface RepositoryConfig {
  readonly name: string;
  /** A path, or an https or ssh address. */
  readonly url: string;
  readonly github: GitHubConfig | null;
  readonly pollMs: number;
  readonly pollWithHooksMs: number;
}

export interface GitHubConfig {
  readonly repository: string;
  readonly apiUrl: string;
  readonly auth:
    | { readonly kind: 'token'; readonly token: string }
    | {
        readonly kind: 'app';
        readonly appId: number;
        readonly privateKey: string;
        readonly contentsWrite: true;
        readonly installationId?: number;
      };
  readonly webhookSecrets: readonly string[];
}

const configBytesMax = 1024 * 1024;
const poolsMax = 100;
const objectStoresMax = 100;
const channelsMax = 100;
const tokenLengthMin = 16;
const fileName = 'contender.yaml';

const durationSchema = z.string().transform((text, context) => {
  const parsed = parseDuration(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

const githubSchema = z.strictObject({
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be owner/name'),
  apiUrl: z.url().default('https://api.github.com'),
  installationId: z.number().int().positive().optional(),
});

const repositorySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]+(?:\/[\w.-]+)?$/, 'must be a name or owner/name')
    .optional(),
  url: z.string().min(1),
  github: githubSchema.optional(),
  poll: durationSchema.optional(),
});

const secretName = z.string().regex(/^[A-Za-z_]\w{0,127}$/, 'the name of a secret, not its value');

const objectStoreSchema = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, 'a region such as eu-central-1')
    .default('us-east-1'),
  pathStyle: z.boolean().optional(),
  secrets: z.strictObject({
    accessKeyId: secretName,
    secretAccessKey: secretName,
    sessionToken: secretName.optional(),
  }),
});

const variableName = z
  .string()
  .regex(/^[A-Za-z_]\w{0,127}$/, 'NAME of the variable CONTENDER_NOTIFY_NAME, not its value');

const channelSchema = z.union(
  [
    z.strictObject({ webhook: z.strictObject({ url: variableName, key: variableName.optional() }) }),
    z.strictObject({ slack: z.strictObject({ url: variableName }) }),
  ],
  'a channel is `webhook: { url: NAME, key: NAME }` or `slack: { url: NAME }`',
);

const notificationsSchema = z
  .strictObject({
    channels: z
      .record(
        z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a channel has a name of lower-case letters, digits and "-"'),
        channelSchema,
      )
      .refine((channels) => Object.keys(channels).length <= channelsMax, `at most ${channelsMax} channels`)
      .default({}),
    default: z.array(z.string()).default([]),
  })
  .prefault({});

/** What `contender.yaml` may hold. */
export const configFileSchema = z.strictObject({
  state: z.string().min(1).default('.contender'),
  shared: z.string().min(1).optional(),
  server: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.number().int().min(0).max(65_535).default(8080),
      publicUrl: z.url({ protocol: /^https?$/ }).optional(),
      behindProxy: z.boolean().default(false),
    })
    .prefault({}),
  executor: z
    .strictObject({ slots: z.number().int().min(1).max(10_000).optional(), nodeModules: z.string().optional() })
    .prefault({}),
  pools: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a pool has a name of lower-case letters, digits and "-"'),
      z.strictObject({ slots: z.number().int().min(1).max(10_000) }),
    )
    .refine((pools) => Object.keys(pools).length <= poolsMax, `at most ${poolsMax} pools`)
    .default({}),
  objectStores: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'a store has a name of lower-case letters, digits and "-"'),
      objectStoreSchema,
    )
    .refine((stores) => Object.keys(stores).length <= objectStoresMax, `at most ${objectStoresMax} object stores`)
    .default({}),
  notifications: notificationsSchema.superRefine(({ channels, default: names }, context) => {
    const unknown = names.find((name) => !Object.hasOwn(channels, name));
    if (unknown !== undefined)
      context.addIssue({ code: 'custom', path: ['default'], message: `there is no channel "${unknown}"` });
  }),
  repositories: z
    .array(repositorySchema)
    .min(1)
    .max(100)
    .default([{ url: '.' }]),
});

type File = z.infer<typeof configFileSchema>;
type Environment = Readonly<Record<string, string | undefined>>;

/** `contender.yaml` of `directory` by itself, whatever the environment gives; null where there is none. Throws a `ProblemError` (`config-invalid`). */
export function readConfigFile(directory: string): File | null {
  const path = join(directory, fileName);
  return existsSync(path) ? readFile(path) : null;
}

/** Reads `contender.yaml` in `directory`. Throws a `ProblemError` (`config-invalid`). */
export function loadConfig(directory: string, environment: Environment): Config {
  const file = readConfigFile(directory) ?? configFileSchema.parse({});
  const repositories = file.repositories.map((repository) => readRepository(repository, directory, environment));
  for (const [index, { name }] of repositories.entries()) {
    if (repositories.findIndex((each) => each.name === name) === index) continue;
    throw invalid(`two repositories are called ${name}`, null, 'Give one of them another `name`.');
  }
  return {
    stateDirectory: resolve(directory, file.state),
    sharedDirectory: resolve(directory, file.shared ?? file.state),
    server: readServer(file.server, environment),
    store: readStore(environment),
    executor: {
      slots: file.executor.slots ?? null,
      nodeModules: file.executor.nodeModules === undefined ? null : resolve(directory, file.executor.nodeModules),
    },
    pools: slotsByName(file.pools),
    objectStores: new Map(Object.entries(file.objectStores).map(([name, store]) => [name, readObjectStore(store)])),
    notifications: {
      ...readChannels(file.notifications),
      variable: (name) => given(environment, `CONTENDER_NOTIFY_${name}`),
    },
    repositories,
    secret: (name) => environment[`CONTENDER_SECRET_${name}`] ?? null,
  };
}

/** The pools that `contender.yaml` in `directory` declares; null where there is no such file. Throws as `loadConfig`. */
export function loadPools(directory: string): ReadonlyMap<string, number> | null {
  const path = join(directory, fileName);
  return existsSync(path) ? slotsByName(readFile(path).pools) : null;
}

/** The channels of `contender.yaml` in `directory`, as `loadPools`. */
export function loadChannels(directory: string): ChannelSettings | null {
  const path = join(directory, fileName);
  return existsSync(path) ? readChannels(readFile(path).notifications) : null;
}

function readChannels({ channels, default: defaults }: File['notifications']): ChannelSettings {
  const byName = Object.entries(channels).map(([name, channel]): [string, Channel] => [
    name,
    'slack' in channel
      ? { kind: 'slack', url: channel.slack.url }
      : { kind: 'webhook', url: channel.webhook.url, key: channel.webhook.key ?? null },
  ]);
  return { channels: new Map(byName), defaults };
}

function slotsByName(pools: File['pools']): ReadonlyMap<string, number> {
  return new Map(Object.entries(pools).map(([name, { slots }]) => [name, slots]));
}

/** A store of one's own has no names of hosts for its buckets. */
function readObjectStore({ endpoint, region, pathStyle, secrets }: z.infer<typeof objectStoreSchema>): ObjectStore {
  return {
    endpoint: endpoint?.replace(/\/$/, '') ?? null,
    region,
    pathStyle: pathStyle ?? endpoint !== undefined,
    secrets: { ...secrets, sessionToken: secrets.sessionToken ?? null },
  };
}

/** An empty variable is one that is not set: the empty token, say, would let everybody in. */
function given(environment: Environment, name: string): string | null {
  const value = environment[name]?.trim() ?? '';
  return value === '' ? null : value;
}

function readServer(server: File['server'], environment: Environment): Config['server'] {
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

function readFile(path: string): File {
  const { size } = statSync(path);
  if (size > configBytesMax) throw invalid(`${fileName} is larger than 1 MiB`, null, 'It holds settings only.');
  const lines = new LineCounter();
  const document = parseDocument(textOf(path, 'Make it a file that this user may read.'), { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) throw invalid(firstLine(error.message), placeAt(lines, error.pos[0]), 'Mend the YAML.');
  const value = plainValue(document);
  const parsed = configFileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const keys = (issue?.path ?? []).map(String);
  const unknown = issue?.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : null;
  const where = placeOf(document, lines, unknown === null ? keys : [...keys, unknown]);
  const at = keys.length === 0 ? '' : `${keys.join('.')}: `;
  throw invalid(
    `${at}${issue?.message ?? 'not as it should be'}`,
    where,
    'docs/operating.md lists every setting with its default.',
  );
}

function textOf(path: string, help: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, null, help);
  }
}

/** Aliases are counted while they are resolved: a small file must not become a large value. */
function plainValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw invalid(
      error instanceof Error ? error.message : String(error),
      null,
      'Write the values out instead of using aliases.',
    );
  }
}

function readRepository(
  repository: File['repositories'][number],
  directory: string,
  environment: Environment,
): RepositoryConfig {
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(repository.url) || /^[\w.-]+@[\w.-]+:/.test(repository.url);
  const url = isAddress ? repository.url : resolve(directory, repository.url.replace(/^~(?=\/|$)/, homedir()));
  const github = repository.github === undefined ? null : readGitHub(repository.github, environment);
  const name =
    repository.name ??
    github?.repository ??
    basename(url)
      .replace(/\.git$/, '')
      .replaceAll(/[^\w.-]/g, '-');
  // A folder next door costs nothing to look at; somebody else's server does.
  const pollMs = repository.poll ?? (isAddress ? 60_000 : 2000);
  return { name, url, github, pollMs, pollWithHooksMs: Math.max(pollMs, 600_000) };
}

function readGitHub(github: z.infer<typeof githubSchema>, environment: Environment): GitHubConfig {
  const secrets = (given(environment, 'CONTENDER_WEBHOOK_SECRET') ?? '')
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '');
  return {
    repository: github.repository,
    apiUrl: github.apiUrl.replace(/\/$/, ''),
    auth: readAuth(github, environment),
    webhookSecrets: secrets,
  };
}

function readAuth(github: z.infer<typeof githubSchema>, environment: Environment): GitHubConfig['auth'] {
  const appId = given(environment, 'CONTENDER_GITHUB_APP_ID');
  const keyFile = given(environment, 'CONTENDER_GITHUB_PRIVATE_KEY_FILE');
  const privateKey =
    given(environment, 'CONTENDER_GITHUB_PRIVATE_KEY') ??
    (keyFile === null ? null : textOf(keyFile, 'CONTENDER_GITHUB_PRIVATE_KEY_FILE names the key that GitHub gave.'));
  if (appId !== null && privateKey !== null) {
    // Champions are kept on a branch of the repository, so the App writes contents.
    return {
      kind: 'app',
      appId: Number(appId),
      privateKey,
      contentsWrite: true,
      ...(github.installationId === undefined ? {} : { installationId: github.installationId }),
    };
  }
  const token = given(environment, 'CONTENDER_GITHUB_TOKEN');
  if (token !== null) return { kind: 'token', token };
  throw invalid(
    `there are no credentials for ${github.repository} in the environment`,
    null,
    'Set CONTENDER_GITHUB_TOKEN, or CONTENDER_GITHUB_APP_ID and CONTENDER_GITHUB_PRIVATE_KEY_FILE (docs/github.md).',
  );
}

function invalid(message: string, where: Place | null, help: string): ProblemError {
  return new ProblemError({ code: 'config-invalid', message, where, help });
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file: fileName, line, column: col };
}

/** Where the value, or the key that is not known, stands; the deepest part that is there. */
function placeOf(document: Document, lines: LineCounter, keys: readonly string[]): Place | null {
  for (let length = keys.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(keys.slice(0, length - 1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isScalar(item.key) && item.key.value === keys[length - 1])
      : undefined;
    if (pair !== undefined && isScalar(pair.key) && pair.key.range) return placeAt(lines, pair.key.range[0]);
  }
  return null;
}
