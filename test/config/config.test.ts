import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { loadConfig, loadFleetSettings, loadPools } from '../../src/config/config.ts';
import { ProblemError, type Problem } from '../../src/std/problem.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function problemOf(yaml: string, environment: Record<string, string> = {}): Problem {
  return refusalOf(yaml, environment).problem;
}

function problemsOf(yaml: string): readonly Problem[] {
  const { problem, others } = refusalOf(yaml);
  return [problem, ...others];
}

function refusalOf(yaml: string, environment: Record<string, string> = {}): ProblemError {
  writeFileSync(join(folder, 'contender.yaml'), yaml);
  try {
    loadConfig(folder, environment);
  } catch (error) {
    assert.ok(error instanceof ProblemError, String(error));
    return error;
  }
  throw new Error('it was accepted');
}

test('the resources of the helper are held to what those of a pod are', () => {
  const wrong = (resources: string): string => {
    const { message, where } = problemOf(
      `executor:\n  kubernetes:\n    namespace: training\n    image: r\n    agents: http://x\n    helperResources: ${resources}\n`,
    );
    return `${where?.line} ${message}`;
  };
  const at = '6 executor.kubernetes.helperResources';
  assert.equal(wrong('{ limits: { memory: 1GB } }'), `${at}.limits.memory: it is "1GB", and has to be a quantity`);
  assert.equal(wrong('{ requests: { cpu: 2 }, limits: { cpu: 1 } }'), `${at}.requests.cpu: it is 2, and its limit 1`);
  assert.equal(wrong('{ limits: { gpu: 1 } }'), `${at}.limits.gpu: Kubernetes has no resource "gpu"`);
});

test('what is said of all pods and of those of a repository is held together', () => {
  const kubernetes = 'namespace: training, image: r, agents: "http://x", pod: { resources: { requests: { cpu: 2 } } }';
  const yaml = (cpu: number): string =>
    `executor: { kubernetes: { ${kubernetes} } }\nrepositories:\n  - url: .\n    pod: { resources: { limits: { cpu: ${cpu} } } }\n`;
  const { code, message, where, help } = problemOf(yaml(1));
  assert.deepEqual(
    [code, where?.line, message],
    ['config-invalid', 4, 'repositories.0.pod.resources.requests.cpu: it is 2, and its limit 1'],
  );
  assert.match(help ?? '', /^Request less, or raise the limit\. It is laid over `executor\.kubernetes\.pod`\.$/);
  writeFileSync(join(folder, 'contender.yaml'), yaml(2));
  assert.deepEqual(loadConfig(folder, {}).repositories[0]?.pod, { resources: { limits: { cpu: 2 } } });
});

test('without a file, the repository is the folder itself, and the server listens on loopback', () => {
  const config = loadConfig(folder, {});
  assert.equal(config.repositories[0]?.url, folder);
  assert.equal(config.repositories[0]?.github, null);
  assert.equal(config.server.host, '127.0.0.1');
  assert.deepEqual(config.store, { kind: 'sqlite' });
});

test('secrets come from the environment alone', () => {
  writeFileSync(
    join(folder, 'contender.yaml'),
    'repositories:\n  - url: https://github.com/mona/churn.git\n    github: { repository: mona/churn }\n',
  );
  const config = loadConfig(folder, {
    CONTENDER_GITHUB_TOKEN: 'token',
    CONTENDER_WEBHOOK_SECRET: 'new,old',
    CONTENDER_SECRET_WAREHOUSE: 'x',
    CONTENDER_SECRET_EMPTY: '',
  });
  assert.deepEqual(config.repositories[0]?.github?.auth, { kind: 'token', token: 'token' });
  assert.deepEqual(config.repositories[0]?.github?.webhookSecrets, ['new', 'old']);
  assert.equal(config.repositories[0]?.name, 'mona/churn');
  assert.equal(config.secret('WAREHOUSE'), 'x');
  assert.equal(config.secret('OTHER'), null);
  assert.equal(config.secret('EMPTY'), null, 'like every empty variable');
});

