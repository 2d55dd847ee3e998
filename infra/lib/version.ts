/** The version of the program that is deployed: that of its crates. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from './config';

const MANIFEST = resolve(__dirname, '../../Cargo.toml');

/** `doctor --aws` reads it from the functions' tag `version`. */
export function programVersion(): string {
  const version = /^version = "([^"]+)"$/m.exec(readFileSync(MANIFEST, 'utf-8'))?.[1];
  if (version === undefined) throw new ConfigError(`${MANIFEST}: expected a line version = "..."`);
  return version;
}
