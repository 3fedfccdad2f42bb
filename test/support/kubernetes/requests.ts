/** A request in the words of Kubernetes: what is asked (`watch`), of what (`pods/log`), where. */
import type { IncomingMessage } from 'node:http';
import { badRequest, noSuchResource, Refusal } from './status.ts';

export type Verb = 'create' | 'get' | 'list' | 'watch' | 'patch' | 'delete' | 'deletecollection';

export interface ApiRequest {
  readonly verb: Verb;
  /** With what is below it: `pods`, `pods/log`, `selfsubjectaccessreviews`, `version`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly token: string;
  readonly body: string;
}

export async function requestOf(message: IncomingMessage): Promise<ApiRequest> {
  const url = new URL(message.url ?? '/', 'http://server');
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  const place = placeOf(url.pathname);
  return {
    ...place,
    verb: verbOf(message.method ?? '', place.name, url.searchParams),
    path: url.pathname,
    query: url.searchParams,
    contentType: message.headers['content-type'] ?? '',
    token: /^Bearer (.*)$/.exec(message.headers.authorization ?? '')?.[1] ?? '',
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/** The object in the body; `Name` is what it should be, for the objection. */
export function bodyOf(request: ApiRequest, name: string): object {
  try {
    const value: unknown = JSON.parse(request.body);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told below.
  }
  const told = `json parse error: unexpected end of JSON input (${request.body})`;
  throw new Refusal(
    badRequest(`the object provided is unrecognized (must be of type ${name}): couldn't get version/kind; ${told}`),
  );
}

/** Of options that a body may hold and need not. */
export function optionsOf(request: ApiRequest): Readonly<Record<string, unknown>> {
  return request.body === '' ? {} : { ...bodyOf(request, 'DeleteOptions') };
}

export const isTrue = (value: string | null): boolean => value === 'true' || value === '1';

function verbOf(method: string, name: string, query: URLSearchParams): Verb {
  if (method === 'POST') return 'create';
  if (method === 'PATCH') return 'patch';
  if (method === 'DELETE') return name === '' ? 'deletecollection' : 'delete';
  if (method !== 'GET') throw new Refusal(noSuchResource());
  if (name !== '') return 'get';
  return isTrue(query.get('watch')) ? 'watch' : 'list';
}

function placeOf(path: string): Pick<ApiRequest, 'resource' | 'namespace' | 'name'> {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const [root = '', ...rest] = parts;
  if (root !== 'api' && root !== 'apis') return { resource: root, namespace: '', name: root };
  const inGroup = rest.slice(root === 'api' ? 1 : 2);
  const [first = '', namespace = '', kind, name = '', below] = inGroup;
  if (first !== 'namespaces') return { resource: first, namespace: '', name: inGroup[1] ?? '' };
  if (kind === undefined) return { resource: 'namespaces', namespace: '', name: namespace };
  return { resource: below === undefined ? kind : `${kind}/${below}`, namespace, name };
}