test('object stores are read, with the names of their secrets and never the values', () => {
  const yaml = `objectStores:
  lake: { endpoint: "https://s3.example/", secrets: { accessKeyId: LAKE_ID, secretAccessKey: LAKE_KEY } }
  cloud: { region: eu-central-1, secrets: { accessKeyId: ID, secretAccessKey: KEY, sessionToken: TOKEN } }
`;
  writeFileSync(join(folder, 'contender.yaml'), yaml);
  assert.deepEqual(Object.fromEntries(loadConfig(folder, {}).objectStores), {
    lake: {
      endpoint: 'https://s3.example',
      region: 'us-east-1',
      pathStyle: true,
      secrets: { accessKeyId: 'LAKE_ID', secretAccessKey: 'LAKE_KEY', sessionToken: null },
    },
    cloud: {
      endpoint: null,
      region: 'eu-central-1',
      pathStyle: false,
      secrets: { accessKeyId: 'ID', secretAccessKey: 'KEY', sessionToken: 'TOKEN' },
    },
  });
  const secrets = {
    CONTENDER_SECRET_LAKE_KEY: 'key',
    CONTENDER_SECRET_TOKEN: 'token',
    CONTENDER_SECRET_OTHER: 'other',
  };
  const { secret, stepSecret } = loadConfig(folder, secrets);
  const names = ['LAKE_KEY', 'TOKEN', 'OTHER'];
  assert.deepEqual(names.map(secret), ['key', 'token', 'other']);
  assert.deepEqual(names.map(stepSecret), [null, null, 'other'], 'no step is given a key');
  const wrong = 'objectStores:\n  lake: { secrets: { accessKeyId: ID, secretAccessKey: "wJalr/bPx" } }\n';
  assert.match(problemOf(wrong).message, /the name of a secret, not its value/);
  assert.match(problemOf('objectStores:\n  lake: { accessKey: x }\n').message, /objectStores/);
});

test('pools are read with their slots, also without credentials', () => {
  assert.equal(loadPools(folder), null);
  writeFileSync(
    join(folder, 'contender.yaml'),
    'pools: { gpu: { slots: 2 }, database: { slots: 4 } }\nrepositories:\n  - url: .\n    github: { repository: mona/churn }\n',
  );
  const pools = loadPools(folder);
  assert.deepEqual(Object.fromEntries(pools ?? []), { gpu: 2, database: 4 });
  assert.deepEqual(loadConfig(folder, { CONTENDER_GITHUB_TOKEN: 'token' }).pools, pools);
});

test('a pool without slots, or with a name that no step could give, is refused where it stands', () => {
  assert.deepEqual(problemOf('pools:\n  gpu: { slots: 0 }\n').where, { file: 'contender.yaml', line: 2, column: 10 });
  assert.match(problemOf('pools:\n  GPU: { slots: 1 }\n').message, /pools/);
});

test('how long is kept is said in durations of a day or more, and not at all is for good', () => {
  assert.deepEqual(loadConfig(folder, {}).retention, { logsMs: null, artifactsMs: null });
  writeFileSync(join(folder, 'contender.yaml'), 'retention: { logs: 30d, artifacts: 1d }\n');
  const dayMs = 24 * 3_600_000;
  assert.deepEqual(loadConfig(folder, {}).retention, { logsMs: 30 * dayMs, artifactsMs: dayMs });
  assert.match(problemOf('retention:\n  logs: 1h\n').message, /retention\.logs.*at least 1d/);
});

test('a token in the file is refused where it stands', () => {
  const problem = problemOf('repositories:\n  - url: .\n    token: abc\n');
  assert.equal(problem.code, 'config-invalid');
  assert.deepEqual(problem.where, { file: 'contender.yaml', line: 3, column: 5 });
});

test('a wrong value is named with its place', () => {
  const problem = problemOf('server:\n  port: 99999\n');
  assert.match(problem.message, /server\.port/);
  assert.deepEqual(problem.where, { file: 'contender.yaml', line: 2, column: 3 });
});

test('a value of another kind is told from the one that is asked for, and text that may be a secret is not repeated', () => {
  const told = (yaml: string): string => problemOf(yaml).message;
  assert.equal(told('server: { port: eighty }\n'), 'server.port: it is text, and has to be a number');
  assert.equal(told('server: { port: 99999 }\n'), 'server.port: it is 99999, and has to be at most 65535');
  assert.equal(told('server: 8080\n'), 'server: it is 8080, and has to be a group of settings');
  assert.equal(told('repositories: []\n'), 'repositories: it is empty, and has to have a length of at least 1');
  assert.equal(told('repositories:\n  - poll: 1m\n'), 'repositories.0.url: it is missing');
  assert.match(
    told('server: { publicUrl: geheim }\n'),
    /^server\.publicUrl: it is text, and has to be an address such as "http/,
  );
});

