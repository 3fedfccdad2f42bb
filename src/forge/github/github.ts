/**
 * GitHub as a forge, with a token or as an App. Everything goes through one transport (`transport.ts`), which holds the
 * limits; each kind of report has a file of its own. Nothing here waits or retries beyond one fresh token: an answer that
 * says "not now" carries the time, and the outbox comes again.
 */
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../std/clock.ts';
import type { Problem } from '../../std/problem.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { whenSha } from '../commit.ts';
import type { Forge, ForgeError } from '../forge.ts';
import { createApi, lazyOctokit, type Api } from './api.ts';
import { checkRunWriter } from './checks.ts';
import { commentWriter } from './comments.ts';
import { appTokens, fixedToken, type AppKey } from './credentials.ts';
import { appIdentity, tokenIdentity, type Author, type Identity } from './identity.ts';
import { readOpenPullRequests, readPullRequest, readPullRequestsOf } from './pull-requests.ts';
import { createRateLimiter, type RateLimiter } from './rate-limit.ts';
import { statusSender } from './statuses.ts';
import { createTransport, transportLimits, type Fetch, type TokenSource } from './transport.ts';
import { receiveWebhook, signatureIn, signatureVerifier } from './webhook.ts';

export interface GitHubOptions {
  /** `owner/name`. */
  readonly repository: string;
  /** `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server. The only host that is ever called. */
  readonly apiUrl: string;
  readonly auth: { readonly kind: 'token'; readonly token: string } | ({ readonly kind: 'app' } & AppKey);
  /** One, or two while they are exchanged. */
  readonly webhookSecrets: readonly string[];
  readonly clock: Clock;
  /** Shared by the forges that use one token or installation. */
  readonly limiter?: RateLimiter;
  readonly fetch?: Fetch;
  /** Of each call; 10 s. */
  readonly timeoutMs?: number;
}

/** The forge, or what is wrong with its options. Calls nothing. */
export function createGitHubForge(options: GitHubOptions): Result<Forge, Problem> {
  const problem = optionsProblem(options);
  if (problem !== null) return failure(problem);
  const { api, identity, tokens } = connect(options);
  const { auth } = options;
  const setStatus = statusSender(api);
  const setComment = commentWriter(api, identity);
  const setCheckRun = auth.kind === 'app' ? checkRunWriter(api, auth.appId) : null;
  const verify = signatureVerifier(options.webhookSecrets);
  const context = {
    repository: options.repository,
    appId: auth.kind === 'app' ? auth.appId : null,
    isOwnBot: ownBotQuestion(identity, auth.kind),
  };
  const web = `${webUrl(options.apiUrl)}/${options.repository}`;

  return success({
    kind: 'github',
    mayProve: (headers) => signatureIn(headers) !== null,
    receive: (delivery) => receiveWebhook(delivery, verify, context),
    setStatus: (report, wasSet) => whenSha(report.sha, () => setStatus(report, wasSet)),
    setCheckRun: (report, id) =>
      whenSha<string | null>(report.sha, () =>
        setCheckRun === null ? Promise.resolve(success(null)) : setCheckRun(report, id),
      ),
    setComment: (report, pullRequest, id) =>
      whenSha<string | null>(report.sha, () => whenNumber(pullRequest, () => setComment(report, pullRequest, id))),
    pullRequest: (number) => whenNumber(number, () => readPullRequest(api, number)),
    openPullRequests: () => readOpenPullRequests(api),
    pullRequestsOf: (sha) => whenSha(sha, () => readPullRequestsOf(api, sha)),
    permission: (login) => readPermission(api, login),
    gitCredentials: async () => ({ username: 'x-access-token', password: await tokens.current() }),
    commitUrl: (sha) => `${web}/commit/${encodeURIComponent(sha)}`,
    pullRequestUrl: (number) => `${web}/pull/${number}`,
  });
}

function connect(options: GitHubOptions): {
  readonly api: Api;
  readonly identity: Identity;
  readonly tokens: TokenSource;
} {
  const { apiUrl, clock, repository, auth } = options;
  const limiter = options.limiter ?? createRateLimiter(clock);
  const timeoutMs = options.timeoutMs ?? transportLimits.timeoutMs;
  const through = (tokens: TokenSource | null): Api =>
    createApi(
      repository,
      lazyOctokit(
        apiUrl,
        createTransport({
          apiUrl,
          clock,
          limiter,
          timeoutMs,
          tokens,
          fetch: options.fetch ?? ((url, init) => fetch(url, init)),
        }),
      ),
    );
  if (auth.kind === 'token') {
    const tokens = fixedToken(auth.token);
    const api = through(tokens);
    return { api, tokens, identity: tokenIdentity(api) };
  }
  const signed = through(null);
  const tokens = appTokens(auth, signed, clock);
  return { api: through(tokens), tokens, identity: appIdentity(auth, signed) };
}

