/** What `contender.yaml` may hold, setting by setting. */
import { z } from 'zod';
import { kubernetesLabelPattern } from '../pipeline/names.ts';
import { onFinishActions } from '../pipeline/pod.ts';
import { parseDuration } from '../std/duration.ts';

const poolsMax = 100;
const objectStoresMax = 100;
const channelsMax = 100;
const lostAfterMinMs = { workers: 60_000, pods: 300_000 } as const;

const durationSchema = z.string().transform((text, context) => {
  const parsed = parseDuration(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

const pollMinMs = 100;
const keptMinMs = 24 * 3_600_000;
const giveUpSchema = durationSchema.refine((ms) => ms >= 1000, 'at least 1s');

const githubSchema = z.strictObject({
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be owner/name'),
  apiUrl: z.url().default('https://api.github.com'),
  installationId: z.number().int().positive().optional(),
});

const podSchema = z.record(z.string(), z.json()).default({});

const repositorySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]+(?:\/[\w.-]+)?$/, 'must be a name or owner/name')
    .optional(),
  url: z.string().min(1),
  github: githubSchema.optional(),
  poll: durationSchema.refine((ms) => ms >= pollMinMs, `at least ${pollMinMs}ms: Git is asked each time`).optional(),
  pod: podSchema,
});

/** `says`: what is told of another one. */
function lowerCaseName(says: string): z.ZodString {
  return z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, says);
}

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
      .record(lowerCaseName('a channel has a name of lower-case letters, digits and "-"'), channelSchema)
      .refine((channels) => Object.keys(channels).length <= channelsMax, `at most ${channelsMax} channels`)
      .default({}),
    default: z.array(z.string()).default([]),
  })
  .prefault({});

/** Where the server listens for agents of steps. */
const agentsListen = z
  .strictObject({
    host: z.string().min(1).default('0.0.0.0'),
    port: z.number().int().min(0).max(65_535).default(8081),
  })
  .prefault({});

const queueName = lowerCaseName('a queue has a name of lower-case letters, digits and "-"');

const redisPrefix = lowerCaseName('a prefix of keys is made of lower-case letters, digits and "-"');

const fleetSchema = z.strictObject({
  queue: queueName.default('default'),
  listen: agentsListen,
  prefix: redisPrefix.default('contender'),
  startTimeout: giveUpSchema.prefault('24h'),
  lostAfter: durationSchema
    .refine((ms) => ms >= lostAfterMinMs.workers, 'at least 1m: workers speak every 20 s, and a server may be busy')
    .prefault('2m'),
});

/** Names of Kubernetes: of secrets and accounts. */
const kubernetesName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, 'a name of Kubernetes: lower-case letters, digits, "-" and "."');

const amounts = z.record(
  z.string().min(1).max(100),
  z.union([z.string().min(1).max(50), z.number()]).transform((amount) => String(amount)),
);

/** Of a section: what it looks like, where something else stands in its place. */
function section(form: string): { readonly error: (issue: { readonly code?: string }) => string | undefined } {
  return { error: ({ code }) => (code === 'invalid_type' ? `a section such as \`${form}\`` : undefined) };
}

const kubernetesSchema = z.strictObject(
  {
    namespace: z
      .string()
      .regex(kubernetesLabelPattern, 'a name of Kubernetes: up to 63 lower-case letters, digits and "-"'),
    image: z.string().min(1).max(1024),
    /** Under which pods reach the server. */
    agents: z.url({ protocol: /^https?$/, error: 'an address such as http://10.0.0.1:8081' }),
    listen: agentsListen,
    kubeconfig: z.string().min(1).optional(),
    context: z.string().min(1).optional(),
    imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
    imagePullSecrets: z.array(kubernetesName).max(20).default([]),
    serviceAccountName: kubernetesName.optional(),
    startTimeout: giveUpSchema.optional(),
    imagePullTimeout: giveUpSchema.prefault('2m'),
    lostAfter: durationSchema
      .refine((ms) => ms >= lostAfterMinMs.pods, 'at least 5m: an agent that waits for the server may write so seldom')
      .prefault('10m'),
    onFinishAction: z.enum(onFinishActions).default('delete_pod'),
    ttlAfterFinished: durationSchema.prefault('24h'),
    helperResources: z.strictObject({ requests: amounts.exactOptional(), limits: amounts.exactOptional() }).optional(),
    pod: podSchema,
  },
  section('kubernetes: { namespace: ml, image: registry.example/runner, agents: http://10.0.0.1:8081 }'),
);

const keptSchema = durationSchema.refine((ms) => ms >= keptMinMs, 'at least 1d').optional();

const retentionSchema = z
  .strictObject({ logs: keptSchema, artifacts: keptSchema }, section('retention: { logs: 30d, artifacts: 90d }'))
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
    .strictObject(
      {
        slots: z.number().int().min(1).max(10_000).optional(),
        nodeModules: z.string().optional(),
        kubernetes: kubernetesSchema.optional(),
        fleet: fleetSchema.optional(),
      },
      section('executor: { kubernetes: { … } }'),
    )
    .refine(
      ({ kubernetes, fleet }) => kubernetes === undefined || fleet === undefined,
      'steps run as pods (`kubernetes`) or on workers (`fleet`), not both',
    )
    .prefault({}),
  pools: z
    .record(
      lowerCaseName('a pool has a name of lower-case letters, digits and "-"'),
      z.strictObject({ slots: z.number().int().min(1).max(10_000) }),
    )
    .refine((pools) => Object.keys(pools).length <= poolsMax, `at most ${poolsMax} pools`)
    .default({}),
  objectStores: z
    .record(lowerCaseName('a store has a name of lower-case letters, digits and "-"'), objectStoreSchema)
    .refine((stores) => Object.keys(stores).length <= objectStoresMax, `at most ${objectStoresMax} object stores`)
    .default({}),
  retention: retentionSchema,
  notifications: notificationsSchema.superRefine(({ channels, default: names }, context) => {
    const unknown = names.find((name) => !Object.hasOwn(channels, name));
    if (unknown !== undefined)
      context.addIssue({ code: 'custom', path: ['default'], message: `there is no channel "${unknown}"` });
  }),
  repositories: z
    .array(repositorySchema)
    .min(1)
    .max(100)
    .prefault([{ url: '.' }]),
});

export type ConfigFile = z.infer<typeof configFileSchema>;
