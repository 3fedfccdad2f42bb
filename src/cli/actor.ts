/** Who asks, by the name that this system knows. */
import { userInfo } from 'node:os';

/** A user without an entry in the system's list, as in containers, has a number only. */
export function actorName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