test('where every setting is listed is a file that is there', () => {
  assert.ok(existsSync(problemOf('server: { prot: 1 }\n').help.split(' lists ')[0] ?? ''));
});

test('broken YAML is said with line and column', () => {
  const { where, message } = problemOf('server: {\n');
  assert.deepEqual(where, { file: 'contender.yaml', line: 2, column: 1 });
  assert.doesNotMatch(message, / at line /);
});

test('a file of aliases of aliases is refused', () => {
  const bomb = [
    'a: &a [1,1,1,1,1,1,1,1,1,1]',
    ...'bcdefgh'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefgh'[index]}`).join(',')}]`),
  ].join('\n');
  assert.match(problemOf(bomb).message, /alias/i);
});

test('a repository on GitHub without credentials says which variables to set', () => {
  assert.match(
    problemOf('repositories:\n  - url: .\n    github: { repository: mona/churn }\n').help,
    /CONTENDER_GITHUB_TOKEN/,
  );
});

test('listening beyond loopback needs a token and a proxy', () => {
  assert.match(problemOf('server: { host: 0.0.0.0 }\n', { CONTENDER_API_TOKEN: 'x' }).help, /behindProxy/);
  assert.match(problemOf('server: { host: 0.0.0.0, behindProxy: true }\n').help, /CONTENDER_API_TOKEN/);
});

test('a duration that is none is refused with what is accepted', () => {
  assert.match(problemOf('repositories: [{ url: ., poll: soon }]\n').message, /"soon" is no duration/);
});

test('an empty variable is one that is not set: no empty token, database or credentials', () => {
  const empty = { CONTENDER_API_TOKEN: '', CONTENDER_DATABASE_URL: ' ', CONTENDER_GITHUB_TOKEN: '' };
  const config = loadConfig(folder, empty);
  assert.equal(config.server.apiToken, null);
  assert.deepEqual(config.store, { kind: 'sqlite' });
  assert.equal(
    problemOf('repositories: [{ url: ., github: { repository: mona/churn } }]\n', empty).code,
    'config-invalid',
  );
});

test('a token that could be guessed is refused', () => {
  assert.match(problemOf('', { CONTENDER_API_TOKEN: 'short' }).message, /fewer than 16 characters/);
  assert.equal(loadConfig(folder, { CONTENDER_API_TOKEN: 'long-enough-to-stay' }).server.apiToken?.length, 19);
});

test('an address of a database that is none is refused without being repeated', () => {
  for (const url of ['mona:geheim@db/runs', 'mysql://mona:geheim@db/runs', 'postgresql://mona:ge heim@[db/runs']) {
    const problem = problemOf('', { CONTENDER_DATABASE_URL: url });
    assert.equal(problem.code, 'config-invalid');
    assert.doesNotMatch(JSON.stringify(problem), /heim/);
  }
  const url = 'postgresql://mona:geheim@db.example:5432/runs?sslmode=verify-full';
  assert.deepEqual(loadConfig(folder, { CONTENDER_DATABASE_URL: url }).store, { kind: 'postgres', url });
});

test('two repositories of one name are refused', () => {
  const repositories = '[{ url: a, name: churn }, { url: b, name: churn }]';
  assert.match(problemOf(`repositories: ${repositories}\n`).message, /two repositories are called churn/);
});

test('a file that cannot be read is named', () => {
  const yaml = 'repositories: [{ url: ., github: { repository: mona/churn } }]\n';
  const environment = { CONTENDER_GITHUB_APP_ID: '1', CONTENDER_GITHUB_PRIVATE_KEY_FILE: join(folder, 'none.pem') };
  assert.match(problemOf(yaml, environment).message, /none\.pem cannot be read/);
  rmSync(join(folder, 'contender.yaml'));
  mkdirSync(join(folder, 'contender.yaml'));
  assert.throws(() => loadConfig(folder, {}), /contender\.yaml cannot be read/);
});

test('an address for people is http or https', () => {
  assert.match(problemOf('server: { publicUrl: "javascript:alert(1)" }\n').message, /server\.publicUrl/);
  writeFileSync(join(folder, 'contender.yaml'), 'server: { publicUrl: "https://contender.example.com/" }\n');
  assert.equal(loadConfig(folder, {}).server.publicUrl, 'https://contender.example.com');
});

