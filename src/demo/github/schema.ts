/**
 * Holds requests, answers and webhooks to GitHub's published schema. ajv is a dependency of development: it is loaded
 * only when the checks are asked for, which a clone can do for sure and an installed package by luck.
 */
import { readFile } from 'node:fs/promises';
import type { JsonObject } from '../../std/json.ts';
import { isJsonObject } from '../../std/json.ts';

export interface SchemaChecks {
  /** Sentences on what is wrong; none where all is right. */
  request(endpoint: string, query: JsonObject, body: unknown): readonly string[];
  answer(endpoint: string, status: number, body: unknown): readonly string[];
  webhook(name: string, payload: unknown): readonly string[];
}

/** Answers of every endpoint although its description does not list them. */
const errorStatuses = new Set([400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503]);

export async function loadSchemaChecks(): Promise<SchemaChecks> {
  const [{ Ajv }, formats, text] = await Promise.all([
    import('ajv'),
    import('ajv-formats'),
    readFile(new URL('./generated/github-schema.json', import.meta.url), 'utf8'),
  ]);
  const document: unknown = JSON.parse(text);
  if (!isJsonObject(document)) throw new Error('github-schema.json holds no object');
  const ajv = new Ajv({ strict: false, allErrors: false, coerceTypes: false });
  formats.default.default(ajv);
  ajv.addSchema(document, 'github');
  // `String` in query parameters: they are numbers and booleans only after reading.
  const loose = new Ajv({ strict: false, coerceTypes: true });
  formats.default.default(loose);

  const check = (path: readonly string[], value: unknown): readonly string[] => {
    const pointer = path.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const validate = ajv.getSchema(`github#/${pointer}`);
    if (validate === undefined) return [`${path.join(' ')} is not in the schema`];
    if (validate(value) === true) return [];
    return (validate.errors ?? []).map(
      (error) => `${error.instancePath || 'the value'} ${error.message ?? 'is wrong'}`,
    );
  };
  const operation = (endpoint: string): JsonObject | null => lookUp(document, ['operations', endpoint]);

  return {
    request(endpoint, query, body) {
      const described = operation(endpoint);
      if (described === null) return ['the endpoint is not in the schema'];
      const known = lookUp(described, ['query']) ?? {};
      const wrong = Object.entries(query).flatMap(([name, value]) => {
        const schema = known[name];
        if (!isJsonObject(schema)) return [`the query parameter ${name} is unknown`];
        return loose.validate({ type: 'object', properties: { value: schema } }, { value })
          ? []
          : [`the query parameter ${name} ${loose.errorsText()}`];
      });
      if (
        described['request'] === null ||
        (body === undefined && described['request'] !== null && isOptional(described))
      )
        return wrong;
      return [
        ...wrong,
        ...check(['operations', endpoint, 'request'], body),
        ...unknownFields(lookUp(described, ['request']), body),
      ];
    },
    answer(endpoint, status, body) {
      const described = lookUp(document, ['operations', endpoint, 'answers']);
      if (described === null) return ['the endpoint is not in the schema'];
      if (described[String(status)] === null) return body === undefined ? [] : ['the answer has no body in the schema'];
      if (described[String(status)] !== undefined)
        return check(['operations', endpoint, 'answers', String(status)], body);
      return errorStatuses.has(status) && isJsonObject(body) && typeof body['message'] === 'string'
        ? []
        : [`the status ${status} is not in the schema`];
    },
    webhook: (name, payload) => check(['webhooks', name], payload),
  };
}

function isOptional(operation: JsonObject): boolean {
  const request = operation['request'];
  return isJsonObject(request) && !Array.isArray(request['required']);
}

/** GitHub overlooks a field that it does not know; for us it is a slip of the pen. */
function unknownFields(schema: JsonObject | null, body: unknown): readonly string[] {
  const properties = schema?.['properties'];
  if (!isJsonObject(properties) || !isJsonObject(body)) return [];
  return Object.keys(body)
    .filter((name) => !(name in properties))
    .map((name) => `the field ${name} is unknown`);
}

function lookUp(from: JsonObject, path: readonly string[]): JsonObject | null {
  let value: unknown = from;
  for (const name of path) value = isJsonObject(value) ? value[name] : undefined;
  return isJsonObject(value) ? value : null;
}
