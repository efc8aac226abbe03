import { count } from '../runner/print-measures.ts';
import type { MastersDifference, MastersDifferences, MastersResult, MemberWrites } from '../runner/9-verify/masters/masters-result.ts';

/** All tables between masters, by sync. */
export function mastersLines(results: readonly MastersResult[]): readonly string[] {
  const syncs = [...new Set(results.map(({ sync }) => sync))];
  return syncs.flatMap((sync) => {
    const own = results.filter((result) => result.sync === sync);
    const width = Math.max(...own.map(({ table }) => table.length));
    return [
      `${sync}: all members`,
      ...own.flatMap((result) => [`  ${result.table.padEnd(width)}  ${mastersState(result)}`, ...absentLines(result), ...keyLines(result.differences)]),
    ];
  });
}

/** One table in one line. */
export function mastersState({ state, reason, rows, differences, members, repair }: MastersResult): string {
  const inFlight = differences.inFlight > 0 ? `, ${count(differences.inFlight)} in flight` : '';
  const compared = rows === null ? '' : `${rowsText(rows)}${inFlight}`;
  switch (state) {
    case 'equal':
      return `equal, ${compared}`;
    case 'differs':
      return `differs, ${compared}: ${kinds(differences)}`;
    case 'repaired':
      return `repaired, ${compared}: ${kinds(differences)}; ${count(repair?.recorded ?? 0)} keys are new changes of ${repair?.from}, which the next round brings to the others`;
    case 'not-compared':
      return rows === null ? `not compared${reason === null ? '' : `: ${reason}`}` : `equal at ${members.join(', ')}, ${compared}, and not compared with all`;
    case 'failed':
      return `failed: ${reason}`;
    default:
      return state satisfies never;
  }
}

/** What a repair would write, or how to ask for it. */
export function repairPlan(results: readonly MastersResult[]): readonly string[] {
  return results.flatMap(({ sync, table, state, repair }) => {
    if (state !== 'differs' || repair === null) return [];
    return repair.writes.map((writes) => `  ${table} on ${writes.member}, as changes of ${repair.from} (sync ${sync}): ${writesText(writes)}`);
  });
}

/** For the line before a repair is written. */
export function repairingText({ sync, table, repair, differences }: MastersResult): string {
  const writes = (repair?.writes ?? []).map((each) => `${each.member} ${writesText(each)}`).join('; ');
  return [`${sync}: ${table}: making rows of ${repair?.from} new changes: ${writes}`, ...keyLines(differences)].join('\n');
}

function writesText({ inserts, updates, deletes }: MemberWrites): string {
  return `${count(inserts)} inserts, ${count(updates)} updates, ${count(deletes)} deletes`;
}

/** `1,000 rows`, or by member where the numbers differ. */
function rowsText(rows: Readonly<Record<string, number>>): string {
  const numbers = new Set(Object.values(rows));
  const [first] = numbers;
  if (numbers.size === 1 && first !== undefined) return `${count(first)} rows`;
  return `rows: ${Object.entries(rows)
    .map(([member, number]) => `${member} ${count(number)}`)
    .join(', ')}`;
}

function kinds({ keys, different, lacking, columns }: MastersDifferences): string {
  const where = columns.length > 0 ? ` (${columns.map(({ column, rows }) => `${column} ${count(rows)}`).join(', ')})` : '';
  const parts = [
    ...(different > 0 ? [`${count(different)} not alike${where}`] : []),
    ...Object.entries(lacking).map(([member, number]) => `${count(number)} missing at ${member}`),
  ];
  return `${count(keys)} ${keys === 1 ? 'key' : 'keys'}: ${parts.join(', ')}`;
}

function absentLines({ absent }: MastersResult): readonly string[] {
  return absent.map(({ member, reason }) => `    ${member} was left out: ${reason}`);
}

function keyLines({ keys, listed }: MastersDifferences): readonly string[] {
  const more = keys - listed.length;
  return [...listed.map((each) => `    ${keyText(each)}`), ...(more > 0 && listed.length > 0 ? [`    and ${count(more)} more`] : [])];
}

/** `id="7": east, west | north, not at south: price` */
function keyText({ key, have, lack, columns }: MastersDifference): string {
  const name = Object.entries(key)
    .map(([column, value]) => `${column}=${JSON.stringify(value)}`)
    .join(' ');
  const groups = have.map((members) => members.join(', ')).join(' | ');
  const missing = lack.length > 0 ? `; not at ${lack.join(', ')}` : '';
  return `${name}: at ${groups}${missing}${columns.length > 0 ? `: ${columns.join(', ')}` : ''}`;
}
