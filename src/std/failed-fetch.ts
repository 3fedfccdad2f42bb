/** Why `fetch` failed: its own error says only that it did, and the reason stands behind it. */
export function failedFetchReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
