import { displayName } from '../../sql/quote.ts';
import type { InstalledObject, LiveDatabase, LiveObject } from '../5-inspect/live-database.ts';
import { parseSeal } from '../5-inspect/seal.ts';

/** What was done by hand to an object of ours that stands, in words, with both fingerprints; null when nothing was. */
export function driftText(live: LiveDatabase, standing: LiveObject, row: InstalledObject): string | null {
  if (standing.fingerprint === row.fingerprint) return null;
  return `drift: its catalog fingerprint is ${short(standing.fingerprint)}, but apply left ${short(row.fingerprint)}: ${whatChanged(live, standing, row)}`;
}

/** A fingerprint without the rights of others. */
export function definitionOf(fingerprint: string): string | undefined {
  return fingerprint.split('.')[0];
}

export function short(hash: string): string {
  return hash.slice(0, 12);
}

function whatChanged(live: LiveDatabase, standing: LiveObject, row: InstalledObject): string {
  if (definitionOf(standing.fingerprint) === definitionOf(row.fingerprint)) return 'others have other rights on it than the config says';
  switch (standing.kind) {
    case 'trigger':
      return STATES[stateOf(live, standing) ?? ''] ?? 'it fires for something else, or calls something else';
    case 'function':
      return 'its body, its settings or who may call it was altered';
    case 'table':
      return 'its columns, constraints or storage were altered';
    case 'index':
      return 'it is another index, or not valid';
    case 'sequence':
      return 'its bounds or steps were altered';
    default:
      return 'it was altered';
  }
}

/** `pg_trigger.tgenabled`, where that alone says what happened. */
const STATES: Readonly<Record<string, string>> = {
  D: 'it is disabled',
  R: 'it fires for replicas only',
  A: 'it fires always, or was altered',
};

function stateOf(live: LiveDatabase, { bare, trigger }: LiveObject): string | undefined {
  if (trigger === null) return undefined;
  const wanted = displayName(trigger.table);
  for (const text of live.seals.found.values()) {
    const relation = parseSeal(text).relations.find((each) => displayName(each) === wanted);
    const found = relation?.triggers.find(([name]) => name === bare);
    if (found) return found[1];
  }
  return undefined;
}
