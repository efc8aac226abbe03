import { count } from '../runner/print-measures.ts';
import { type StreamName, streamText } from '../runner/events.ts';
import { type Difference, differing, type Differences, type TableResult, type TableState } from '../runner/9-verify/table-result.ts';
import type { MastersResult } from '../runner/9-verify/masters/masters-result.ts';
import type { Verification } from '../runner/9-verify/verify.ts';
import type { VerifyEvent, VerifyProgress } from '../runner/9-verify/verify-event.ts';
import { mastersLines, mastersState, repairingText, repairPlan } from './print-masters.ts';
import type { RepairMode } from './repair-mode.ts';

/** One event as a line of standard error. */
export function verifyLine(event: VerifyEvent): string {
  switch (event.kind) {
    case 'repairing':
      return [`${streamText(event.result.stream)}: ${event.result.target}: writing ${writes(event.result.differences)}`, ...keyLines(event.result)].join('\n');
    case 'masters-repairing':
      return repairingText(event.result);
    case 'masters-compared':
      return `[${event.tables}/${event.ofTables}] ${event.result.sync}: ${event.result.table}: ${mastersState(event.result)}`;
    case 'compared':
      return `[${event.progress.tables}/${event.progress.ofTables}] ${streamText(event.result.stream)}: ${event.result.target}: ${stateText(event.result)}; ${speed(event.progress)}`;
    case 'working':
      return `[${event.progress.tables}/${event.progress.ofTables}] comparing ${event.tables.map(({ table, stream }) => `${table} (${streamText(stream)})`).join(', ')}; ${speed(event.progress)}`;
    default:
      return event satisfies never;
  }
}

/** All results, by stream, and what they come to. */
export function verificationText({ results, masters }: Verification, { sample, mode }: { sample: number; mode: RepairMode }): string {
  const streams = [...new Set(results.map(({ stream }) => streamText(stream)))];
  const lines = streams.flatMap((stream) => [stream, ...streamLines(results.filter((result) => streamText(result.stream) === stream))]);
  const states = [...results, ...masters].map(({ state }) => state);
  return [...lines, ...mastersLines(masters), '', summary(states), ...sampleLine(sample), ...repairLines(results, masters, mode)].join('\n');
}

function streamLines(results: readonly TableResult[]): readonly string[] {
  const width = Math.max(...results.map(({ target }) => target.length));
  return results.flatMap((result) => [`  ${result.target.padEnd(width)}  ${stateText(result)}`, ...keyLines(result)]);
}

function stateText(result: TableResult): string {
  const { state, reason, rows, differences, repair } = result;
  const inFlight = differences.inFlight > 0 ? `, ${count(differences.inFlight)} in flight` : '';
  const compared = rows === null ? '' : `${count(rows.source)} rows${inFlight}`;
  const why = reason === null ? '' : `; ${reason}`;
  switch (state) {
    case 'equal':
      return `equal, ${compared}`;
    case 'differs':
      return `differs, ${compared}: ${kinds(differences)}${why}`;
    case 'repaired':
      return `repaired, ${compared}: ${kinds(differences)}; ${count(repair?.written ?? 0)} keys written, ${count(repair?.leftToRound ?? 0)} left to the next round`;
    case 'not-compared':
      return `not compared: ${reason}`;
    case 'failed':
      return `failed: ${reason}`;
    default:
      return state satisfies never;
  }
}

function kinds({ missing, extra, different, columns }: Differences): string {
  const where = columns.length > 0 ? ` (${columns.map(({ column, rows }) => `${column} ${count(rows)}`).join(', ')})` : '';
  return [
    ...(missing > 0 ? [`${count(missing)} missing on the target`] : []),
    ...(extra > 0 ? [`${count(extra)} only on the target`] : []),
    ...(different > 0 ? [`${count(different)} different${where}`] : []),
  ].join(', ');
}

function keyLines({ differences }: TableResult): readonly string[] {
  const { keys } = differences;
  const more = differing(differences) - keys.length;
  return [...keys.map((each) => `    ${each.kind.padEnd(9)}  ${keyText(each)}`), ...(more > 0 && keys.length > 0 ? [`    and ${count(more)} more`] : [])];
}

function keyText({ key, columns }: Difference): string {
  const text = Object.entries(key).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return columns.length > 0 ? `${text.join(' ')}: ${columns.join(', ')}` : text.join(' ');
}

function summary(found: readonly TableState[]): string {
  const states: readonly (readonly [TableState, string])[] = [
    ['equal', 'equal'],
    ['differs', 'differ'],
    ['repaired', 'repaired'],
    ['not-compared', 'not compared'],
    ['failed', 'failed'],
  ];
  const parts = states.flatMap(([state, word]) => {
    const number = found.filter((each) => each === state).length;
    return number > 0 ? [`${number} ${word}`] : [];
  });
  return `${found.length} ${found.length === 1 ? 'table' : 'tables'}: ${parts.join(', ')}`;
}

function sampleLine(sample: number): readonly string[] {
  return sample < 100 ? [`Only a sample was compared: ${sample} % of the keys of each table. The others were not looked at.`] : [];
}

function repairLines(results: readonly TableResult[], masters: readonly MastersResult[], mode: RepairMode): readonly string[] {
  if (mode === 'none') return [];
  const wanted = results.filter(({ state }) => state === 'differs');
  const differing = wanted.length + masters.filter(({ state }) => state === 'differs').length;
  if (differing === 0) return mode === 'planned' ? ['Nothing to repair.'] : [];
  if (mode === 'written') return ['Not everything was repaired. Run the same command again.'];
  const plan = wanted.map(({ stream, target, differences }) => `  ${at(stream, target)}: ${writes(differences)}`);
  const head = wanted.length > 0 ? 'Repair would write the rows of the source:' : 'Repair would write:';
  return [head, ...plan, ...repairPlan(masters), 'Nothing was written. To write: the same command with --yes'];
}

function at({ sync, target }: StreamName, table: string): string {
  return `${table} on ${target} (sync ${sync})`;
}

function writes({ missing, extra, different }: Differences): string {
  return `${count(missing)} inserts, ${count(different)} updates, ${count(extra)} deletes`;
}

function speed({ rows, rowsPerSecond, leftMs, tables, ofTables }: VerifyProgress): string {
  const left = tables === ofTables || leftMs === null ? '' : `, about ${Math.ceil(leftMs / 1000)} s left`;
  return `${count(rows)} rows so far, ${count(Math.round(rowsPerSecond))} rows/s${left}`;
}
