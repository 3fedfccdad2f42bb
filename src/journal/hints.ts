/** Words from server to server that something was kept. Never the truth: who hears nothing looks by itself all the same. */
export interface Hints {
  tell(word: string): void;
  /** Hears what others tell, and not itself; gives the function that ends it. */
  listen(heard: (word: string) => void): () => void;
  close(): Promise<void>;
}

/** Where nobody else is. */
export const noHints: Hints = {
  tell: () => undefined,
  listen: () => () => undefined,
  close: () => Promise.resolve(),
};
