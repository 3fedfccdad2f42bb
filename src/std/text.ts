/** Ends of texts that somebody else wrote, read once from behind: a pattern such as /-+$/ begins anew at each of a million signs. */

/** `text` without those of `characters` that it ends with. */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** Of a line that was drawn over and over, what was drawn last. */
export function lastDrawn(line: string): string {
  const whole = withoutEnd(line, '\r');
  return whole.slice(whole.lastIndexOf('\r') + 1);
}
