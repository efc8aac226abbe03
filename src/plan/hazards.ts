/** What a change may cost that nobody should find out afterwards. Each is approved by name: in the config, or with `--allow <code>:<object>`. */
export const HAZARDS = {
  'drop-changes': 'a delta table goes, and with it the changes that targets have not taken yet',
  'drop-stream': 'changes are no longer kept for a target; should it return, it is copied anew',
  'adopt-objects': 'objects stand in schema sarrio that no apply has recorded; they would be replaced and taken for ours',
  'lock-table': 'writers of a table would have to wait for longer than a moment',
  'expose-column': 'values leave the source, or stand in a record, that did not before',
  'drop-column': 'a column no longer flows; targets keep the values that they have',
  'change-filter': 'other rows than before leave the source',
  'change-rule': 'conflicts are decided by another rule than before',
  'change-handler': 'a function that decides about rows does something else than before',
} as const;

export type HazardCode = keyof typeof HAZARDS;

/** What one change would cost. Approved by its name, `<code>:<object>`. */
export type Hazard = {
  readonly code: HazardCode;
  readonly object: string;
  readonly evidence: string;
  /** Rows that it concerns, as far as the statistics say; an approval may be bounded by them. */
  readonly rows?: number;
};

/** How `--allow` and `approve` name a hazard. */
export function hazardName({ code, object }: Pick<Hazard, 'code' | 'object'>): string {
  return `${code}:${object}`;
}

/** An approval of the config, as the plan holds it. */
export type Approval = {
  readonly hazard: HazardCode;
  readonly object: string;
  readonly reason: string;
  /** The last day on which it counts (UTC), `2026-12-31`. */
  readonly expires: string;
  /** It does not cover more rows than this. */
  readonly upToRows?: number;
};

/** Hazards whose presence depends on statistics: an approval of the whole plan must not hang on those. */
export function dependsOnStatistics({ code }: Hazard): boolean {
  return code === 'lock-table';
}

/** Why an approval of the config does not cover a hazard; null when it does. `today` as `2026-11-27`. */
export function refusedApproval(approval: Approval, hazard: Hazard, today: string): string | null {
  if (approval.expires < today) return `its approval expired on ${approval.expires}`;
  if (approval.upToRows === undefined) return null;
  if (hazard.rows === undefined || hazard.rows <= approval.upToRows) return null;
  return `its approval covers ${approval.upToRows} rows, and there are about ${hazard.rows}`;
}
