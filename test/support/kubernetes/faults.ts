/** What a test has the server do to requests instead of answering them, or after it did what they asked. */
import type { ApiRequest } from './requests.ts';
import { failure, forbidden, type Status } from './status.ts';
import type { Pod } from './wire.ts';

export type Fault =
  /** Nothing is done, and this is answered. */
  | { readonly kind: 'refuse'; readonly status: Status }
  /** Nothing is done yet: it waits until the promise is kept; for ever, where it is never. */
  | { readonly kind: 'wait'; readonly until: Promise<void> }
  /** Nothing is done, and the connection breaks. */
  | { readonly kind: 'cut before' }
  /** It is done, and the connection breaks before the answer. */
  | { readonly kind: 'cut after' };

export type Matches = (request: ApiRequest) => boolean;

export interface Faults {
  /** Does so to the next requests that match, this many; those that were added first go first. */
  add(matches: Matches, fault: Fault, times?: number): void;
  take(request: ApiRequest): Fault | null;
  clear(): void;
}

export function createFaults(): Faults {
  let waiting: { readonly matches: Matches; readonly fault: Fault; left: number }[] = [];
  return {
    add: (matches, fault, times = 1) => void waiting.push({ matches, fault, left: times }),
    take(request) {
      const found = waiting.find(({ matches }) => matches(request));
      if (found === undefined) return null;
      found.left -= 1;
      if (found.left === 0) waiting = waiting.filter((one) => one !== found);
      return found.fault;
    },
    clear: () => void (waiting = []),
  };
}

const tooMany = 'the server has received too many requests and has asked us to try again later';

/** What a server in need answers, in its words. */
export const statuses = {
  tooManyRequests: (retryAfterSeconds = 1): Status => failure(429, 'TooManyRequests', tooMany, { retryAfterSeconds }),
  /** Of a quota that two requests counted at the same moment: nothing is wrong with either. */
  quotaConflict: (quota: string): Status => {
    const again = 'the object has been modified; please apply your changes to the latest version and try again';
    return failure(409, 'Conflict', `Operation cannot be fulfilled on resourcequotas "${quota}": ${again}`, {
      name: quota,
      kind: 'resourcequotas',
    });
  },
  internalError: (cause = 'etcdserver: request timed out'): Status =>
    failure(500, 'InternalError', `Internal error occurred: ${cause}`, { causes: [{ message: cause }] }),
  unavailable: (): Status => failure(503, 'ServiceUnavailable', 'the server is currently unable to handle the request'),
  unauthorized: (): Status => failure(401, 'Unauthorized', 'Unauthorized'),
  expired: (): Status => failure(410, 'Expired', 'The resourceVersion for the provided watch is too old.'),
} as const;

/** Why a pod is not admitted, in the words of those who may refuse it. */
export const admissionRefusals = {
  /** Of a webhook, which chooses its code; 400 where it does not. */
  webhook: (webhook: string, why: string, code = 400): Status =>
    failure(code, null, `admission webhook "${webhook}" denied the request: ${why}`),
  podSecurity: (pod: Pod): Status => {
    const names = pod.spec.containers.map(({ name }) => `"${name}"`).join(', ');
    const containers = pod.spec.containers.length === 1 ? `container ${names}` : `containers ${names}`;
    const escalation = `allowPrivilegeEscalation != false (${containers} must set securityContext.allowPrivilegeEscalation=false)`;
    const root = `runAsNonRoot != true (pod or ${containers} must set securityContext.runAsNonRoot=true)`;
    return forbidden(pod.metadata.name, `violates PodSecurity "restricted:latest": ${escalation}, ${root}`);
  },
  terminatingNamespace: ({ metadata: { name, namespace } }: Pod): Status => {
    const terminated = 'because it is being terminated';
    const status = forbidden(name, `unable to create new content in namespace ${namespace} ${terminated}`);
    const message = `namespace ${namespace} is being terminated`;
    const causes = [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }];
    return { ...status, details: { ...status.details, causes } };
  },
} as const;
