/**
 * The pages that the links of statuses, checks and comments lead to, and the few things that a person does on them:
 * comment, merge, close. They listen to this machine alone; a form of another site is refused all the same.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { addComment } from '../comments.ts';
import type { Core, Refusal } from '../core.ts';
import { closePull, mergePull, reopenPull } from '../pulls.ts';
import { findUser, fullName, type Pull } from '../world.ts';
import { pullFilesPage, pullPage } from './pull-page.ts';
import { checkRunPage, commitPage, pullsPage, repositoryPage } from './repository-page.ts';

const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'; base-uri 'none'";

export function servePages(server: FastifyInstance, core: Core): void {
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, text, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(text)))),
  );
  const get = (
    path: string,
    render: (parameters: Record<string, string>) => Promise<string | null> | string | null,
  ): void => {
    server.get(`/:owner/:name${path}`, async (request, reply) => {
      const parameters = request.params as Record<string, string>;
      const page = isHere(core, parameters) ? await render(parameters) : null;
      return page === null
        ? reply.code(404).type('text/plain').send('Not Found\n')
        : reply
            .type('text/html; charset=utf-8')
            .headers({ 'content-security-policy': policy, 'cache-control': 'no-store' })
            .send(page);
    });
  };
  get('', () => repositoryPage(core));
  get('/pulls', () => pullsPage(core));
  get('/pull/:number', ({ number = '' }) => ifFound(findPull(core, number), (pull) => pullPage(core, pull)));
  get('/pull/:number/files', ({ number = '' }) => ifFound(findPull(core, number), (pull) => pullFilesPage(core, pull)));
  get('/commit/:sha', ({ sha = '' }) => commitPage(core, sha));
  get('/runs/:id', ({ id = '' }) =>
    ifFound(core.world.checkRuns.find((check) => String(check.id) === id) ?? null, (check) =>
      checkRunPage(core, check),
    ),
  );
  server.post('/:owner/:name/pull/:number', (request, reply) => act(core, request, reply));
  server.get('/avatars/:id', (request, reply) => {
    const { id = '' } = request.params as Record<string, string>;
    return reply
      .type('image/svg+xml')
      .header('cache-control', 'max-age=3600')
      .send(avatar(Number(id) || 0));
  });
  server.get('/icon.svg', (_request, reply) => reply.type('image/svg+xml').send(icon));
  server.get('/', (_request, reply) => reply.redirect(`/${fullName(core.world.repository)}`));
}

function isHere({ world }: Core, { owner = '', name = '' }: Record<string, string>): boolean {
  return `${owner}/${name}`.toLowerCase() === fullName(world.repository).toLowerCase();
}

function findPull(core: Core, number: string): Pull | null {
  return core.world.pulls.find((pull) => String(pull.number) === number) ?? null;
}

function ifFound<T, R>(value: T | null, use: (value: T) => R): R | null {
  return value === null ? null : use(value);
}

async function act(core: Core, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const parameters = request.params as Record<string, string>;
  const form = (request.body ?? {}) as Record<string, string>;
  const pull = isHere(core, parameters) ? findPull(core, parameters['number'] ?? '') : null;
  const user = findUser(core.world, form['user'] ?? '');
  if (request.headers.origin !== core.places.web) return reply.code(403).type('text/plain').send('Not from here\n');
  if (pull === null || user === null) return reply.code(404).type('text/plain').send('Not Found\n');
  const refused = await carryOut(core, pull, form, user);
  if (refused !== null) return reply.code(refused.status).type('text/plain').send(`${refused.message}\n`);
  return reply.redirect(request.url, 303);
}

async function carryOut(
  core: Core,
  pull: Pull,
  form: Record<string, string>,
  user: NonNullable<ReturnType<typeof findUser>>,
): Promise<Refusal | null> {
  const wanted = form['act'] ?? '';
  const mayWrite = user.permission === 'write' || user.permission === 'admin';
  if (wanted !== 'comment' && !mayWrite && user.id !== pull.author.id)
    return { status: 403, message: `${user.login} may not do this` };
  switch (wanted) {
    case 'comment':
      return refusalOf(addComment(core, pull, { author: user, viaApp: false, body: form['body'] ?? '' }));
    case 'merge':
      return mayWrite
        ? refusalOf(await mergePull(core, pull, { by: user, method: 'merge' }))
        : { status: 403, message: `${user.login} may not merge` };
    case 'reopen':
      return refusalOf(await reopenPull(core, pull, user));
    case 'close':
      await closePull(core, pull, user);
      return null;
    default:
      return { status: 422, message: 'There is no such action' };
  }
}

function refusalOf(
  result: { readonly ok: boolean } & ({ readonly ok: true } | { readonly ok: false; readonly error: Refusal }),
): Refusal | null {
  return result.ok ? null : result.error;
}

/** A branch and where it goes back into main. */
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><g fill="none" stroke="#818b98" stroke-width="1.6"><circle cx="4" cy="3" r="1.8"/><circle cx="4" cy="13" r="1.8"/><circle cx="12" cy="6" r="1.8"/><path d="M4 5v6M12 8c0 3-5 2-7.5 3.6"/></g></svg>`;

/** A pattern of five by five, mirrored, from the person's id. */
function avatar(id: number): string {
  let bits = Math.imul(id + 1, 2654435761) >>> 0;
  const hue = bits % 360;
  let cells = '';
  for (let index = 0; index < 15; index += 1) {
    bits = (Math.imul(bits, 1664525) + 1013904223) >>> 0;
    if (bits >>> 31 === 0) continue;
    const [column, row] = [Math.floor(index / 5), index % 5];
    for (const x of new Set([column, 4 - column])) cells += `<rect x="${x}" y="${row}" width="1" height="1"/>`;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 7 7"><rect x="-1" y="-1" width="7" height="7" fill="#eaeef2"/><g fill="hsl(${hue} 55% 50%)">${cells}</g></svg>`;
}
