/** One alarm that tells people, when it goes off and when all is well again. */
import { Alarm, ComparisonOperator, IAlarmAction, IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { inCamels, nameOf } from '../names';

export interface WatchProps {
  /** What it is called, after the environment. */
  readonly name: string;
  /** What happened and what to do, for someone who gets this by e-mail in the morning. */
  readonly says: string;
  readonly metric: IMetric;
  /** It goes off above, or below, this number. */
  readonly when: { readonly above: number } | { readonly below: number };
  /** For how many periods in a row; one, unless said. */
  readonly periods?: number;
  /** Silence is bad news where something should have come. */
  readonly silenceIsBad?: boolean;
}

export class Watch extends Construct {
  readonly alarm: Alarm;

  constructor(scope: Construct, config: Config, action: IAlarmAction, props: WatchProps) {
    super(scope, inCamels(props.name));
    const { name, says, metric, when, periods = 1, silenceIsBad = false } = props;
    this.alarm = new Alarm(this, 'Alarm', {
      alarmName: nameOf(config, name),
      alarmDescription: says,
      metric,
      evaluationPeriods: periods,
      ...('above' in when
        ? { threshold: when.above, comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD }
        : { threshold: when.below, comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD }),
      treatMissingData: silenceIsBad ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    this.alarm.addAlarmAction(action);
    this.alarm.addOkAction(action);
  }
}
