import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { CORE_SCHEMA, dump, load } from 'js-yaml';
import { SarrioError } from '../../src/plan/errors.ts';
import { PLAN_FORMAT, type Plan, type PlanSync } from '../../src/plan/plan.ts';
import { planHash } from '../../src/plan/plan-hash.ts';
import { readPlan } from '../../src/plan/read-plan.ts';
import { writePlan } from '../../src/plan/write-plan.ts';
import { olderPlan } from '../support/older-plan.ts';

describe('plan.yaml', () => {
  let text: string;

  beforeAll(async () => {
    text = await readFile('test/cases/shop/expected/plan.yaml', 'utf8');
  });

  /** The codes that reading gives, with the exit. */
  const refusal = (changed: string): string => {
    try {
      readPlan(changed, 'generated/plan.yaml');
      return 'read';
    } catch (error) {
      if (!(error instanceof SarrioError)) throw error;
      return `${error.exit} ${error.diagnostics.map(({ code, message }) => `${code} ${message}`).join('; ')}`;
    }
  };
  const changed = (change: (content: Record<string, unknown>) => void): string => {
    const content = load(text, { schema: CORE_SCHEMA }) as Record<string, unknown>;
    change(content);
    return dump(content, { schema: CORE_SCHEMA, indent: 4 });
  };

  test('is read, and written again as the same bytes', () => {
    expect(writePlan(readPlan(text, 'plan.yaml'))).toBe(text);
  });

  test('is the same plan with CRLF line ends, other comments and other spaces', () => {
    const plan = readPlan(text, 'plan.yaml');
    expect(readPlan(text.replaceAll('\n', '\r\n'), 'plan.yaml')).toEqual(plan);
    expect(
      readPlan(
        changed(() => undefined),
        'plan.yaml',
      ),
    ).toEqual(plan);
  });

  test('keeps any text of a statement', () => {
    const statement = fc.string({ unit: 'binary', minLength: 1 }).map((body) => `select 1\n  ${body}`);
    const plan = readPlan(text, 'plan.yaml');
    fc.assert(
      fc.property(
        fc.oneof(
          statement,
          fc.string({ minLength: 1, unit: 'grapheme' }),
          fc.constantFrom('no', '1.0', '- a', 'a: b', ' \n\n x \n ', '\n', '# x\n', 'select 1\r\n, 2', 'a\u2028\nb'),
        ),
        (countPending) => {
          const other = (sync: PlanSync): PlanSync =>
            sync.mode === 'one-way' ? { ...sync, tables: sync.tables.map((table) => ({ ...table, countPending })) } : sync;
          const syncs = Object.fromEntries(Object.entries(plan.syncs).map(([name, sync]) => [name, other(sync)]));
          const changedPlan: Plan = { ...plan, syncs };
          expect(readPlan(writePlan(changedPlan), 'plan.yaml')).toEqual(changedPlan);
        },
      ),
      { numRuns: 25 },
    );
  });

  test.each(['2.0', '0.9', '1.0', '1.1', `${PLAN_FORMAT.split('.')[0]}.99`, 'one', undefined])('of format %s is refused', (format) => {
    expect(refusal(changed((content) => void (content['format'] = format)))).toMatch(/^invalid SAR303 /);
  });

  test('keeps the approvals of the config', () => {
    const approvals = [{ hazard: 'lock-table', object: 'public.orders', reason: 'at night', expires: '2026-12-31', upToRows: 5 }] as const;
    const plan = { ...readPlan(text, 'plan.yaml'), approvals };
    expect(readPlan(writePlan(plan), 'plan.yaml')).toEqual(plan);
  });

  test.each(['1.2', '1.3'] as const)('of format %s is read, and no edit of it', (format) => {
    const plan = readPlan(text, 'plan.yaml');
    expect(plan.format).toBe(PLAN_FORMAT);
    const older = olderPlan(plan, format);
    expect(readPlan(older, 'plan.yaml')).toEqual({ ...plan, format });
    expect(refusal(older.replace('existingRows: replace', 'existingRows: refuse'))).toMatch(/^invalid SAR306 /);
    expect(refusal(older.replace(format, PLAN_FORMAT))).toMatch(/^invalid SAR306 /);
  });

  test('that the version before wrote is read, and has the hash by which that version knew it', async () => {
    const older = readPlan(await readFile('test/upgrades/2026-11-27/plan.yaml', 'utf8'), 'plan.yaml');
    expect(older.format).toBe('1.3');
    expect(planHash(older)).toBe('97ead84bebd21345069ea2514efcee5e15290cdc9468467f3b99fd8bce30e155');
    expect(planHash({ ...older, format: PLAN_FORMAT })).not.toBe(planHash(older));
  });

  test('has its checksum in its file, wherever the plan comes from', () => {
    const plan = readPlan(text, 'plan.yaml');
    const checksum = /^checksum: '?(\w+)/m.exec(text)?.[1];
    expect(checksum).toBe(
      createHash('sha256')
        .update(text.replace(/^(#.*\n)+/, '').replace(/^checksum: .*\n/m, ''))
        .digest('hex'),
    );
    expect(planHash(plan)).toBe(checksum);
    expect(planHash({ ...plan })).toBe(checksum);
    expect(planHash({ ...plan, project: 'other' })).not.toBe(checksum);
  });

  test('that needs a capability of a newer version is refused, by name', () => {
    const result = refusal(changed((content) => void (content['requires'] = ['one-way', 'teleport'])));
    expect(result).toBe("invalid SAR304 the plan needs the capability 'teleport', which this sarrio does not have");
  });

  test('with a field that is not known is refused, all of them together', () => {
    const result = refusal(
      changed((content) => {
        content['extra'] = 1;
        Object.assign(content['databases'] as object, { more: { url: { env: 'X' } } });
      }),
    );
    expect(result).toContain("SAR305 the file has the unknown field 'extra'");
    expect(result).toContain("SAR305 databases/more lacks the field 'objects'");
  });

  test('edited by hand is refused', () => {
    const edited = text.replace('existingRows: replace', 'existingRows: refuse');
    expect(edited).not.toBe(text);
    expect(refusal(edited)).toMatch(/^invalid SAR306 /);
  });

  test.each(['', 'just text', '[1, 2]', 'a: [', 'format: "1.0"\nformat: "1.0"\n', '<<<<<<< ours\n'])('%j is no plan', (content) => {
    expect(refusal(content)).toMatch(/^invalid SAR302 /);
  });
});
