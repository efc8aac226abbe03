import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { PeerName } from './peer.ts';
import { figure, type Measured } from './repetitions.ts';
import type { Goal, Line } from './workload.ts';

const PEERS: readonly PeerName[] = ['none', 'pipe', 'native', 'sarrio', 'bucardo'];

type Verdict = { readonly measure: string; readonly goal: Goal; readonly value: number; readonly isMet: boolean };

/** One table: medians by peer, and Sarrio's ratio to its goal. */
export function reportText(results: readonly Measured[]): string {
  const rows = results.flatMap((measured) => [[measured.workload.title], ...measured.workload.lines.map((line) => lineCells(measured, line))]);
  const head = ['', ...PEERS, 'goal', 'figure', ''];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].filter((cells) => cells.length > 1).map((cells) => (cells[column] ?? '').length)));
  const text = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map((cells) => (cells.length === 1 ? `\n${cells[0]}` : text(cells))).join('\n');
}

/** A goal without a figure is missed. */
export function isMet(results: readonly Measured[]): boolean {
  return results.every((measured) => verdicts(measured).every((verdict) => verdict.isMet));
}

/** Writes medians, every repetition and the machine they are from; returns the file. */
export async function writeResults(folder: string, results: readonly Measured[], run: Readonly<Record<string, unknown>>): Promise<string> {
  const at = new Date().toISOString();
  const machine = { cpus: cpus().length, cpu: cpus()[0]?.model ?? '', memoryGb: Math.round(totalmem() / 2 ** 30), node: process.version };
  const workloads = results.map((measured) => ({
    name: measured.workload.name,
    title: measured.workload.title,
    medians: Object.fromEntries(measured.workload.peers.map(({ name }) => [name, medians(measured, name)])),
    goals: verdicts(measured),
    missing: Object.fromEntries(measured.missing),
    repetitions: measured.repetitions,
  }));
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${at.replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify({ at, ...run, machine, workloads }, null, 2)}\n`);
  return file;
}

function verdicts(measured: Measured): readonly Verdict[] {
  return measured.workload.lines.flatMap((line) => verdict(measured, line) ?? []);
}

function verdict(measured: Measured, { measure, goal }: Line): Verdict | null {
  if (goal === undefined) return null;
  const own = figure(measured, 'sarrio', measure);
  const base = goal.to === undefined ? 1 : figure(measured, goal.to, measure);
  const value = own === null || base === null ? Number.NaN : own / base;
  return { measure, goal, value, isMet: 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast };
}

function medians(measured: Measured, peer: PeerName): Readonly<Record<string, number>> {
  return Object.fromEntries(
    measured.workload.lines.flatMap(({ measure }) => {
      const value = figure(measured, peer, measure);
      return value === null ? [] : [[measure, value]];
    }),
  );
}

function lineCells(measured: Measured, line: Line): readonly string[] {
  const cells = PEERS.map((peer) => measured.missing.get(peer) ?? number(figure(measured, peer, line.measure)));
  const found = verdict(measured, line);
  return [`  ${line.title}`, ...cells, ...(found === null ? ['', '', ''] : goalCells(found))];
}

function goalCells({ goal, value, isMet }: Verdict): readonly string[] {
  const bound = 'atMost' in goal ? `<= ${goal.atMost}` : `>= ${goal.atLeast}`;
  const limit = goal.to === undefined ? bound : `${bound}x ${goal.to}`;
  const reached = goal.to === undefined ? number(value) : `${value.toFixed(2)}x`;
  return [limit, reached, isMet ? 'ok' : 'MISS'];
}

function number(value: number | null): string {
  return value === null ? '-' : value.toFixed(value < 100 ? 2 : 0);
}
