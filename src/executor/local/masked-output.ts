/** An output goes to the journal, the page and the forge: a secret in it is masked like one in the log. */
import { isJsonObject, type Json } from '../../std/json.ts';
import type { PreparedAttempt } from './prepared-attempt.ts';

export function maskedOutput(
  output: Json,
  attempt: Pick<PreparedAttempt, 'mask'> & { readonly log: Pick<PreparedAttempt['log'], 'say'> },
): Json {
  if (attempt.mask.isEmpty) return output;
  let found = false;
  const clean = (text: string): string => {
    const masked = attempt.mask.text(text);
    found ||= masked !== text;
    return masked;
  };
  const visit = (value: Json): Json => {
    if (typeof value === 'string') return clean(value);
    if (typeof value === 'number') {
      const text = JSON.stringify(value);
      const masked = clean(text);
      return masked === text ? value : masked;
    }
    if (Array.isArray(value)) return value.map(visit);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [clean(key), visit(inner)]));
  };
  const masked = visit(output);
  if (found) attempt.log.say('The output held a secret, which was masked.');
  return masked;
}
