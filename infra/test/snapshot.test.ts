import { describe, expect, it } from 'vitest';
import { templates } from './environments';

/** The hash of a zip says nothing about the stack. */
const ASSET = /\b[0-9a-f]{64}\b/g;

describe('the template of production', () => {
  it.each(Object.entries(templates('prod')))('%s', async (name, template) => {
    const text = `${JSON.stringify(template.toJSON(), null, 2).replace(ASSET, 'ASSET')}\n`;
    await expect(text).toMatchFileSnapshot(`snapshots/${name}.json`);
  });
});
