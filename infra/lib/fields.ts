/**
 * Reads a JSON document field by field and, when one is wrong, says which, what was given and what is accepted.
 * A field nobody asked for is an error too: it is a misspelt one.
 */

/** A mistake in the configuration, for the person who wrote it. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

type Json = unknown;

/** One object of the document; `close` must be called when all of its fields have been read. */
export class Fields {
  private readonly asked = new Set<string>();

  private constructor(
    private readonly path: string,
    private readonly values: Record<string, Json>,
    private readonly source: string,
  ) {}

  /** The document itself; `source` names the file in messages. */
  static root(document: Json, source: string): Fields {
    if (!isObject(document)) {
      throw new ConfigError(`${source}: expected a JSON object, got ${JSON.stringify(document)}`);
    }
    return new Fields('', document, source);
  }

  /** The object under this name, or nothing. */
  object(name: string): Fields | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) this.fail(name, value, 'an object');
    return new Fields(this.pathOf(name), value, this.source);
  }

  /** The object under this name. */
  requiredObject(name: string, remedy: string): Fields {
    return this.object(name) ?? this.missing(name, remedy);
  }

  /** The text under this name, or the default. */
  text<Default>(name: string, pattern: RegExp, expected: string, fallback: Default): string | Default {
    const value = this.take(name);
    if (value === undefined) return fallback;
    if (typeof value !== 'string' || !pattern.test(value)) this.fail(name, value, expected);
    return value;
  }

  /** The text under this name. */
  requiredText(name: string, pattern: RegExp, expected: string): string {
    return this.text(name, pattern, expected, undefined) ?? this.missing(name, expected);
  }

  /** One of a few words, or the default. */
  choice<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.take(name);
    if (value === undefined) return fallback;
    const found = choices.find((choice) => choice === value);
    return found ?? this.fail(name, value, `one of ${choices.join(', ')}`);
  }

  /** A whole number within bounds, or the default. */
  number(name: string, least: number, most: number, fallback: number): number {
    const value = this.take(name);
    if (value === undefined) return fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      this.fail(name, value, `a whole number from ${least} to ${most}`);
    }
    return value;
  }

  /** True or false, or the default. */
  flag(name: string, fallback: boolean): boolean {
    const value = this.take(name);
    if (value === undefined) return fallback;
    return typeof value === 'boolean' ? value : this.fail(name, value, 'true or false');
  }

  /** A list of texts; none when it is absent. */
  texts(name: string, pattern: RegExp, expected: string): string[] {
    const value = this.take(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) this.fail(name, value, `a list, each ${expected}`);
    value.forEach((item: Json, index) => {
      if (typeof item !== 'string' || !pattern.test(item)) this.fail(`${name}[${index}]`, item, expected);
    });
    return value as string[];
  }

  /** A value that was read and is wrong for a reason that only the caller knows. */
  fail(name: string, given: Json, expected: string): never {
    throw new ConfigError(`${this.source}: ${this.pathOf(name)}: expected ${expected}, got ${JSON.stringify(given)}`);
  }

  /** Refuses what was never asked for. */
  close(): void {
    const unknown = Object.keys(this.values).find((name) => !this.asked.has(name));
    if (unknown === undefined) return;
    const known = [...this.asked].sort().join(', ');
    throw new ConfigError(`${this.source}: ${this.pathOf(unknown)}: no such field; known here: ${known}`);
  }

  private take(name: string): Json {
    this.asked.add(name);
    return this.values[name];
  }

  private missing(name: string, expected: string): never {
    throw new ConfigError(`${this.source}: ${this.pathOf(name)}: missing; give ${expected}`);
  }

  private pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
