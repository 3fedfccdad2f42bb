/**
 * The law of imports, read from the table in ARCHITECTURE.md. Gives a sentence for each breach, with what to do: an
 * import that its row does not name, a circle between files (type-only ones count), Node's API, a clock or randomness in
 * a pure folder, a folder without a row.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path/posix';
import { parseSync } from 'oxc-parser';

interface Row {
  readonly folder: string;
  readonly pure: boolean;
  /** Folder → only its contract file. Null: everything. */
  readonly mayImport: ReadonlyMap<string, { readonly contractOnly: boolean }> | null;
}

export interface Breach {
  readonly file: string;
  readonly message: string;
}

export function readTable(markdown: string): readonly Row[] {
  const rows: Row[] = [];
  for (const line of markdown.split('\n')) {
    const match = /^\| ((?:src|runner)[^|]*?) \| ([^|]*?) \|([^|]*)\|$/.exec(line);
    if (match === null) continue;
    const [, folder = '', meaning = '', names = ''] = match;
    const words = names
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '');
    const mayImport = words.includes('all')
      ? null
      : new Map(words.map((word) => [`src/${word.replace('!', '')}`, { contractOnly: word.endsWith('!') }]));
    rows.push({ folder, pure: meaning.includes('(pure)'), mayImport });
  }
  return rows;
}

/** `root`: a tree with ARCHITECTURE.md, src and runner. */
export function findBreaches(root: string): readonly Breach[] {
  const rows = readTable(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'));
  const files = ['src', 'runner'].flatMap((folder) => sourceFiles(root, folder));
  const imports = new Map<string, readonly string[]>();
  const breaches: Breach[] = upwardRows(rows);
  for (const file of files) {
    const row = rowOf(rows, file);
    if (row === null) {
      breaches.push({
        file,
        message: 'its folder has no row in ARCHITECTURE.md: add one that says what it is and may import',
      });
      continue;
    }
    const source = readFileSync(join(root, file), 'utf8');
    const parsed = parseSync(file, source);
    const specifiers = specifiersOf(parsed);
    if (row.pure) breaches.push(...impurities(file, specifiers, parsed));
    const targets = specifiers
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => normalize(join(dirname(file), specifier)));
    imports.set(file, targets);
    for (const target of targets) {
      const message = forbidden(rows, row, target);
      if (message !== null) breaches.push({ file, message });
    }
  }
  return [...breaches, ...circles(imports)];
}

function sourceFiles(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return (
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      // What the demo pushes is a user's repository, not a part of ours.
      .filter((file) => !file.startsWith('src/demo/repository/') && !file.startsWith('src/demo/changes/'))
  );
}

function rowOf(rows: readonly Row[], file: string): Row | null {
  return rows.find((row) => file === row.folder || file.startsWith(`${row.folder}/`)) ?? null;
}

function upwardRows(rows: readonly Row[]): Breach[] {
  return rows.flatMap((row, index) =>
    [...(row.mayImport?.keys() ?? [])]
      .filter((name) => !rows.slice(0, index).some((above) => above.folder === name))
      .map((name) => ({
        file: 'ARCHITECTURE.md',
        message: `the row of ${row.folder} names ${name}, which does not stand above it`,
      })),
  );
}

function forbidden(rows: readonly Row[], from: Row, target: string): string | null {
  const to = rowOf(rows, target);
  if (to === null || to.folder === from.folder || from.mayImport === null) return null;
  const allowed = from.mayImport.get(to.folder);
  if (allowed === undefined) {
    return `imports ${target}, but the row of ${from.folder} does not name ${to.folder}: pass it in as a port, move the code, or change the table with a reason`;
  }
  const contract = `${to.folder}/${to.folder.replace(/^.*\//, '')}.ts`;
  if (allowed.contractOnly && target !== contract)
    return `imports ${target}, but only the contract ${contract} is allowed: main.ts picks implementations`;
  return null;
}

