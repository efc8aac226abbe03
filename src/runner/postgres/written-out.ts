import { literal } from '../../sql/quote.ts';
import type { Statement } from './statement.ts';

/**
 * A statement with its values in the place of its parameters, since a message of several statements cannot carry any. The text must hold
 * no dollar with a digit but those.
 */
export function writtenOut({ text, values = [] }: Statement): string {
  return text.replaceAll(/\$(\d+)/g, (parameter, number: string) => {
    const value = values[Number(number) - 1];
    if (value === undefined) throw new Error(`no value for ${parameter}`);
    return value === null ? 'null' : literal(value).text;
  });
}
