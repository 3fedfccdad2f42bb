/** What an endpoint is: its name in GitHub's description, the permission that it asks for, and what it does. */
import type { Json, JsonObject } from '../../std/json.ts';
import type { Access, Caller } from './access.ts';
import type { Core, Refusal } from './core.ts';
import type { User } from './world.ts';

export interface Call {
  readonly core: Core;
  readonly access: Access;
  readonly caller: Caller;
  /** In whose name it is done; the App's bot for the App. */
  readonly actor: User;
  readonly parameters: { readonly [name: string]: string };
  readonly query: { readonly [name: string]: string };
  readonly body: JsonObject;
  /** Path and query as they came, for the links between pages. */
  readonly url: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: Json | undefined;
  readonly headers?: { readonly [name: string]: string };
}

export interface Need {
  /** Names of an App's permissions of which one is enough. */
  readonly permissions: readonly string[];
  readonly level: 'read' | 'write';
}

export interface Endpoint {
  /** `GET /repos/{owner}/{repo}`, as in the schema. */
  readonly name: string;
  /** Null: its own handler knows who may. */
  readonly need: Need | null;
  handle(call: Call): Answer | Promise<Answer>;
}

export function answer(body: Json, status = 200): Answer {
  return { status, body };
}

export const documentationUrl = 'https://docs.github.com/rest';

export function refuse(refusal: Refusal): Answer {
  return {
    status: refusal.status,
    body: {
      message: refusal.message,
      ...(refusal.errors === undefined ? {} : { errors: refusal.errors.map((error) => ({ ...error })) }),
      documentation_url: documentationUrl,
      status: String(refusal.status),
    },
  };
}

export const notFound: Answer = refuse({ status: 404, message: 'Not Found' });

export function unprocessable(resource: string, field: string, message: string): Answer {
  return refuse({
    status: 422,
    message: 'Validation Failed',
    errors: [{ resource, code: 'custom', field, message }],
  });
}

const pageSizeMax = 100;
const pageSizeUsual = 30;

/** One page of `items`, with GitHub's links to the others. */
export function page(
  call: Call,
  items: readonly JsonObject[],
  wrap: (items: readonly JsonObject[]) => Json = (all) => all,
): Answer {
  const size = Math.min(pageSizeMax, Math.max(1, Number(call.query['per_page'] ?? pageSizeUsual) || pageSizeUsual));
  const number = Math.max(1, Number(call.query['page'] ?? 1) || 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, relation: string): string => {
    const url = new URL(call.url, call.core.places.web);
    url.searchParams.set('page', String(to));
    return `<${url.href}>; rel="${relation}"`;
  };
  const links = [
    ...(number > 1 ? [link(number - 1, 'prev')] : []),
    ...(number < last ? [link(number + 1, 'next'), link(last, 'last')] : []),
    ...(number > 1 ? [link(1, 'first')] : []),
  ];
  return {
    status: 200,
    body: wrap(items.slice((number - 1) * size, number * size)),
    ...(links.length === 0 ? {} : { headers: { link: links.join(', ') } }),
  };
}

/** A text field of the body, or null. */
export function field(body: JsonObject, name: string): string | null {
  const value = body[name];
  return typeof value === 'string' ? value : null;
}