/** Of a webhook's ten seconds, what asking for our own name may take. */
const ownNameWithinMs = 2000;

/** With a token nobody can tell: the account may be a person's. An App's name is asked for once. */
function ownBotQuestion(identity: Identity, kind: 'token' | 'app'): (login: string) => Promise<boolean> {
  if (kind === 'token') return () => Promise.resolve(false);
  return async (login) => {
    const own = identity.known() ?? (await within(ownNameWithinMs, identity.own()));
    return own !== null && own.login.toLowerCase() === login.toLowerCase();
  };
}

/** The author, or null where GitHub does not say it in time. */
async function within(timeMs: number, asked: ReturnType<Identity['own']>): Promise<Author | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, timeMs, null);
  });
  const own = await Promise.race([asked, late]);
  clearTimeout(timer);
  return own !== null && own.ok ? own.value : null;
}

/** The role at this moment; whoever GitHub does not know has none. */
async function readPermission(
  api: Api,
  login: string,
): Promise<Result<'none' | 'read' | 'write' | 'admin', ForgeError>> {
  if (!/^[\w-]{1,100}(?:\[bot\])?$/.test(login)) return success('none');
  const answer = await api.call(`say what ${login} may do`, z.object({ permission: z.string() }), (octokit) =>
    octokit.rest.repos.getCollaboratorPermissionLevel({ ...api.repository, username: login }),
  );
  if (!answer.ok) return answer.error.status === 404 ? success('none') : failure(answer.error.error);
  const { permission } = answer.value;
  return success(permission === 'admin' || permission === 'write' || permission === 'read' ? permission : 'none');
}

async function whenNumber<T>(
  number: number,
  call: () => Promise<Result<T, ForgeError>>,
): Promise<Result<T, ForgeError>> {
  return Number.isSafeInteger(number) && number > 0
    ? call()
    : failure({ kind: 'final', message: `${number} is no pull request` });
}

/** Where people look: `https://github.com` for its API, the host itself for a GitHub Enterprise Server. */
function webUrl(apiUrl: string): string {
  const { origin, protocol, host } = new URL(apiUrl);
  return host.startsWith('api.') ? `${protocol}//${host.slice('api.'.length)}` : origin;
}

function optionsProblem(options: GitHubOptions): Problem | null {
  const { webhookSecrets, auth } = options;
  if (webhookSecrets.length === 0 || webhookSecrets.some((secret) => secret.trim() === '')) {
    return {
      code: 'github-secret-missing',
      message: 'GitHub webhooks need a secret, and there is none',
      where: null,
      help: 'Set the webhook secret to the value that the webhook has at GitHub.',
    };
  }
  if (webhookSecrets.length > 2)
    return invalid(
      `there are ${webhookSecrets.length} webhook secrets`,
      'Give one, or two while the old one is exchanged for the new one.',
    );
  if (
    !/^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(options.repository) ||
    /(?:^|\/)\.{1,2}(?:\/|$)/.test(options.repository)
  ) {
    return invalid(`${JSON.stringify(options.repository)} is no repository`, 'Write it as owner/name.');
  }
  if (!isSafeApiUrl(options.apiUrl)) {
    return invalid(
      `${JSON.stringify(options.apiUrl)} is no address for the API`,
      'Use https://api.github.com, or https://HOST/api/v3 of your server; http is taken for this machine only.',
    );
  }
  if (auth.kind === 'token') {
    return /^[!-~]+$/.test(auth.token)
      ? null
      : invalid('the GitHub token is empty or has characters that no token has', 'Copy the token again.');
  }
  if (!Number.isSafeInteger(auth.appId) || auth.appId <= 0)
    return invalid(`${auth.appId} is no App id`, "Use the number that stands on the App's page as App ID.");
  return isPrivateKey(auth.privateKey)
    ? null
    : invalid(
        "the App's private key is not a PEM private key",
        'Use the whole file that GitHub gave when the key was made, with its line breaks.',
      );
}

function invalid(message: string, help: string): Problem {
  return { code: 'github-config-invalid', message, where: null, help };
}

function isSafeApiUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(url);
  if (username !== '' || password !== '' || search !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname));
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}
