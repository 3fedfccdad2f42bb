/** Forms as browsers send them without a program; small, because they hold a few fields. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RefusedError } from '../access.ts';

export const formBytesMax = 16 * 1024;

/** The body of a request with a form is `URLSearchParams`; of one without, anything else. */
export function parseForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: formBytesMax },
    (_request, text, done) => done(null, new URLSearchParams(String(text))),
  );
}

/** What a field holds; '' where it is not there. */
export function formField(request: FastifyRequest, name: string): string {
  return request.body instanceof URLSearchParams ? (request.body.get(name) ?? '') : '';
}

/** All of them. */
export function formFields(request: FastifyRequest): Readonly<Record<string, string>> {
  return request.body instanceof URLSearchParams ? Object.fromEntries(request.body) : {};
}

/** Who presses a button: the token says that somebody may, not who. */
export const someone = 'a person';

/** What a page was served with, so that its form counts once. */
export function pageKeyOf(request: FastifyRequest): string {
  const key = formField(request, 'key');
  if (!/^[\w-]{1,100}$/.test(key)) throw formNotWhole();
  return key;
}

export function formNotWhole(): RefusedError {
  return new RefusedError(400, 'The form is not whole. Load its page again.');
}

/** To the page that shows what came of it, so that loading it again does nothing twice. */
export function seeOther(reply: FastifyReply, address: string): FastifyReply {
  return reply.header('cache-control', 'no-store').redirect(address, 303);
}

/** An address on this server, wherever it was written; '/runs' for any other. */
export function localAddress(text: string | null): string {
  const base = 'http://here.invalid';
  const local = text !== null && text.startsWith('/') && URL.canParse(text, base) ? new URL(text, base) : null;
  // `/.//elsewhere` is here, but its path without the dot is elsewhere.
  if (local === null || local.origin !== base || local.pathname.startsWith('//')) return '/runs';
  return `${local.pathname}${local.search}${local.hash}`;
}
