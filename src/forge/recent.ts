/** What was said last under each key, for the latest keys only: to not say the same again. */
export interface Recent {
  last(key: string): string | null;
  remember(key: string, text: string): void;
}

export function createRecent(keysMax: number): Recent {
  const said = new Map<string, string>();
  return {
    last: (key) => said.get(key) ?? null,
    remember(key, text) {
      said.delete(key);
      said.set(key, text);
      for (const oldest of said.keys()) {
        if (said.size <= keysMax) break;
        said.delete(oldest);
      }
    },
  };
}
