import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { broken, demanding, good } from './pipelines.ts';
import { createProject, createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
before(() => {
  sandbox = createProject({
    '.pipelines/good.ts': good,
    '.pipelines/broken.ts': broken,
    '.pipelines/demanding.ts': demanding,
  });
});
after(() => sandbox.remove());

const mistakes: readonly (readonly [what: string, args: readonly string[], said: RegExp])[] = [
  [
    'an unknown pipeline',
    ['run', 'nope'],
    /no pipeline "nope" at [0-9a-f]{7}; there: .*good.*; \.pipelines\/broken\.ts does not compile: .*retrys.* \[run-refused\]/,
  ],
  [
    'a pipeline that is not committed, or misspelt,',
    ['run', 'goood'],
    /no pipeline "goood" at [0-9a-f]{7} \(did you mean "good"\?\); there: .* \[run-refused\]\n {2}A run is of a commit: commit what is new first\./,
  ],
  ['a broken pipeline', ['run', 'broken'], /\.pipelines\/broken\.ts:4:3: .*\[definition-option\]/],
  ['a parameter that is not declared', ['run', 'good', '--param', 'depht=2'], /depht/],
  ['a parameter of another type', ['run', 'good', '--param', 'depth=deep'], /depth/],
  [
    'a parameter that has to be given',
    ['run', 'demanding'],
    /"must" \(string\) has no default and must be given \[run-refused\]\n {2}Give --param must=VALUE\. The parameters: depth: number, default 3; must: string, must be given; region: string, one of eu, us, default eu\./,
  ],
  [
    'a parameter that is given twice',
    ['run', 'good', '--param', 'depth=1', '--param', 'depth=2'],
    /depth is given twice/,
  ],
  ['a parameter without value', ['run', 'good', '--param', 'depth'], /name=value/],
  ['a date that there is not', ['run', 'good', '--date', '2026-02-30'], /There is no such day\./],
  ['a date in other words', ['run', 'good', '--date', '30.2.2026'], /YYYY-MM-DD/],
  ['no pipeline', ['run'], /missing required argument 'pipeline'\n {2}.*contender run --help$/m],
  [
    'a revision that only Git can name',
    ['run', 'good', '--ref', 'HEAD~1'],
    /no branch, tag or commit id \[revision-unknown\]\n {2}Commit what you want to run \(git add \. && git commit\)\. Give HEAD, a branch, a tag or a commit id.*\$\(git rev-parse HEAD~1\)/,
  ],
  [
    'an unknown revision',
    ['run', 'good', '--ref', 'nowhere'],
    /nowhere is no branch, tag or commit of the repository \[revision-unknown\]/,
  ],
  [
    'an unknown revision to compare with',
    ['check', '--against', 'nowhere'],
    /\[revision-unknown\]\n {2}Give a branch.*--against \$\(git rev-parse HEAD~1\)/,
  ],
  [
    'an unknown repository',
    ['run', 'good', '--repository', 'other'],
    /"other" \[repository-unknown\]\n {2}There are: work\./,
  ],
];
for (const [what, args, said] of mistakes) {
  test(`${what} is the user's mistake: status 2, said on standard error, without a stack`, async () => {
    const { status, out, err } = await sandbox.run(args);
    assert.equal(status, 2, err);
    assert.match(err, said);
    assert.doesNotMatch(err, /^\s+at /m);
    assert.equal(out, '');
  });
}

test('a repository without a commit is said to be one', async () => {
  const elsewhere = createSandbox();
  try {
    elsewhere.git('init', '--quiet', '--initial-branch=main');
    elsewhere.write({ '.pipelines/good.ts': good });
    const { status, out, err } = await elsewhere.run(['run', 'good']);
    assert.deepEqual({ status, out }, { status: 2, out: '' });
    assert.match(err, /the repository has no commit yet \[revision-unknown\]\n {2}Commit what you want to run/);
  } finally {
    await elsewhere.remove();
  }
});

test('a remote that is not reached is said with its address and how to try it', async () => {
  const elsewhere = createSandbox();
  try {
    elsewhere.write({ 'contender.yaml': 'repositories:\n  - url: https://127.0.0.1:1/nowhere.git\n' });
    const { status, err } = await elsewhere.run(['run', 'good']);
    assert.equal(status, 2);
    assert.match(
      err,
      /\[repository-unreadable\]\n.*contender\.yaml.*git ls-remote https:\/\/127\.0\.0\.1:1\/nowhere\.git/,
    );
    assert.doesNotMatch(err, /Run this in a Git repository/);
  } finally {
    await elsewhere.remove();
  }
});
