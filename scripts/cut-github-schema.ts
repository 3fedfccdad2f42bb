/**
 * Cuts from GitHub's published description of its API what our GitHub on loopback is held to: the endpoints that we call
 * and the webhooks that it sends, as JSON Schema without prose. The package is 385 MB unpacked, so it is no dependency.
 *
 *   node scripts/cut-github-schema.ts [path of an unpacked @octokit/openapi]
 *
 * Without a path the package is downloaded into a temporary folder. The result is
 * `src/demo/github/generated/github-schema.json`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const endpoints = [
  'GET /app',
  'POST /app/installations/{installation_id}/access_tokens',
  'GET /installation/repositories',
  'GET /rate_limit',
  'GET /user',
  'GET /users/{username}',
  'GET /repos/{owner}/{repo}',
  'GET /repos/{owner}/{repo}/installation',
  'GET /repos/{owner}/{repo}/branches/{branch}',
  'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
  'GET /repos/{owner}/{repo}/commits/{ref}',
  'GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls',
  'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
  'GET /repos/{owner}/{repo}/commits/{ref}/status',
  'GET /repos/{owner}/{repo}/commits/{ref}/statuses',
  'POST /repos/{owner}/{repo}/statuses/{sha}',
  'POST /repos/{owner}/{repo}/check-runs',
  'GET /repos/{owner}/{repo}/check-runs/{check_run_id}',
  'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}',
  'GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations',
  'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
  'GET /repos/{owner}/{repo}/issues/comments/{comment_id}',
  'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
  'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}',
  'GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions',
  'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions',
  'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions/{reaction_id}',
  'GET /repos/{owner}/{repo}/pulls',
  'POST /repos/{owner}/{repo}/pulls',
  'GET /repos/{owner}/{repo}/pulls/{pull_number}',
  'PATCH /repos/{owner}/{repo}/pulls/{pull_number}',
  'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge',
];

const webhooks = [
  'ping',
  'push',
  'pull-request-opened',
  'pull-request-synchronize',
  'pull-request-closed',
  'pull-request-reopened',
  'pull-request-edited',
  'issue-comment-created',
  'issue-comment-edited',
  'issue-comment-deleted',
  'check-run-rerequested',
  'merge-group-checks-requested',
  'merge-group-destroyed',
];

/** What says nothing about which values are right. */
const prose = new Set([
  'description',
  'example',
  'examples',
  'title',
  'externalDocs',
  'default',
  'deprecated',
  'readOnly',
]);
/**
 * Those that ajv-formats knows; GitHub also writes formats of its own. Not `email`: the addresses of commits are whatever
 * Git was told, and those of GitHub's own bots hold brackets.
 */
const formats = new Set(['uri', 'date-time', 'date', 'ipv4', 'ipv6', 'uuid']);

type Json = string | number | boolean | null | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [name: string]: Json | undefined;
}

const given = process.argv[2];
const folder = given ?? download();
const version = text(read('package.json')['version']);
const api = read('generated/api.github.com.json');
const used = new Map<string, Json>();

const result = {
  $id: 'github',
  source: `@octokit/openapi ${version} (MIT), generated/api.github.com.json, cut by scripts/cut-github-schema.ts`,
  operations: Object.fromEntries(endpoints.map((endpoint) => [endpoint, cutEndpoint(endpoint)])),
  webhooks: Object.fromEntries(webhooks.map((name) => [name, cutWebhook(name)])),
  schemas: {} as Record<string, Json>,
};
result.schemas = Object.fromEntries([...used].sort(([one], [other]) => (one < other ? -1 : 1)));

const target = join(import.meta.dirname, '../src/demo/github/generated/github-schema.json');
const bytes = `${JSON.stringify(result)}\n`;
writeFileSync(target, bytes);
console.log(`${target}: ${Math.round(bytes.length / 1024)} KB, ${used.size} shared schemas, version ${version}`);
if (given === undefined) rmSync(join(folder, '..'), { recursive: true });

