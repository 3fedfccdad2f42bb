/**
 * Webhooks as GitHub sends them: signed, one after the other, ten seconds for an answer, never again by itself. A
 * redelivery that a person asks for keeps the id.
 */
import { createHmac, randomUUID } from 'node:crypto';
import type { JsonObject } from '../../std/json.ts';
import type { SchemaChecks } from './schema.ts';
import { messageOfError } from '../../std/error-message.ts';

export interface HookDelivery {
  readonly id: string;
  readonly event: string;
  readonly action: string | null;
  readonly body: string;
  /** The receiver's answer; null while under way and where none came. */
  status: number | null;
  error: string | null;
}

export interface Hooks {
  emit(event: string, payload: JsonObject): void;
  setUrl(url: string | null): void;
  deliveries(): readonly HookDelivery[];
  redeliver(id: string): Promise<void>;
  /** Until everything emitted so far was answered or given up. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const answerTimeoutMs = 10_000;

export function createHooks(options: {
  readonly url: string | null;
  readonly secret: string;
  readonly checks: SchemaChecks | null;
  readonly violation: (message: string) => void;
}): Hooks {
  let url = options.url;
  const log: HookDelivery[] = [];
  const closing = new AbortController();
  let last: Promise<void> = Promise.resolve();

  const send = async (delivery: HookDelivery, to: string): Promise<void> => {
    try {
      const answer = await fetch(to, {
        method: 'POST',
        headers: hookHeaders(delivery, options.secret),
        body: delivery.body,
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(answerTimeoutMs)]),
      });
      await answer.arrayBuffer();
      delivery.status = answer.status;
      delivery.error = null;
    } catch (error) {
      delivery.error = messageOfError(error);
    }
  };
  const enqueue = (delivery: HookDelivery): Promise<void> => {
    const to = url;
    if (to !== null && !closing.signal.aborted) last = last.then(() => send(delivery, to));
    return last;
  };

  return {
    emit(event, payload) {
      const action = typeof payload['action'] === 'string' ? payload['action'] : null;
      const name = action === null ? event : `${event}-${action}`;
      for (const wrong of options.checks?.webhook(name.replaceAll('_', '-'), payload) ?? [])
        options.violation(`webhook ${name}: ${wrong}`);
      const delivery = { id: randomUUID(), event, action, body: JSON.stringify(payload), status: null, error: null };
      log.push(delivery);
      void enqueue(delivery);
    },
    setUrl(next) {
      url = next;
    },
    deliveries: () => log,
    async redeliver(id) {
      const delivery = log.find((each) => each.id === id);
      if (delivery === undefined) throw new Error(`there is no delivery ${id}`);
      await enqueue(delivery);
    },
    idle: () => last,
    async close() {
      closing.abort();
      await last;
    },
  };
}

function hookHeaders(delivery: HookDelivery, secret: string): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    'User-Agent': `GitHub-Hookshot/${delivery.id.slice(0, 7)}`,
    'X-GitHub-Event': delivery.event,
    'X-GitHub-Delivery': delivery.id,
    'X-GitHub-Hook-ID': '1',
    'X-Hub-Signature-256': `sha256=${createHmac('sha256', secret).update(delivery.body).digest('hex')}`,
  };
}
