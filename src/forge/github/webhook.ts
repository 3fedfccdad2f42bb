/**
 * Webhooks: proven over the raw bytes before anything reads them, then read tolerantly. What is no event of ours is
 * ignored with the reason, never refused, since GitHub counts refusals against the hook.
 */
import { failure, success, type Result } from '../../std/result.ts';
import { forgeLimits, type Delivery, type RawDelivery, type ReceiveError } from '../forge.ts';
import { isOurs, readEvent, type EventContext } from './webhook-events.ts';

/** A body and the header's value are signed by a secret of ours. */
type Verify = (body: string, signature: string) => Promise<boolean>;

/** One or two secrets: two while they are exchanged. Octokit compares in constant time. */
export function signatureVerifier(secrets: readonly string[]): Verify {
  return async (body, signature) => {
    const { Webhooks } = await import('@octokit/webhooks');
    // All are tried, so that the time does not tell which one it was.
    const proven = await Promise.all(
      secrets.map((secret) => new Webhooks({ secret }).verify(body, signature).catch(() => false)),
    );
    return proven.includes(true);
  };
}

const unsigned = failure<ReceiveError>({ kind: 'unsigned', message: 'the signature does not prove this delivery' });

export async function receiveWebhook(
  delivery: RawDelivery,
  verify: Verify,
  context: EventContext,
): Promise<Result<Delivery, ReceiveError>> {
  if (delivery.body.byteLength > forgeLimits.webhookBytesMax) {
    return failure({ kind: 'too-large', message: `a delivery has at most ${forgeLimits.webhookBytesMax} bytes` });
  }
  const header = headerReader(delivery.headers);
  const signature = signatureIn(delivery.headers);
  const body = signature === null ? null : exactText(delivery.body);
  if (signature === null || body === null || !(await verify(body, signature))) return unsigned;

  const contentType = header('content-type');
  if (contentType !== null && !/^application\/json\s*(?:;|$)/i.test(contentType)) {
    return failure({ kind: 'malformed', message: 'the webhook sends forms: set its content type to application/json' });
  }
  const [id, name] = [header('x-github-delivery'), header('x-github-event')];
  if (id === null || !/^[\w.-]{1,100}$/.test(id))
    return failure({ kind: 'malformed', message: 'X-GitHub-Delivery is missing' });
  if (name === null || !/^\w{1,100}$/.test(name))
    return failure({ kind: 'malformed', message: 'X-GitHub-Event is missing' });
  const payload = parseJson(body);
  if (payload === undefined) return failure({ kind: 'malformed', message: 'the body is not JSON' });
  const reading = await readEvent(name, payload, context);
  if (reading.repository !== null && !isOurs(reading.repository, context)) {
    const message = `the delivery is about ${reading.repository}, and this address is for ${context.repository}`;
    return failure({ kind: 'elsewhere', message });
  }
  return success({ id, name, ...reading });
}

/** What claims to be one; null where there is none. */
export function signatureIn(headers: RawDelivery['headers']): string | null {
  const signature = headerReader(headers)('x-hub-signature-256');
  return signature !== null && /^sha256=[0-9a-f]{64}$/.test(signature) ? signature : null;
}

/** By lower-case name, as Node gives them, or in any other case. */
function headerReader(headers: RawDelivery['headers']): (name: string) => string | null {
  return (name) =>
    headers[name] ?? Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1] ?? null;
}

/** The text whose bytes are exactly these: what is not UTF-8 has none, and cannot have been signed by GitHub. */
function exactText(body: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
