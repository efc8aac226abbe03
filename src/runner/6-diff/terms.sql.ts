import { literal } from '../../sql/quote.ts';
import { join, type Sql, sql } from '../../sql/sql.ts';

export type TermsRow = { readonly subject: string; readonly project: string; readonly hash: string; readonly text: string; readonly format: string };

/**
 * Purpose: writes down what was agreed about tables of syncs, so that a later plan can say what would change.
 * Reads: nothing. Writes: sarrio.installed. Called by: diffTerms.
 */
export function recordTerms(rows: readonly TermsRow[]): Sql {
  const values = rows.map(
    ({ subject, project, hash, text, format }) =>
      sql`('terms', ${literal(subject)}, ${literal(project)}, ${literal(hash)}, ${literal(text)}, ${literal(format)})`,
  );
  return sql`
    insert into sarrio.installed (kind, name, project, hash, fingerprint, plan_format)
    values ${join(values, ',\n')}
    on conflict (kind, name) do update
    set project = excluded.project, hash = excluded.hash, fingerprint = excluded.fingerprint,
      plan_format = excluded.plan_format, installed_at = excluded.installed_at;
  `;
}

/** Purpose: forgets what was agreed about tables that left. Reads: nothing. Writes: sarrio.installed. Called by: diffTerms. */
export function forgetTerms(subjects: readonly string[]): Sql {
  return sql`delete from sarrio.installed where kind = 'terms' and name in (${join(subjects.map(literal), ', ')});`;
}