test('channels take the names of variables, never addresses, and the default ones are declared', () => {
  const yaml =
    'notifications: { channels: { team: { webhook: { url: TEAM } }, alerts: { slack: { url: A } } }, default: [team] }\n';
  writeFileSync(join(folder, 'contender.yaml'), yaml);
  const { channels, defaults, variable } = loadConfig(folder, {
    CONTENDER_NOTIFY_TEAM: 'https://x.example',
  }).notifications;
  assert.deepEqual(channels.get('team'), { kind: 'webhook', url: 'TEAM', key: null });
  assert.deepEqual([channels.get('alerts'), defaults], [{ kind: 'slack', url: 'A' }, ['team']]);
  assert.deepEqual([variable('TEAM'), variable('A')], ['https://x.example', null]);
  const address = 'notifications: { channels: { alerts: { slack: { url: "https://hooks.example/T0" } } } }\n';
  assert.match(problemOf(address).message, /^notifications\.channels\.alerts/);
  assert.match(problemOf('notifications: { default: [nobody] }\n').message, /there is no channel "nobody"/);
});

test('steps are pods where a cluster is named, with defaults for all that need not be said', () => {
  writeFileSync(
    join(folder, 'contender.yaml'),
    `executor:
  kubernetes:
    namespace: training
    image: registry.example/runner:1
    agents: http://contender.training.svc:8081/
    kubeconfig: cluster.yaml
    startTimeout: 5m
    imagePullTimeout: 10m
    helperResources: { requests: { cpu: 0.1 }, limits: { memory: 256Mi } }
    pod: { tolerations: [{ key: batch, operator: Exists }] }
`,
  );
  assert.deepEqual(loadConfig(folder, {}).executor.kubernetes, {
    namespace: 'training',
    image: 'registry.example/runner:1',
    agentUrl: 'http://contender.training.svc:8081',
    listen: { host: '0.0.0.0', port: 8081 },
    kubeconfig: join(folder, 'cluster.yaml'),
    context: null,
    imagePullPolicy: null,
    imagePullSecrets: [],
    serviceAccountName: null,
    startMs: 300_000,
    imageMs: 600_000,
    lostMs: 600_000,
    keep: { onFinishAction: 'delete_pod', ttlAfterFinishedMs: 86_400_000 },
    helperResources: { requests: { cpu: '0.1' }, limits: { memory: '256Mi' } },
    pod: { tolerations: [{ key: 'batch', operator: 'Exists' }] },
  });
});

test('a cluster without an address for its agents, or with a name that Kubernetes would not take, is refused', () => {
  const missing = problemOf('executor: { kubernetes: { namespace: training, image: runner } }\n');
  assert.match(missing.message, /agents/);
  const keep =
    'executor: { kubernetes: { namespace: training, image: r, agents: "http://x", onFinishAction: keep } }\n';
  assert.match(problemOf(keep).message, /onFinishAction/);
  assert.match(problemOf(keep.replace('onFinishAction: keep', 'lostAfter: 1m')).message, /lostAfter: at least 5m/);
  for (const name of ['My_Space', 'my.space', 'a'.repeat(64)]) {
    const kubernetes = `executor: { kubernetes: { namespace: ${name}, image: runner, agents: "http://x" } }\n`;
    assert.match(problemOf(kubernetes).message, /namespace: a name of Kubernetes: up to 63/);
  }
});

test('steps go to workers where a fleet is named; Redis is in the environment, for it may have a password', () => {
  writeFileSync(join(folder, 'contender.yaml'), 'executor: { fleet: { queue: batch, listen: { port: 9000 } } }\n');
  const redis = 'rediss://contender:s3cret@redis.example:6380/1';
  assert.deepEqual(loadConfig(folder, { CONTENDER_REDIS_URL: redis }).executor.fleet, {
    redis: { url: redis, prefix: 'contender' },
    queue: 'batch',
    listen: { host: '0.0.0.0', port: 9000 },
    startMs: 24 * 3_600_000,
    lostMs: 120_000,
  });
  assert.deepEqual(loadFleetSettings(folder), { queue: 'batch', prefix: 'contender', port: 9000, nodeModules: null });
  for (const url of ['', 'redis.example:6379', 'http://:s3cret@redis.example']) {
    assert.throws(
      () => loadConfig(folder, { CONTENDER_REDIS_URL: url }),
      (error) =>
        error instanceof ProblemError &&
        /CONTENDER_REDIS_URL is (?:not set|no address)/.test(error.message) &&
        !error.message.includes('s3cret'),
    );
  }
});

