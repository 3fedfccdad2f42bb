/** What to say of something that was thrown, which may be anything. */
export function messageOfError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why `fetch` failed: its own error says only that it did, and the reason stands behind it. */
export function failedFetchReason(error: unknown): string {
  return messageOfError(error instanceof Error && error.cause instanceof Error ? error.cause : error);
}

/** Whether it is the system's, of this name: `ENOENT`. */
export function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** What is read of a file or folder, or null where there is none. */
export async function orNullWhereMissing<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Why a file could not be read, and what to do where it belongs to another user. */
export function failedReadReason(error: unknown): string {
  return `${messageOfError(error)}${hasErrorCode(error, 'EACCES') ? ': make it readable for others' : ''}`;
}
