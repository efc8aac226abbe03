import type { ParkedRow } from '../runner/8-round/conflicts/parked.ts';
import type { DecidedConflict, DecidedVersion } from '../runner/8-round/conflicts/read-conflicts.ts';

/** One line for each. */
export function conflictsText(conflicts: readonly DecidedConflict[]): string {
  if (conflicts.length === 0) return 'No conflicts were recorded.';
  const lines = conflicts.map(
    ({ id, decidedAt, sync, relation, key, kind, strategy, decision }) =>
      `${id.slice(0, 8)}  ${decidedAt.slice(0, 19)}  ${sync}: ${relation} ${keyText(key)}  ${kind}  ${strategy}: ${decision}`,
  );
  return lines.join('\n');
}

/** Each with its row, and how it can come back. */
export function parkedText(rows: readonly ParkedRow[]): string {
  if (rows.length === 0) return 'No rows are parked.';
  const lines = rows.flatMap(({ parkedAt, sync, relation, key, error, row, at }) => [
    `${parkedAt.slice(0, 19)}  ${sync}: ${relation} ${keyText(key)}  ${error}; kept at ${at.join(', ')}`,
    `    ${Object.entries(row)
      .map(([name, value]) => `${name}=${value ?? '(null)'}`)
      .join(', ')}`,
  ]);
  return [...lines, 'When their values are free again, sarrio kick puts them back.'].join('\n');
}

/** All versions, one column a line; a value that differs between them is marked, as is one of which the record holds a mask. */
export function conflictText(conflict: DecidedConflict): string {
  const { id, decidedAt, sync, relation, key, kind, strategy, decision, versions, recordedAt } = conflict;
  return [
    `conflict ${id}`,
    `  decided   ${decidedAt} in sync ${sync}, recorded at ${recordedAt.join(', ')}`,
    `  row       ${relation} ${keyText(key)}`,
    `  kind      ${kind}`,
    `  decision  ${strategy}: ${decision}`,
    ...versions.flatMap((version) => versionLines(version, versions)),
  ].join('\n');
}

function versionLines({ database, at, op, row, masked = [] }: DecidedVersion, all: readonly DecidedVersion[]): readonly string[] {
  const time = `${new Date(Number(BigInt(at) / 1000n)).toISOString().slice(0, -1)}${String(BigInt(at) % 1000n).padStart(3, '0')}Z`;
  const head = `  ${database}: ${op} at ${time}`;
  if (row === null) return [head, '      (deleted)'];
  const width = Math.max(...Object.keys(row).map((name) => name.length));
  const differs = (name: string): boolean => new Set(all.map((version) => version.row?.[name] ?? null)).size > 1;
  return [
    head,
    ...Object.entries(row).map(([name, value]) => `    ${masked.includes(name) ? '?' : differs(name) ? '*' : ' '} ${name.padEnd(width)}  ${value ?? '(null)'}`),
  ];
}

function keyText(key: Readonly<Record<string, string | null>>): string {
  return `(${Object.entries(key)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')})`;
}
