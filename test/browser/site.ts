/** A whole system with its pages on a loopback port, on a repository of its own. */
import type { TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createServer } from '../../src/server/server.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';

/** What logs in. */
export const siteToken = 'the-token-of-this-site';

export interface Site {
  readonly repository: TestRepository;
  readonly system: TestSystem;
  readonly url: string;
  /** Ends the server and all its connections; the function given back starts it again at the same address. */
  pause(): Promise<() => Promise<void>>;
  /** What the server logged as errors. */
  readonly errors: readonly string[];
}

export async function openSite(
  t: Pick<TestContext, 'after'>,
  options: { readonly watch: boolean } = { watch: true },
): Promise<Site> {
  const repository = createRepository();
  repository.commit('Begin', { 'README.md': 'hello' });
  const system = await openTestSystem(repository, options);
  const errors: string[] = [];
  const listen = async (port: number): Promise<FastifyInstance> => {
    const app = await createServer({
      ...system,
      apiToken: siteToken,
      version: '0.0.0-test',
      log: { error: (fields, message) => errors.push(`${message} ${JSON.stringify(fields)}`) },
    });
    await app.listen({ host: '127.0.0.1', port });
    return app;
  };
  let app = await listen(0);
  t.after(async () => {
    await app.close();
    await system.close();
    repository.remove();
  });
  if (options.watch) {
    await system.until('the first look at the repository', async () =>
      (await system.journal.heads(system.repository)).size > 0 ? true : null,
    );
  }
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const pause = async (): Promise<() => Promise<void>> => {
    await app.close();
    return async () => {
      app = await listen(address.port);
    };
  };
  return { repository, system, url: `http://127.0.0.1:${address.port}`, errors, pause };
}
