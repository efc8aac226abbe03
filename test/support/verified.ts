import { verify, type Verification } from '../../src/runner/9-verify/verify.ts';
import type { MastersResult } from '../../src/runner/9-verify/masters/masters-result.ts';
import type { TableResult } from '../../src/runner/9-verify/table-result.ts';
import { systemClock } from '../../src/runner/clock.ts';
import type { Failpoint } from '../../src/runner/failpoint.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import type { Installation } from './installation.ts';
import type { Outcome } from './run-verb.ts';

export type Verified = Outcome & { readonly tables: readonly TableResult[] };

/** `sarrio verify` within this process, with its tables. */
export async function verified(project: Installation, ...args: readonly string[]): Promise<Verified> {
  const outcome = await project.verify(...args);
  const tables = (outcome.data as { tables: readonly TableResult[] } | null)?.tables ?? [];
  return { ...outcome, tables };
}

export type VerifiedMasters = Outcome & { readonly masters: readonly MastersResult[] };

/** The same of multi-master syncs. */
export async function verifiedMasters(project: Installation, ...args: readonly string[]): Promise<VerifiedMasters> {
  const outcome = await project.verify(...args);
  return { ...outcome, masters: (outcome.data as { masters: readonly MastersResult[] } | null)?.masters ?? [] };
}

/** A full comparison that does something at a place of its own. */
export async function verifiedWith(project: Installation, failpoint: Failpoint, repair = false): Promise<Verification> {
  const { plan } = await project.generated();
  const urlOf = (database: string): string => project.env[plan.databases[database]?.url.env ?? ''] ?? '';
  return verify({
    plan,
    failpoint,
    repair,
    wantsRepair: repair,
    from: null,
    connect: (database, role) => connect({ database, role, url: urlOf(database), variable: 'URL' }),
    selection: { syncs: [], targets: [], tables: [] },
    sample: 100,
    jobs: 1,
    limit: 20,
    clock: systemClock,
    log: () => undefined,
    signal: new AbortController().signal,
  });
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
