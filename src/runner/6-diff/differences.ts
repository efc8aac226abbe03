import type { Diagnostic } from '../../plan/diagnostic.ts';
import type { Plan } from '../../plan/plan.ts';
import { TERMS, termsHash } from '../../plan/terms.ts';
import { type LiveDatabase, objectKey } from '../5-inspect/live-database.ts';
import { takeInventory } from './diff-removals.ts';
import { definitionOf } from './drift-text.ts';
import type { ChangePlan, Step } from './step.ts';

/**
 * `pending`: generated/ wants another thing than apply last left. `drift`: somebody changed what apply left. `skew`: a user's table is not
 * what generated/ was made for. `foreign`: something in our schema that is not ours.
 */
export const DIFFERENCE_CLASSES = ['pending', 'drift', 'skew', 'foreign'] as const;

export type DifferenceClass = (typeof DIFFERENCE_CLASSES)[number];

export type Difference = {
  readonly class: DifferenceClass;
  readonly database: string;
  readonly object: { readonly kind: string; readonly name: string };
  readonly what: string;
  /** Hashes of the text (pending) or fingerprints of the catalog (drift); null where there is none. */
  readonly wanted: string | null;
  readonly found: string | null;
};

/** Checks whose findings are skew: the user's tables are not as the plan was compiled for. */
const SKEW: ReadonlySet<string> = new Set(['SAR410', 'SAR411', 'SAR412', 'SAR413', 'SAR414']);

type Compared = {
  readonly plan: Plan;
  readonly lives: ReadonlyMap<string, LiveDatabase>;
  readonly changePlan: ChangePlan;
  readonly faults: readonly Diagnostic[];
};

/** Everything in which the databases are not as generated/ says, each thing by name and told apart by who changed it. */
export function differences({ plan, lives, changePlan, faults }: Compared): readonly Difference[] {
  const stepped = changePlan.steps.flatMap((step) => {
    const live = lives.get(step.database);
    return live ? stepDifferences(plan, live, step) : [];
  });
  const foreign = [...lives.values()].flatMap((live) =>
    takeInventory({ plan, live, all: false }).foreign.map(
      ({ kind, name }): Difference => ({
        class: 'foreign',
        database: live.database,
        object: { kind, name },
        what: 'is not ours and is left alone',
        wanted: null,
        found: null,
      }),
    ),
  );
  return [...stepped, ...faults.filter(({ code }) => SKEW.has(code)).map(skewOf), ...foreign];
}

/** A thing may be both: changed by hand, and wanted otherwise meanwhile. */
function stepDifferences(plan: Plan, live: LiveDatabase, step: Step): readonly Difference[] {
  const { database, object, kind, reason } = step;
  const hashes = textHashes(plan, live, step);
  const base = { database, object, what: reason };
  if (kind === 'repair') return [{ class: 'drift', ...base, what: without(reason, 'drift: '), ...fingerprints(live, step) }];
  if (kind === 'refresh') {
    // The rows of a partition that the plan knows by now are wanted; a table that went by uncaptured was changed by somebody.
    const isPartition = object.name !== step.group;
    return [{ class: isPartition ? 'pending' : 'drift', ...base, wanted: null, found: null }];
  }
  if (object.kind === 'sequence' && reason.startsWith('drift: '))
    return [{ class: 'drift', ...base, what: without(reason, 'drift: '), wanted: null, found: null }];
  const drift = reason.split('; drift: ')[1];
  return [
    { class: 'pending', ...base, what: drift === undefined ? reason : reason.slice(0, reason.indexOf('; drift: ')), ...hashes },
    ...(drift === undefined ? [] : [{ class: 'drift', ...base, what: drift, ...fingerprints(live, step) } as const]),
  ];
}

function textHashes(plan: Plan, live: LiveDatabase, step: Step): Pick<Difference, 'wanted' | 'found'> {
  const { object, record } = step;
  if (object.kind === TERMS) {
    const before = live.terms.get(object.name);
    return { wanted: null, found: before === undefined ? null : termsHash(before) };
  }
  const row = live.installed.find((each) => each.project === plan.project && objectKey(each) === objectKey(object));
  return { wanted: record !== null && record !== 'none' ? record.hash : null, found: row?.hash ?? null };
}

function fingerprints(live: LiveDatabase, { object }: Step): Pick<Difference, 'wanted' | 'found'> {
  const row = live.installed.find((each) => objectKey(each) === objectKey(object));
  const standing = live.objects.find((each) => objectKey(each) === objectKey(object));
  const isRights = row && standing && definitionOf(row.fingerprint) === definitionOf(standing.fingerprint);
  const shown = (fingerprint: string | undefined): string | null => (isRights ? fingerprint : fingerprint && definitionOf(fingerprint)) ?? null;
  return { wanted: shown(row?.fingerprint), found: shown(standing?.fingerprint) };
}

function skewOf({ where, message }: Diagnostic): Difference {
  const [, database = '', table = ''] = /^database (.*?)(?:, table (.*))?$/s.exec(where ?? '') ?? [];
  return { class: 'skew', database, object: { kind: 'table', name: table }, what: message, wanted: null, found: null };
}

function without(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}
