/** Which objects a list or a watch is about: `labelSelector` and `fieldSelector`. */
import { badRequest, Refusal } from './status.ts';

type Labels = Readonly<Record<string, string>>;

export type LabelSelector = (labels: Labels | undefined) => boolean;

const set = /^([^\s!=,()]+)\s+(in|notin)\s+\(([^()]*)\)$/;
const equality = /^([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)$/;
const existence = /^(!?)\s*([^\s!=,()]+)$/;

export function labelSelectorOf(text: string): LabelSelector {
  // A comma in parentheses is between values, and no end of a requirement.
  const requirements = text
    .split(/,(?![^()]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(requirementOf);
  return (labels = {}) => requirements.every((holds) => holds(labels));
}

function requirementOf(text: string): (labels: Labels) => boolean {
  const [, name = '', operator, values = ''] = set.exec(text) ?? equality.exec(text) ?? [];
  const among = values.split(',').map((value) => value.trim());
  if (operator === 'in' || operator === '=' || operator === '==')
    return (labels) => among.includes(labels[name] ?? '\0');
  if (operator === 'notin' || operator === '!=') return (labels) => !among.includes(labels[name] ?? '\0');
  const [whole, not, key = ''] = existence.exec(text) ?? [];
  if (whole === undefined) {
    const [, second = ''] = text.split(/\s+/);
    throw new Refusal(
      badRequest(`unable to parse requirement: found '${second}', expected: in, notin, =, ==, !=, gt, lt`),
    );
  }
  return (labels) => (labels[key] === undefined) === (not === '!');
}

/** Each field that is named must have its value; `fields` tells those that may be named. */
export function fieldSelectorOf<T>(
  text: string,
  fields: Readonly<Record<string, (object: T) => string | undefined>>,
): (object: T) => boolean {
  const requirements = text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [, name = '', operator = '', value = ''] = /^([^!=]+)(==|=|!=)(.*)$/.exec(part) ?? [];
      const read = fields[name];
      if (read === undefined) throw new Refusal(badRequest(`field label not supported: ${name}`));
      return (object: T): boolean => ((read(object) ?? '') === value) === (operator !== '!=');
    });
  return (object) => requirements.every((holds) => holds(object));
}
