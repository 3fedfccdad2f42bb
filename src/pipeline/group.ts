/** The word `group`: a common prefix for the names of steps. */
import { isPromise } from './binding.ts';
import { openBuild } from './build.ts';
import { definitionLimits } from './definition-limits.ts';
import { misuse, shown } from './misuse.ts';
import { stepNamePattern } from './names.ts';

/** Steps that `define` adds are named `name/step`. Gives back what `define` does. Groups may stand in groups. */
export function group<T>(name: string, define: () => T): T {
  const build = openBuild('group');
  const label = `group ${shown(name)}`;
  if (typeof name !== 'string' || !stepNamePattern.test(name) || name.includes('/')) {
    misuse(
      'definition-name',
      `${label}: the name is not allowed`,
      'Names are lower-case letters, digits, "-" and "_", and begin with a letter: "prepare".',
    );
  }
  if (build.map !== null) {
    misuse('definition-map', `${label} stands inside of a map`, 'A map holds one step: put the group around the map.');
  }
  if (typeof define !== 'function')
    misuse(
      'definition-option',
      `${label}: the second argument is ${shown(define)}`,
      'Give the function that adds its steps.',
    );
  const outer = build.prefix;
  build.prefix = `${outer}${name}/`;
  if (build.prefix.length > definitionLimits.stepNameLengthMax) {
    misuse(
      'definition-name',
      `${label}: the names of the groups have ${build.prefix.length} characters`,
      'Shorten them.',
    );
  }
  try {
    const given = define();
    if (isPromise(given)) {
      misuse(
        'definition-promise',
        `${label}: its function is async`,
        'Take `async` away: a definition is complete at once.',
      );
    }
    return given;
  } finally {
    build.prefix = outer;
  }
}
