/** Thrown by a function of a definition where another try would fail as well: its attempt is the last one, whatever `retries` says. */
export class NonRetryableError extends Error {
  override readonly name = 'NonRetryableError';
}
