/**
 * Whose turn it is. Only ever a hint: a wake-up may be lost, doubled or late, and the journal is read all the same.
 */
export interface WakeQueue<Key extends string = string> {
  /** Asks for a turn of `key` (a run, or a named job), at once or at `at`; asking twice is one turn. */
  wake(key: Key, at?: number): void;
  /** The one who takes turns; called one after the other for the same key, together for different keys. */
  start(turn: TakeTurn<Key>): void;
  /** Takes no more turns; resolves when the current ones have ended. */
  stop(): Promise<void>;
}

/**
 * `join` takes another key into the turn that is under way, until its end: its commits then share one transaction with the
 * others. False where the key has a turn of its own under way; it gets another one after that.
 */
export type TakeTurn<Key extends string = string> = (
  keys: readonly Key[],
  join: (key: Key) => boolean,
) => Promise<void>;

/** The timers as a port. `delayMs` 0 means: as soon as those who run now have had their say. */
export interface Timer {
  /** Gives the function that takes it back. */
  after(delayMs: number, call: () => void): () => void;
}
