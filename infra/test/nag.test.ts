import { Aspects } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { compose, configOf } from './environments';

describe.each(['prod', 'dev', 'demo'] as const)('cdk-nag in %s', (environment) => {
  it('finds nothing that is not explained beside its construct', () => {
    const { app, stacks } = compose(configOf(environment));
    Aspects.of(app).add(new AwsSolutionsChecks({ verbose: true }));
    app.synth();
    const findings = Object.values(stacks).flatMap((stack) => {
      const from = Annotations.fromStack(stack);
      const pattern = Match.stringLikeRegexp('AwsSolutions-|CdkNag');
      return [...from.findError('*', pattern), ...from.findWarning('*', pattern)].map(({ id, entry }) => `${id}: ${String(entry.data)}`);
    });
    expect(findings).toEqual([]);
  });
});
