import { contentHash } from '../../plan/canonical.ts';
import type { Hazard } from '../../plan/hazards.ts';
import type { Plan } from '../../plan/plan.ts';
import { TERMS, type Terms, termsHash, termsOf } from '../../plan/terms.ts';
import { quoteIdent } from '../../sql/quote.ts';
import type { LiveDatabase } from '../5-inspect/live-database.ts';
import { makeStep, type Step } from './step.ts';
import { forgetTerms, recordTerms, type TermsRow } from './terms.sql.ts';

const GROUP = 'terms';

/** Steps that write down what the syncs of one database do with their tables. What changes for a table that has terms already is named, as hazards. */
export function diffTerms(plan: Plan, live: LiveDatabase): readonly Step[] {
  if ((plan.databases[live.database]?.objects.length ?? 0) === 0) return [];
  const wanted = termsOf(plan, live.database);
  const row = (subject: string, terms: Terms): TermsRow => ({
    subject,
    project: plan.project,
    hash: termsHash(terms),
    text: JSON.stringify(terms),
    format: plan.format,
  });
  const news = bySync([...wanted].flatMap(([subject, terms]) => (live.terms.has(subject) ? [] : [{ subject, terms }])));
  const changed = [...wanted].flatMap(([subject, terms]) => {
    const before = live.terms.get(subject);
    return before === undefined || termsHash(before) === termsHash(terms) ? [] : [{ subject, before, terms }];
  });
  const gone = bySync([...live.terms].flatMap(([subject]) => (wanted.has(subject) ? [] : [{ subject }])));
  const step = (name: string, parts: { reason: string; sql: string; hazards?: readonly Hazard[] }): Step =>
    makeStep({ database: live.database, kind: 'record', object: { kind: TERMS, name }, group: GROUP, ...parts });
  return [
    ...[...news].map(([sync, list]) =>
      step(sync, {
        reason: `what flows of ${tables(list.length)}, and how it is decided`,
        sql: recordTerms(list.map((each) => row(each.subject, each.terms))).text,
      }),
    ),
    ...changed.map(({ subject, before, terms }) => {
      const hazards = termsHazards(subject, before, terms);
      const reason = hazards.map(({ evidence }) => evidence).join('; ') || 'its terms changed';
      return step(subject, { reason, sql: recordTerms([row(subject, terms)]).text, hazards });
    }),
    ...[...gone].map(([sync, list]) =>
      step(`${sync} (left)`, { reason: `of ${tables(list.length)} that left`, sql: forgetTerms(list.map(({ subject }) => subject)).text }),
    ),
  ];
}

/** What somebody has to agree to before a table's terms become others. */
export function termsHazards(subject: string, before: Terms, now: Terms): readonly Hazard[] {
  return [...columnHazards(subject, before, now), ...filterHazards(subject, before, now), ...ruleHazards(subject, before, now)];
}

function columnHazards(subject: string, before: Terms, now: Terms): readonly Hazard[] {
  const hazard = (code: 'expose-column' | 'drop-column', column: string, evidence: string): Hazard => ({
    code,
    object: `${subject}.${quoteIdent(column)}`,
    evidence,
  });
  const masked = before.mask.filter((column) => !now.mask.includes(column) && column in now.columns);
  return [
    ...Object.entries(now.columns).flatMap(([column, from]) => {
      const was = before.columns[column];
      if (was === from) return [];
      return [
        hazard('expose-column', column, was === undefined ? `column ${column} leaves the source: ${from}` : `column ${column} is ${from} instead of ${was}`),
      ];
    }),
    ...Object.keys(before.columns)
      .filter((column) => !(column in now.columns))
      .map((column) => hazard('drop-column', column, `column ${column} flows no longer`)),
    ...masked.map((column) => hazard('expose-column', column, `the record of conflicts shows column ${column}, which was masked`)),
  ];
}

function filterHazards(subject: string, before: Terms, now: Terms): readonly Hazard[] {
  if (before.where === now.where) return [];
  return [{ code: 'change-filter', object: subject, evidence: `rows: ${before.where ?? 'all'} becomes ${now.where ?? 'all'}` }];
}

function ruleHazards(subject: string, before: Terms, now: Terms): readonly Hazard[] {
  const aspects = [
    ['onConflict', before.rule, now.rule],
    ['onUnique', before.unique, now.unique],
    ['onException', before.exception, now.exception],
  ] as const;
  return aspects.flatMap(([aspect, was, is]): readonly Hazard[] => {
    // To stop is to decide nothing: nobody has to agree to it.
    if (contentHash(was) === contentHash(is) || isStop(is)) return [];
    const isHandler = handlerOf(is) !== null;
    const code = isHandler && handlerOf(was) !== null ? 'change-handler' : 'change-rule';
    const evidence = code === 'change-handler' ? `the function of ${aspect} does something else` : `${aspect}: ${ruleText(was)} becomes ${ruleText(is)}`;
    return [{ code, object: `${subject} ${aspect}`, evidence }];
  });
}

function isStop(rule: unknown): boolean {
  return rule === null || (typeof rule === 'object' && rule !== null && 'strategy' in rule && rule.strategy === 'stop');
}

function handlerOf(rule: unknown): string | null {
  if (typeof rule === 'string') return rule;
  return typeof rule === 'object' && rule !== null && 'does' in rule ? String(rule.does) : null;
}

function ruleText(rule: unknown): string {
  if (rule === null) return 'stop';
  if (handlerOf(rule) !== null) return 'a function';
  return JSON.stringify(rule);
}

function bySync<Item extends { readonly subject: string }>(items: readonly Item[]): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const sync = item.subject.slice(0, item.subject.indexOf('/'));
    groups.set(sync, [...(groups.get(sync) ?? []), item]);
  }
  return groups;
}

function tables(count: number): string {
  return count === 1 ? '1 table' : `${count} tables`;
}
