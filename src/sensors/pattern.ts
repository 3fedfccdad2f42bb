/**
 * Keys by a pattern: `*` stands for any text within a folder, and a folder's own key, with `/` at its end, for anything
 * below it. Matched from the left without a way back, so that no pattern takes long.
 */
export function keyMatcher(pattern: string): (key: string) => boolean {
  const folders = pattern.split('/').map((folder) => folder.split('*'));
  return (key) => {
    const names = key.split('/');
    const [last] = folders.at(-1) ?? [];
    const below = folders.at(-1)?.length === 1 && last === '';
    if (below ? names.length < folders.length : names.length !== folders.length) return false;
    const demanded = below ? folders.slice(0, -1) : folders;
    // A store may hold an object that stands for the folder itself.
    const isMark = below && names.length === folders.length && names.at(-1) === '';
    return !isMark && demanded.every((parts, place) => matches(parts, names[place] ?? ''));
  };
}

/** `parts` stand in this order, the first at the start and the last at the end. */
function matches(parts: readonly string[], name: string): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, from);
    if (found === -1 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}
