/** `contender init`: a first pipeline that runs at once, the configuration, and types for the editor. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { ProblemError } from '../std/problem.ts';
import { version } from '../version.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { repositoryAround } from './project-folder.ts';
import { markOf, paint } from './terminal.ts';

const firstPipeline = `import { pipeline, step } from 'contender';

// A pipeline is evaluated once for each commit, in a sandbox; the bodies of its steps run elsewhere.
export default pipeline(
  'hello',
  {
    description: 'A first pipeline: two steps, the second uses what the first gives.',
    on: { push: { branches: ['main'] }, pullRequest: {} },
    retries: 1,
  },
  ({ date }) => {
    const numbers = step('numbers', {
      input: { day: date },
      run: ({ day }) => ({ day, values: [3, 1, 4, 1, 5] }),
    });
    step('sum', {
      input: { values: numbers.values },
      run: ({ values }) => ({ sum: values.reduce((total, value) => total + value, 0) }),
    });
  },
);
`;

const configuration = `# Contender watches this repository. Every setting and its default: docs/operating.md of the package.
repositories:
  - url: .
    # On GitHub, with CONTENDER_GITHUB_TOKEN and CONTENDER_WEBHOOK_SECRET in the environment:
    # url: https://github.com/OWNER/NAME.git
    # github: { repository: OWNER/NAME }
server:
  port: 8080
`;

/** As pipelines are read: modules with `.ts` in their imports, each loaded alone by Node for the bodies of its steps. */
export const typesForTheEditor = `{
  "compilerOptions": {
    "target": "es2024",
    "module": "preserve",
    "types": ["node"],
    "strict": true,
    "allowImportingTsExtensions": true,
    "verbatimModuleSyntax": true,
    "noEmit": true,
    "skipLibCheck": true
  },
  "include": ["./**/*.ts"]
}
`;

export async function init(directory: string): Promise<ExitStatus> {
  const root = resolve(directory);
  const repository = repositoryAround(root);
  if (repository !== null && repository !== root) throw notAtTop(root, repository);
  const files: readonly (readonly [path: string, text: string])[] = [
    ['.pipelines/hello.ts', firstPipeline],
    ['.pipelines/tsconfig.json', typesForTheEditor],
    ['contender.yaml', configuration],
  ];
  const there = files.map(([path]) => path).filter((path) => existsSync(join(root, path)));
  if (there.length > 0) {
    throw new ProblemError({
      code: 'init-exists',
      message: `${there.join(' and ')} ${there.length === 1 ? 'is' : 'are'} here already`,
      where: null,
      help: 'Nothing was written. Edit what is there, or remove it first.',
    });
  }
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    process.stdout.write(`${markOf('success')} wrote ${path}\n`);
  }
  const ignored = await ignoreOthers(root);
  if (ignored.length > 0) process.stdout.write(`${markOf('success')} added ${ignored.join(' and ')} to .gitignore\n`);
  process.stdout.write(nextLines(root));
  return exitStatus.success;
}

function notAtTop(root: string, top: string): ProblemError {
  return new ProblemError({
    code: 'init-below-top',
    message: `${root} is in the Git repository ${top}, and pipelines are read from the top of a repository`,
    where: null,
    help: `Nothing was written. Write them there: contender -C ${top} init. If this is to be a repository of its own: git init, and then this again.`,
  });
}

/** What Contender keeps and what npm installs is no part of the repository, and the next lines are to add all the rest. */
const noPart: readonly (readonly [line: string, there: RegExp])[] = [
  ['.contender/', /^\/?\.contender\/?$/m],
  ['node_modules/', /^(?:\/|\*\*\/)?node_modules\/?$/m],
];

/** Gives the lines that .gitignore did not have. */
async function ignoreOthers(root: string): Promise<readonly string[]> {
  const path = join(root, '.gitignore');
  const text = await readFile(path, 'utf8').catch(() => '');
  const missing = noPart.filter(([, there]) => !there.test(text)).map(([line]) => line);
  if (missing.length === 0) return [];
  await writeFile(
    path,
    [text === '' || text.endsWith('\n') ? text : `${text}\n`, ...missing.map((line) => `${line}\n`)].join(''),
  );
  return missing;
}

function nextLines(root: string): string {
  const program = programIn(root);
  const commands = [
    ...(existsSync(join(root, '.git')) ? [] : ['git init --initial-branch=main']),
    ...installLines(root),
    `${program} check`,
    'git add . && git commit -m "Add a first pipeline"',
    `${program} run hello`,
  ];
  return `\nNext:\n${commands.map((line) => `  ${paint('cyan', line)}`).join('\n')}\n`;
}

/** How it is called here. What is not installed here npx would look for in the registry, where Contender is not. */
function programIn(root: string): string {
  if (existsSync(join(root, 'node_modules/.bin/contender'))) return 'npx contender';
  // npx itself puts the folders of what is installed on the path.
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  return folders.some((folder) => existsSync(join(folder, 'contender'))) ? 'contender' : 'npx contender';
}

/** What the editor needs and is not here. Contender itself is in no registry: a clone makes the package. */
function installLines(root: string): readonly string[] {
  const isHere = (name: string): boolean => existsSync(join(root, 'node_modules', name));
  const types = isHere('@types/node') ? [] : ['@types/node@24'];
  const own = isHere('contender') ? [] : [`../contender/contender-${version}.tgz`];
  if (types.length + own.length === 0) return [];
  const made = own.length === 0 ? '' : '; made by `npm ci && npm pack` in a clone of Contender';
  return [`npm install --save-dev ${[...types, ...own].join(' ')}   # types for the editor${made}`];
}
