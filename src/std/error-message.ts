/** What to say of something that was thrown, which may be anything. */
export function messageOfError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why `fetch` failed: its own error says only that it did, and the reason stands behind it. */
export function failedFetchReason(error: unknown): string {
  return messageOfError(error instanceof Error && error.cause instanceof Error ? error.cause : error);
}
