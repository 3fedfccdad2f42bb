/**
 * The types of Kubernetes' API that a pod is made of, as the client's models say them: what a definition says of a pod is
 * checked against them. They are written to a file because loading the client takes a third of a second.
 *
 *   node scripts/pod-types.ts      writes src/compile/generated/pod-types.json
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as client from '@kubernetes/client-node';
import { z } from 'zod';

const attributesSchema = z.array(z.object({ baseName: z.string(), type: z.string(), format: z.string() }));
const packageSchema = z.object({ version: z.string() });
const folder = join(createRequire(import.meta.url).resolve('@kubernetes/client-node'), '..');

export const podTypesFile = join(import.meta.dirname, '../src/compile/generated/pod-types.json');

/** What Kubernetes fills in itself. */
const leftOut: ReadonlySet<string> = new Set(['V1Pod.status', 'V1ObjectMeta.managedFields']);

/** `integer`, `string[]`, `V1Container[]`, `string{}` (by names of one's own); with `!` at its end: it has to be there. */
export function podTypesText(): string {
  const types = new Map<string, Readonly<Record<string, string>>>();
  const visit = (name: string): void => {
    if (types.has(name)) return;
    types.set(name, {});
    const fields = fieldsOf(name);
    types.set(name, fields);
    for (const type of Object.values(fields)) {
      const inner = type.replace(/[^\w].*$/, '');
      if (/^[A-Z]/.test(inner) && inner !== 'IntOrString') visit(inner);
    }
  };
  visit('V1Pod');
  const { version } = packageSchema.parse(JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8')));
  const source = `@kubernetes/client-node ${version} (Apache-2.0), written by scripts/pod-types.ts`;
  const lines = [...types]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, fields]) => `${JSON.stringify(name)}:${JSON.stringify(fields)}`);
  return `{"source":${JSON.stringify(source)},"types":{\n${lines.join(',\n')}\n}}\n`;
}

function fieldsOf(name: string): Readonly<Record<string, string>> {
  const model: unknown = Reflect.get(client, name);
  if (typeof model !== 'function') throw new Error(`the client has no model ${name}`);
  const attributes = attributesSchema.parse(Reflect.get(model, 'attributeTypeMap'));
  const declaration = readFileSync(join(folder, 'gen/models', `${name}.d.ts`), 'utf8');
  const entries = attributes
    .filter(({ baseName }) => !leftOut.has(`${name}.${baseName}`))
    .map(({ baseName, type, format }): [string, string] => {
      const isRequired = new RegExp(`^    '_?${baseName}': `, 'm').test(declaration);
      return [baseName, `${shortType(type, format)}${isRequired ? '!' : ''}`];
    });
  return Object.fromEntries(entries);
}

function shortType(type: string, format: string): string {
  const list = /^Array<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return `${shortType(list, format)}[]`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined) return `${shortType(map, format)}{}`;
  if (type === 'Date') return 'string';
  return type === 'number' && format.startsWith('int') ? 'integer' : type;
}

if (import.meta.main) {
  const text = podTypesText();
  writeFileSync(podTypesFile, text);
  console.log(`${podTypesFile}: ${Math.round(text.length / 1024)} KB`);
}