type Parsed = ReturnType<typeof parseSync>;

function specifiersOf(parsed: Parsed): readonly string[] {
  const { staticImports, staticExports } = parsed.module;
  const fromExports = staticExports.flatMap((statement) =>
    statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
  );
  const inside: string[] = [];
  walk(parsed.program, (node) => {
    const source = node[sourceOf.get(String(node['type'])) ?? ''];
    if (isNode(source) && typeof source['value'] === 'string') inside.push(source['value']);
  });
  return [...staticImports.map((statement) => statement.moduleRequest.value), ...fromExports, ...inside];
}

/** `import('./x.ts')`, the same as a type, and `import x = require('./x.ts')`: where the path stands in each. */
const sourceOf: ReadonlyMap<string, string> = new Map([
  ['ImportExpression', 'source'],
  ['TSImportType', 'source'],
  ['TSExternalModuleReference', 'expression'],
]);

/** What gives a time or chance, or leads to them, and which of its members do not. */
const impureGlobals = new Map<string, (member: string) => boolean>([
  ['Date', (member) => member === 'UTC' || member === 'parse'],
  ['Math', (member) => member !== 'random'],
  ['performance', () => false],
  ['crypto', () => false],
  ['globalThis', () => false],
]);

function impurities(file: string, specifiers: readonly string[], parsed: Parsed): Breach[] {
  const breaches: Breach[] = specifiers
    .filter((specifier) => specifier.startsWith('node:'))
    .map((specifier) => ({ file, message: `imports ${specifier} in a pure folder: pass what it gives in as data` }));
  for (const found of impureUses(parsed))
    breaches.push({ file, message: `uses ${found} in a pure folder: time and randomness come in as data` });
  return breaches;
}

function impureUses(parsed: Parsed): readonly string[] {
  const uses: string[] = [];
  // Nodes are seen before what is inside of them: these have been judged, are names of something else, or types.
  const settled = new Set<unknown>();
  walk(parsed.program, (node) => {
    const { type, object, property, callee } = node;
    if (node['computed'] !== true) settled.add(property).add(node['key']);
    settled.add(node['typeName']).add(node['exprName']);
    if (type === 'MemberExpression' && isNode(object) && isNode(property) && node['computed'] === false) {
      const [name, member] = [String(object['name']), String(property['name'])];
      const isPure = impureGlobals.get(name)?.(member);
      if (isPure === undefined) return;
      settled.add(object);
      if (!isPure) uses.push(`${name}.${member}`);
    } else if ((type === 'NewExpression' || type === 'CallExpression') && isNode(callee) && callee['name'] === 'Date') {
      settled.add(callee);
      if (type === 'CallExpression') uses.push('Date()');
      else if (Array.isArray(node['arguments']) && node['arguments'].length === 0) uses.push('new Date()');
    } else if (type === 'Identifier' && impureGlobals.has(String(node['name'])) && !settled.has(node)) {
      uses.push(String(node['name']));
    }
  });
  return uses;
}

type Node = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (isNode(value)) {
    if (typeof value['type'] === 'string') visit(value);
    for (const child of Object.values(value)) walk(child, visit);
  }
}

/** One breach for each circle, named by its files in order. */
function circles(imports: ReadonlyMap<string, readonly string[]>): Breach[] {
  const breaches: Breach[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (state.get(file) === 'done' || !imports.has(file)) return;
    if (state.get(file) === 'open') {
      const circle = [...path.slice(path.indexOf(file)), file];
      breaches.push({
        file,
        message: `stands in a circle, ${circle.join(' → ')}: move the shared type to the file that makes it`,
      });
      return;
    }
    state.set(file, 'open');
    path.push(file);
    for (const target of imports.get(file) ?? []) visit(target);
    path.pop();
    state.set(file, 'done');
  };
  for (const file of imports.keys()) visit(file);
  return breaches;
}