test('a fleet that would give workers up too soon, and one beside a cluster, are refused', () => {
  assert.match(problemOf('executor: { fleet: { lostAfter: 20s } }\n').message, /lostAfter: at least 1m/);
  assert.match(problemOf('executor: { fleet: { startTimeout: 0s } }\n').message, /startTimeout: at least 1s/);
  assert.match(problemOf('repositories: [{ url: /srv/x, poll: 0s }]\n').message, /poll: at least 100ms/);
  const cluster = 'kubernetes: { namespace: training, image: runner, agents: "http://x" }';
  assert.match(problemOf(`executor: { fleet: {}, ${cluster} }\n`).message, /not both/);
  assert.match(problemOf('executor: { fleet: { queue: GPU } }\n').message, /a queue has a name of/);
});

test('what no log may show is all that the environment holds of secrets, and of addresses the password alone', () => {
  const { hidden } = loadConfig(folder, {
    CONTENDER_SECRET_LAKE: 'a lake',
    CONTENDER_NOTIFY_TEAM: 'https://hooks.example/T0',
    CONTENDER_API_TOKEN: '0123456789abcdef',
    CONTENDER_WEBHOOK_SECRET: 'new one, old one',
    CONTENDER_DATABASE_URL: 'postgresql://contender:p%40ss@db.example/contender',
    CONTENDER_GITHUB_TOKEN: '',
    PATH: '/usr/bin',
  });
  assert.deepEqual([...hidden.values()].sort(), [
    '0123456789abcdef',
    'a lake',
    'https://hooks.example/T0',
    'new one',
    'old one',
    'p@ss',
  ]);
});

test('what is wrong in what is said of pods is told, all of it, each where it stands', () => {
  const yaml = `executor:
  kubernetes:
    namespace: training
    image: runner
    agents: http://x
    pod:
      nodeSelecter: { gpu: 'yes' }
      resources: { limits: { memory: 1GB } }
      env:
        - { name: HOME, value: /tmp }
        - { name: LD_PRELOAD, value: x.so }
repositories:
  - url: .
    pod:
      labels: { contender.dev/run: '1' }
      patch: { spec: { restartPolicy: Always } }
`;
  assert.deepEqual(
    problemsOf(yaml).map(({ code, message, where }) => [code, where?.line, where?.column, message]),
    [
      ['config-invalid', 7, 7, 'executor.kubernetes.pod.nodeSelecter: there is no field "nodeSelecter" in PodOptions'],
      [
        'config-invalid',
        8,
        30,
        'executor.kubernetes.pod.resources.limits.memory: it is "1GB", and has to be a quantity',
      ],
      [
        'config-invalid',
        11,
        13,
        'executor.kubernetes.pod.env[1].name: the variable "LD_PRELOAD" changes which code runs before the step does',
      ],
      [
        'config-invalid',
        15,
        17,
        'repositories.0.pod.labels.contender.dev/run: what begins with "contender.dev/" is for Contender to say',
      ],
      [
        'config-invalid',
        16,
        24,
        'repositories.0.pod.patch.spec.restartPolicy: it is for Contender to say when a step is tried again',
      ],
    ],
  );
});

test('a pod that has no such element is said where its list stands', () => {
  const problem = problemOf('repositories:\n  - url: .\n    pod:\n      tolerations:\n        - 7\n');
  assert.deepEqual(problem.where, { file: 'contender.yaml', line: 5, column: 11 });
});

test('all that is wrong in the file is told, with what was meant', () => {
  const [first, second] = problemsOf('server: { port: 99999 }\nexecutor: { kubernetes: { kubeConfig: x } }\n');
  assert.match(first?.message ?? '', /^server\.port: /);
  assert.match(second?.message ?? '', /^executor\.kubernetes\.namespace: /);
  const own = 'namespace: n, image: r, agents: "http://x"';
  assert.equal(
    problemOf(`executor: { kubernetes: { ${own}, kubeConfig: x, zzzzzz: 1 } }\n`).message,
    'executor.kubernetes: there is no setting "kubeConfig" (did you mean "kubeconfig"?), "zzzzzz"',
  );
});

test('something else where a section or an address has to be is told how to write it', () => {
  assert.match(problemOf('executor: kubernetes\n').message, /^executor: a section such as `executor: \{ kubernetes/);
  assert.match(problemOf('executor: { kubernetes: yes }\n').message, /a section such as `kubernetes: \{ namespace/);
  const agents = 'executor: { kubernetes: { namespace: n, image: r, agents: "10.97.0.1:18081" } }\n';
  assert.match(problemOf(agents).message, /agents: an address such as http:\/\/10\.0\.0\.1:8081/);
});
