import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compose, configOf } from './environments';

/** CDK writes more `DependsOn` than it must; that is all this one says. */
const IGNORED = 'W3005';

/** What cfn-lint says of all templates of a folder. */
function lint(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.template.json'));
  expect(files.length).toBe(7);
  try {
    return execFileSync('cfn-lint', ['--ignore-checks', IGNORED, '--', ...files.map((name) => join(folder, name))], { encoding: 'utf8' });
  } catch (error) {
    const { code, stdout } = error as NodeJS.ErrnoException & { stdout?: string };
    return code === 'ENOENT' ? 'no cfn-lint: make setup brings it, make test-infra finds it' : (stdout ?? String(error));
  }
}

describe.each(['prod', 'dev', 'demo'] as const)('cfn-lint in %s', (environment) => {
  it('finds nothing', () => {
    const { directory } = compose(configOf(environment)).app.synth();
    expect(lint(directory)).toBe('');
  });
});
