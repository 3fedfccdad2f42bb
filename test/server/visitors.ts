/** Somebody at a browser, as the server meets them: with the cookie and the token of a form, or without. */
import assert from 'node:assert/strict';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

export const fromOwnPage = { 'sec-fetch-site': 'same-origin' } as const;

export interface Member {
  readonly cookie: string;
  readonly formToken: string;
}

export function submit(
  app: FastifyInstance,
  url: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = fromOwnPage,
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: new URLSearchParams(fields).toString(),
  });
}

/** Presses a button of a page. */
export function press(
  app: FastifyInstance,
  url: string,
  { cookie, formToken }: Member,
  fields: Readonly<Record<string, string>> = {},
): Promise<LightMyRequestResponse> {
  return submit(app, url, { token: formToken, ...fields }, { ...fromOwnPage, cookie });
}

export async function logIn(app: FastifyInstance, apiToken: string, cookie = ''): Promise<Member> {
  const answer = await submit(app, '/login', { 'api-token': apiToken, to: '/runs' }, { ...fromOwnPage, cookie });
  assert.equal(answer.statusCode, 303, answer.body);
  const [set = ''] = [answer.headers['set-cookie'] ?? []].flat();
  const given = set.split(';')[0] ?? '';
  const page = await app.inject({ url: '/runs', headers: { cookie: given } });
  const [, formToken = ''] = /name="token" value="([\w-]+)"/.exec(page.body) ?? [];
  assert.notEqual(formToken, '');
  return { cookie: given, formToken };
}
