/** What was found out of a cluster, for people: a sentence, and another one about what to do where it is not well. */
import { ApiError } from './api.ts';
import { messageOfError } from '../../std/error-message.ts';

export type Finding =
  | { readonly name: FindingName; readonly state: 'ok'; readonly message: string }
  /** `wrong`: no step will run, or not well. `unknown`: it could not be found out. */
  | {
      readonly name: FindingName;
      readonly state: 'wrong' | 'unknown';
      readonly message: string;
      readonly help: string;
    };

export type FindingName =
  | 'api'
  | 'clock'
  | 'namespace'
  | 'permissions'
  | 'quotas'
  | 'step pod'
  | 'container pod'
  | 'listen'
  | 'start'
  | 'agents'
  | 'removal';

export function ok(name: FindingName, message: string): Finding {
  return { name, state: 'ok', message: sentence(message) };
}

export function wrong(name: FindingName, message: string, help: string): Finding {
  return { name, state: 'wrong', message: sentence(message), help };
}

export function unknown(name: FindingName, message: string, help: string): Finding {
  return { name, state: 'unknown', message: sentence(message), help };
}

/** Of a question that was not answered as it should be; `what` begins the sentence. */
export function unanswered(name: FindingName, what: string, error: unknown): Finding {
  const message = `${what}: ${messageOfError(error)}`;
  if (error instanceof ApiError && error.status === 401)
    return wrong(name, message, 'The cluster does not know who asks: renew the credentials of the kubeconfig.');
  if (error instanceof ApiError && error.isPassing)
    return wrong(
      name,
      message,
      'See that this machine reaches the cluster, as `kubectl version` does, and check again.',
    );
  return wrong(
    name,
    message,
    'See `kubeconfig`, `context` and `namespace` of `executor.kubernetes` in contender.yaml.',
  );
}

/** Others' words end with a full stop, or not. */
function sentence(text: string): string {
  return `${text.trimEnd().replace(/\.+$/, '')}.`;
}
