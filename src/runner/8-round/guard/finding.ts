import { count } from '../../print-measures.ts';

/** Why a table's changes wait. Numbers are of rows of the target. */
export type Finding =
  | { readonly kind: 'truncate'; readonly table: string }
  | { readonly kind: 'deletes'; readonly table: string; readonly deletes: number; readonly rows: number };

export function findingText(finding: Finding): string {
  if (finding.kind === 'truncate') return `a TRUNCATE of ${finding.table}`;
  return `${count(finding.deletes)} deletes in ${finding.table}, which has ${count(finding.rows)} rows`;
}

export function findingsText(findings: readonly Finding[]): string {
  return findings.map(findingText).join('; ');
}
