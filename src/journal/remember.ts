/** The last few values that were read under keys which say what they are: a digest has one content for ever. */
export function remember<Value>(
  read: (key: string) => Promise<Value | null>,
  valuesMax: number,
): (key: string) => Promise<Value | null> {
  const recent = new Map<string, Value>();
  return async (key) => {
    const value = recent.get(key) ?? (await read(key));
    if (value === null) return null;
    // The one that nobody wanted for the longest time stands first.
    recent.delete(key);
    recent.set(key, value);
    for (const oldest of recent.keys()) if (recent.size > valuesMax) recent.delete(oldest);
    return value;
  };
}
