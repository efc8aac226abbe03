import type { TableResult } from '../../src/runner/9-verify/table-result.ts';
import type { Installation, Outcome } from './installation.ts';

export type Verified = Outcome & { readonly tables: readonly TableResult[] };

/** `sarrio verify` within this process, with its tables. */
export async function verified(project: Installation, ...args: readonly string[]): Promise<Verified> {
  const outcome = await project.verify(...args);
  const tables = (outcome.data as { tables: readonly TableResult[] } | null)?.tables ?? [];
  return { ...outcome, tables };
}

/** The only table's differences in short: `missing id=3`, `different id=7: name, email`. */
export function found({ tables }: Verified): readonly string[] {
  return tables.flatMap(({ differences }) =>
    differences.keys.map(({ kind, key, columns }) => {
      const text = Object.entries(key).map(([name, value]) => `${name}=${value}`);
      return `${kind} ${text.join(' ')}${columns.length > 0 ? `: ${columns.join(', ')}` : ''}`;
    }),
  );
}
