/** What EventBridge Scheduler accepts as `rate()` and `cron()`, checked at synth: a deployment would notice later. */

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface CronField {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
  /** Letters with a meaning of their own, such as the last day. */
  readonly special?: RegExp;
}

const CRON: readonly CronField[] = [
  { name: 'minutes', least: 0, most: 59 },
  { name: 'hours', least: 0, most: 23 },
  { name: 'day of month', least: 1, most: 31, special: /^(\?|L|LW|(?:[1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', least: 1, most: 12, words: MONTHS },
  { name: 'day of week', least: 1, most: 7, words: WEEKDAYS, special: /^(\?|L|[1-7]L|(?:[1-7]|[A-Z]{3})#[1-5])$/ },
  { name: 'year', least: 1970, most: 2199 },
];

/** Why this is no schedule expression, or nothing when it is one. */
export function scheduleProblem(expression: string): string | undefined {
  const rate = /^rate\((\d+) (minutes?|hours?|days?)\)$/.exec(expression);
  if (rate) return Number(rate[1]) > 0 ? undefined : 'a rate must be 1 or more';
  const cron = /^cron\((.*)\)$/.exec(expression);
  return cron ? cronProblem((cron[1] ?? '').split(' ')) : 'neither rate(N minutes) nor cron(...)';
}

function cronProblem(fields: string[]): string | undefined {
  if (fields.length !== CRON.length) return `cron has ${CRON.length} fields, here are ${fields.length}`;
  const wrong = CRON.find((field, index) => !isField(fields[index] ?? '', field));
  if (wrong) return `${wrong.name} is ${fields[CRON.indexOf(wrong)]}`;
  const free = [fields[2], fields[4]].filter((field) => field === '?').length;
  return free === 1 ? undefined : 'one of day of month and day of week must be ?, and only one';
}

function isField(text: string, field: CronField): boolean {
  if (field.special?.test(text)) return true;
  return text.split(',').every((part) => isPart(part, field));
}

function isPart(part: string, field: CronField): boolean {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (range === '*') return true;
  const ends = range.split('-').map((end) => valueOf(end, field));
  const [from, to = from] = ends;
  return ends.length <= 2 && ends.every((end) => end !== undefined) && (from as number) <= (to as number);
}

function valueOf(text: string, field: CronField): number | undefined {
  const word = field.words?.indexOf(text) ?? -1;
  if (word >= 0) return field.least + word;
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= field.least && value <= field.most ? value : undefined;
}
