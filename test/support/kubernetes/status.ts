/** What the API server answers when it does not do what it was asked: objects of kind Status, word for word. */

export interface Cause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

export interface Details {
  readonly name?: string;
  readonly kind?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Record<string, never>;
  readonly status: 'Failure' | 'Success';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: Details;
  readonly code: number;
}

export class Refusal extends Error {
  readonly status: Status;

  constructor(status: Status) {
    super(status.message);
    this.status = status;
  }
}

export function failure(code: number, reason: string | null, message: string, details?: Details): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === null ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

export const badRequest = (message: string): Status => failure(400, 'BadRequest', message);

export const notFound = (kind: string, name: string): Status =>
  failure(404, 'NotFound', `${kind} "${name}" not found`, { name, kind });

export const noSuchResource = (): Status =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {});

export const alreadyExists = (kind: string, name: string): Status =>
  failure(409, 'AlreadyExists', `${kind} "${name}" already exists`, { name, kind });

export const forbidden = (name: string, message: string): Status =>
  failure(403, 'Forbidden', `pods "${name}" is forbidden: ${message}`, { name, kind: 'pods' });

export const otherUid = (name: string, asked: string, kept: string): Status =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on Pod "${name}": the UID in the precondition (${asked}) does not match the UID in record (${kept}). The object might have been deleted and then recreated`,
    { name, kind: 'Pod' },
  );

export const expired = (asked: number, oldest: number): Status =>
  failure(410, 'Expired', `too old resource version: ${asked} (${oldest})`);

/** Several faults of one object stand in brackets; one stands alone. */
export function invalid(kind: string, name: string, causes: readonly Required<Cause>[]): Status {
  const faults = causes.map(({ field, message }) => `${field}: ${message}`);
  const told = faults.length === 1 ? faults.join('') : `[${faults.join(', ')}]`;
  const details = { ...(name === '' ? {} : { name }), kind, causes };
  return failure(422, 'Invalid', `${kind} "${name}" is invalid: ${told}`, details);
}