function download(): string {
  const directory = mkdtempSync(join(tmpdir(), 'github-schema-'));
  execFileSync('npm', ['pack', '@octokit/openapi', '--silent'], { cwd: directory });
  execFileSync('sh', ['-c', 'tar xzf *.tgz package/package.json package/generated/api.github.com.json'], {
    cwd: directory,
  });
  return join(directory, 'package');
}

function read(name: string): JsonObject {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as JsonObject;
}

/** Query parameters by name, the schema of the body, and of the answer by status; null where there is none. */
function cutEndpoint(endpoint: string): Json {
  const [method = '', path = ''] = endpoint.split(' ');
  const operation = at(api, 'paths', path, method.toLowerCase());
  if (operation === null) throw new Error(`${endpoint} is not described`);
  const parameters = list(operation['parameters'])
    .map((parameter) => resolve(object(parameter)))
    .filter((parameter) => parameter['in'] === 'query')
    .map((parameter) => [text(parameter['name']), cut(parameter['schema'] ?? {})] as const);
  const answers = Object.entries(object(operation['responses']))
    .toSorted(([one], [other]) => Number(one) - Number(other))
    .map(([status, answer]) => [status, cutContent(resolve(object(answer)))] as const);
  return {
    query: Object.fromEntries(parameters),
    request: operation['requestBody'] === undefined ? null : cutContent(resolve(object(operation['requestBody']))),
    answers: Object.fromEntries(answers),
  };
}

function cutWebhook(name: string): Json {
  const webhook = at(api, 'x-webhooks', name, 'post', 'requestBody', 'content', 'application/json', 'schema');
  if (webhook === null) throw new Error(`the webhook ${name} is not described`);
  return cut(webhook);
}

function cutContent(holder: JsonObject): Json {
  const schema = at(holder, 'content', 'application/json', 'schema');
  return schema === null ? null : cut(schema);
}

/** A schema without prose, OpenAPI's `nullable` as JSON Schema's null, shared schemas as references. */
function cut(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map((item: Json) => cut(item));
  if (!isObject(schema)) return schema;
  const reference = schema['$ref'];
  if (typeof reference === 'string') return cutReference(reference);
  const kept: Record<string, Json> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (value === undefined || prose.has(name) || name.startsWith('x-') || name === 'nullable') continue;
    if (name === 'format' && !formats.has(text(value))) continue;
    if (name === 'enum' || name === 'required') kept[name] = value;
    else if (name === 'properties') kept[name] = mapValues(object(value), cut);
    else kept[name] = cut(value);
  }
  return schema['nullable'] === true ? orNull(kept) : kept;
}

function cutReference(reference: string): Json {
  const name = /^#\/components\/schemas\/(.+)$/.exec(reference)?.[1];
  if (name === undefined) return cut(resolve({ $ref: reference }));
  if (!used.has(name)) {
    used.set(name, {});
    used.set(name, cut(resolve({ $ref: reference })));
  }
  return { $ref: `github#/schemas/${name}` };
}

function orNull(schema: Record<string, Json>): Json {
  if (typeof schema['type'] !== 'string') return { anyOf: [schema, { type: 'null' }] };
  const choices = schema['enum'];
  return {
    ...schema,
    type: [schema['type'], 'null'],
    ...(Array.isArray(choices) && !choices.includes(null) ? { enum: [...choices, null] } : {}),
  };
}

function resolve(value: JsonObject): JsonObject {
  const reference = value['$ref'];
  if (typeof reference !== 'string') return value;
  const found = at(api, ...reference.replace(/^#\//, '').split('/'));
  if (found === null) throw new Error(`${reference} leads nowhere`);
  return resolve(found);
}

function at(from: JsonObject, ...path: readonly string[]): JsonObject | null {
  let value: Json | undefined = from;
  for (const name of path) value = isObject(value) ? value[name] : undefined;
  return isObject(value) ? value : null;
}

function mapValues(value: JsonObject, change: (item: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, change(item ?? null)]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function object(value: Json | undefined): JsonObject {
  if (!isObject(value)) throw new Error(`no object: ${JSON.stringify(value)}`);
  return value;
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error(`no text: ${JSON.stringify(value)}`);
  return value;
}
